// Rules of trigonometric and hyperbolic functions; x is the input, y the output, dy its gradient.
import type { BackwardRule, RuleScope, RuleTable } from '../rule.js'
import type { ValueName } from '../../onnx/model.js'

export const RULES = {
  // y = sin x: dx = dy cos x
  Sin: slope(({ x, g }) => g.emit('Cos', [x])),

  // y = cos x: dx = -dy sin x
  Cos: slope(({ x, g }) => g.emit('Neg', [g.emit('Sin', [x])])),

  // y = tan x: dx = dy (1 + y^2)
  Tan: slope(({ y, g }) => plus(g, square(g, y), 1)),

  // y = asin x: dx = dy / sqrt(1 - x^2)
  Asin: slope(({ x, g }) => inverseRoot(g, from(g, 1, square(g, x)))),
  Acos: slope(({ x, g }) => g.emit('Neg', [inverseRoot(g, from(g, 1, square(g, x)))])),

  // y = atan x: dx = dy / (1 + x^2)
  Atan: slope(({ x, g }) => g.emit('Reciprocal', [plus(g, square(g, x), 1)])),

  // y = sinh x: dx = dy cosh x
  Sinh: slope(({ x, g }) => g.emit('Cosh', [x])),
  Cosh: slope(({ x, g }) => g.emit('Sinh', [x])),

  // y = asinh x: dx = dy / sqrt(x^2 + 1)
  Asinh: slope(({ x, g }) => inverseRoot(g, plus(g, square(g, x), 1))),
  Acosh: slope(({ x, g }) => inverseRoot(g, plus(g, square(g, x), -1))),

  // y = atanh x: dx = dy / (1 - x^2)
  Atanh: slope(({ x, g }) => g.emit('Reciprocal', [from(g, 1, square(g, x))])),
} satisfies RuleTable

// dx = dy times the slope.
function slope(of: (values: { x: ValueName; y: ValueName; g: RuleScope }) => ValueName): BackwardRule {
  return ({ inputs: [x = ''], outputs: [y = ''] }, g) => [g.emit('Mul', [g.gradient(), of({ x, y, g })])]
}

function square(g: RuleScope, value: ValueName): ValueName {
  return g.emit('Mul', [value, value])
}

function plus(g: RuleScope, value: ValueName, number: number): ValueName {
  return g.emit('Add', [value, g.scalar(number)])
}

function from(g: RuleScope, number: number, value: ValueName): ValueName {
  return g.emit('Sub', [g.scalar(number), value])
}

function inverseRoot(g: RuleScope, value: ValueName): ValueName {
  return g.emit('Reciprocal', [g.emit('Sqrt', [value])])
}
