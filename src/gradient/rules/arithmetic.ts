// Rules of element-wise arithmetic with broadcasting; y is the output, dy its gradient.
import type { Node, ValueName } from '../../onnx/model.js'
import type { BackwardRule, GradientRule, RuleScope, RuleTable } from '../rule.js'

export const RULES = {
  // y = a + b: da = db = dy
  Add: broadcasting(everyInput),
  Sum: broadcasting(everyInput),

  // y = mean of n inputs: each gets dy / n
  Mean: broadcasting((node, g) => {
    const share = g.emit('Mul', [g.gradient(), g.scalar(1 / node.inputs.length)])
    return node.inputs.map(() => share)
  }),

  // y = a - b: da = dy, db = -dy
  Sub: broadcasting((_, g) => [g.gradient(), g.needs(1) ? g.emit('Neg', [g.gradient()]) : null]),

  // y = a * b: da = dy * b, db = dy * a
  Mul: broadcasting(({ inputs: [a = '', b = ''] }, g) => [
    g.needs(0) ? g.emit('Mul', [g.gradient(), b]) : null,
    g.needs(1) ? g.emit('Mul', [g.gradient(), a]) : null,
  ]),

  // y = a / b: da = dy / b, db = -dy * y / b
  Div: broadcasting(({ inputs: [, b = ''], outputs: [y = ''] }, g) => {
    const da = g.emit('Div', [g.gradient(), b])
    return [da, g.needs(1) ? g.emit('Neg', [g.emit('Mul', [da, y])]) : null]
  }),

  // y = a - b * (a / b, rounded to an integer): da = dy, db = dy * (y - a) / b
  Mod: broadcasting(({ inputs: [a = '', b = ''], outputs: [y = ''] }, g) => [
    g.gradient(),
    g.needs(1) ? g.emit('Mul', [g.gradient(), g.emit('Div', [g.emit('Sub', [y, a]), b])]) : null,
  ]),

  // y = x^p: dx = dy * p * x^(p-1), dp = dy * y * log(x)
  Pow: broadcasting(({ inputs: [x = '', p = ''], outputs: [y = ''] }, g) => [
    g.needs(0) ? g.emit('Mul', [g.gradient(), powerSlope(x, p, g)]) : null,
    g.needs(1) ? g.emit('Mul', [g.gradient(), g.emit('Mul', [y, g.emit('Log', [x])])]) : null,
  ]),

  // y = max(a, b, ...): dy goes to the first input that equals y
  Max: broadcasting(firstThatEquals),
  Min: broadcasting(firstThatEquals),

  // y = c ? a : b: da = c ? dy : 0, db = c ? 0 : dy
  Where: broadcasting(({ inputs: [c = ''] }, g) => [
    null,
    g.needs(1) ? g.emit('Where', [c, g.gradient(), g.scalar(0)]) : null,
    g.needs(2) ? g.emit('Where', [c, g.scalar(0), g.gradient()]) : null,
  ]),

  // y = x repeated: dx = dy, summed over the repeated axes
  Expand: broadcasting((_, g) => [g.gradient(), null]),

  // y = -x: dx = -dy
  Neg: (_, g) => [g.emit('Neg', [g.gradient()])],

  // y = |x|: dx = dy * sign(x)
  Abs: ({ inputs: [x = ''] }, g) => [g.emit('Mul', [g.gradient(), g.emit('Sign', [x])])],

  // y = 1 / x: dx = -dy * y^2
  Reciprocal: ({ outputs: [y = ''] }, g) => [g.emit('Neg', [g.emit('Mul', [g.gradient(), g.emit('Mul', [y, y])])])],

  // y = e^x: dx = dy * y
  Exp: ({ outputs: [y = ''] }, g) => [g.emit('Mul', [g.gradient(), y])],

  // y = log(x): dx = dy / x
  Log: ({ inputs: [x = ''] }, g) => [g.emit('Div', [g.gradient(), x])],

  // y = sqrt(x): dx = dy / (2 y)
  Sqrt: ({ outputs: [y = ''] }, g) => [g.emit('Div', [g.emit('Mul', [g.gradient(), g.scalar(0.5)]), y])],

  // y = erf(x): dx = dy * 2 / sqrt(pi) * e^(-x^2)
  Erf: ({ inputs: [x = ''] }, g) => {
    const bell = g.emit('Exp', [g.emit('Neg', [g.emit('Mul', [x, x])])])
    return [g.emit('Mul', [g.gradient(), g.emit('Mul', [bell, g.scalar(2 / Math.sqrt(Math.PI))])])]
  },
} satisfies RuleTable

function broadcasting(backward: BackwardRule): GradientRule {
  return { backward, broadcasts: true }
}

function everyInput(node: Node, g: RuleScope): ValueName[] {
  return node.inputs.map(() => g.gradient())
}

// d x^p / dx = p * x^(p-1). A constant square is by far the commonest power, and needs no Pow.
function powerSlope(x: ValueName, p: ValueName, g: RuleScope): ValueName {
  const power = g.constantValue(p)
  if (power === undefined) return g.emit('Mul', [p, g.emit('Pow', [x, g.emit('Sub', [p, g.scalar(1)])])])
  if (power.data.length === 1 && Number(power.data[0]) === 2) return g.emit('Mul', [x, g.scalar(2)])
  const exponents = Float32Array.from(power.data as ArrayLike<number>, Number)
  const lower = g.constant({ type: 'float32', dims: power.dims, data: exponents.map((exponent) => exponent - 1) })
  return g.emit('Mul', [g.constant({ type: 'float32', dims: power.dims, data: exponents }), g.emit('Pow', [x, lower])])
}

function firstThatEquals({ inputs, outputs: [y = ''] }: Node, g: RuleScope): ValueName[] {
  let taken: ValueName | undefined
  return inputs.map((input) => {
    const equal = g.emit('Equal', [input, y])
    const mine = taken === undefined ? equal : g.emit('And', [equal, g.emit('Not', [taken])])
    taken = taken === undefined ? equal : g.emit('Or', [taken, equal])
    return g.emit('Where', [mine, g.gradient(), g.scalar(0)])
  })
}
