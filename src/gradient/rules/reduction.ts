// Rules of reductions; axes are the second input (opset 18), all axes where it is missing.
import { attribute } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import type { RuleScope, RuleTable, Shape } from '../rule.js'

export const RULES = {
  // y = sum x: dx = dy, repeated
  ReduceSum: (node, g) => padded(node, repeat(g, kept(node, g, g.gradient()), node)),

  // y = mean x over n elements: dx = dy / n, repeated
  ReduceMean: (node, g) =>
    padded(node, repeat(g, g.emit('Mul', [kept(node, g, g.gradient()), g.scalar(1 / reducedCount(node, g))]), node)),

  // y = sum x^2: dx = 2 x dy
  ReduceSumSquare: (node, g) => {
    const twice = g.emit('Mul', [kept(node, g, g.gradient()), g.scalar(2)])
    return padded(node, g.emit('Mul', [node.inputs[0] as ValueName, twice]))
  },

  // y = sum |x|: dx = dy sign(x)
  ReduceL1: (node, g) => {
    const sign = g.emit('Sign', [node.inputs[0] as ValueName])
    return padded(node, g.emit('Mul', [sign, kept(node, g, g.gradient())]))
  },

  // y = sqrt(sum x^2): dx = x dy / y, and 0 where y is
  ReduceL2: (node, g) => {
    const ratio = g.emit('Div', [g.gradient(), oneWhereZero(g, node.outputs[0] as ValueName)])
    return padded(node, g.emit('Mul', [node.inputs[0] as ValueName, kept(node, g, ratio)]))
  },

  // y = product of x: dx = dy times the product of the others, which is y / x where x is not 0
  ReduceProd: (node, g) => {
    const x = node.inputs[0] as ValueName
    const axes = g.ints(reducedAxes(node, g))
    const isZero = g.emit('Equal', [x, g.scalar(0)])
    const zeros = g.emit('Where', [isZero, g.scalar(1), g.scalar(0)])
    const others = g.emit('Sub', [g.emit('ReduceSum', [zeros, axes], { keepdims: 1 }), zeros])
    const filled = g.emit('Where', [isZero, g.scalar(1), x])
    const share = g.emit('Div', [g.emit('ReduceProd', [filled, axes], { keepdims: 1 }), filled])
    const dx = g.emit('Mul', [share, kept(node, g, g.gradient())])
    return padded(node, g.emit('Where', [g.emit('Equal', [others, g.scalar(0)]), dx, g.scalar(0)]))
  },

  // y = log sum x: dx = dy e^-y
  ReduceLogSum: (node, g) => {
    const share = g.emit('Exp', [g.emit('Neg', [node.outputs[0] as ValueName])])
    return padded(node, repeat(g, kept(node, g, g.emit('Mul', [g.gradient(), share])), node))
  },

  // y = log sum e^x: dx = dy e^(x - y)
  ReduceLogSumExp: (node, g) => {
    const y = kept(node, g, node.outputs[0] as ValueName)
    const share = g.emit('Exp', [g.emit('Sub', [node.inputs[0] as ValueName, y])])
    return padded(node, g.emit('Mul', [share, kept(node, g, g.gradient())]))
  },

  // y = max x: dx = dy where x = y, shared equally among equals
  ReduceMax: (node, g) => padded(node, shareAmongEquals(node, g, reducedAxes(node, g))),
  ReduceMin: (node, g) => padded(node, shareAmongEquals(node, g, reducedAxes(node, g))),

  // y = mean x over height and width: dx = dy / (h w), repeated
  GlobalAveragePool: (node, g) => {
    const count = g
      .shape(node.inputs[0] as ValueName)
      .slice(2)
      .reduce((product, size) => product * size, 1)
    return [repeat(g, g.emit('Mul', [g.gradient(), g.scalar(1 / count)]), node)]
  },

  // y = (sum |x|^p)^(1/p) over height and width
  GlobalLpPool: (node, g) => {
    const p = attribute(node, 'p', 'int', 2)
    return [g.emit('Mul', [powerOf(g, node.inputs[0] as ValueName, p), normSlope(g, node.outputs[0] as ValueName, p)])]
  },

  // y = max x over height and width: dx = dy where x = y, shared equally among equals
  GlobalMaxPool: (node, g) => [
    shareAmongEquals(
      node,
      g,
      g.shape(node.inputs[0] as ValueName).flatMap((_, axis) => (axis > 1 ? [axis] : [])),
    ),
  ],
} satisfies RuleTable

// Of y = (sum |x|^p)^(1/p), dx = dy y^(1-p) sign(x) |x|^(p-1), in two factors.

/** dy y^(1-p), and 0 where y is. */
export function normSlope(g: RuleScope, y: ValueName, p: number): ValueName {
  if (p === 1) return g.gradient()
  const positive = oneWhereZero(g, y)
  const divisor = p === 2 ? positive : g.emit('Pow', [positive, g.scalar(p - 1)])
  return g.emit('Where', [g.emit('Equal', [y, g.scalar(0)]), g.scalar(0), g.emit('Div', [g.gradient(), divisor])])
}

/** sign(x) |x|^(p-1) */
export function powerOf(g: RuleScope, x: ValueName, p: number): ValueName {
  if (p === 2) return x
  const sign = g.emit('Sign', [x])
  return p === 1 ? sign : g.emit('Mul', [sign, g.emit('Pow', [g.emit('Abs', [x]), g.scalar(p - 1)])])
}

function oneWhereZero(g: RuleScope, value: ValueName): ValueName {
  return g.emit('Where', [g.emit('Equal', [value, g.scalar(0)]), g.scalar(1), value])
}

// The axes input takes no gradient.
function padded(node: Node, dx: ValueName): (ValueName | null)[] {
  return node.inputs.map((_, index) => (index === 0 ? dx : null))
}

function repeat(g: RuleScope, value: ValueName, node: Node): ValueName {
  return g.emit('Expand', [value, g.ints(g.shape(node.inputs[0] as ValueName))])
}

function shareAmongEquals(node: Node, g: RuleScope, axes: readonly number[]): ValueName {
  const [x = ''] = node.inputs
  const shape = g.shape(x).map((size, axis) => (axes.includes(axis) ? 1 : size))
  const [y, dy] = [node.outputs[0] as ValueName, g.gradient()].map((value) =>
    g.reshape(value, g.shape(node.outputs[0] as ValueName), shape),
  ) as [ValueName, ValueName]
  const equal = g.emit('Equal', [x, y])
  const count = g.emit('ReduceSum', [g.emit('Where', [equal, g.scalar(1), g.scalar(0)]), g.ints(axes)], { keepdims: 1 })
  return g.emit('Where', [equal, g.emit('Div', [dy, count]), g.scalar(0)])
}

// A value of the output's shape with the reduced axes back as 1.
function kept(node: Node, g: RuleScope, value: ValueName): ValueName {
  const axes = reducedAxes(node, g)
  const shape = g.shape(node.inputs[0] as ValueName).map((size, axis) => (axes.includes(axis) ? 1 : size))
  return g.reshape(value, g.shape(node.outputs[0] as ValueName), shape)
}

function reducedAxes(node: Node, g: RuleScope): Shape {
  const rank = g.shape(node.inputs[0] as ValueName).length
  const given = node.inputs[1] ? g.constantValue(node.inputs[1]) : undefined
  const axes =
    given === undefined ? attribute(node, 'axes', 'ints', []) : Array.from(given.data as BigInt64Array, Number)
  if (axes.length > 0) return axes.map((axis) => (axis < 0 ? axis + rank : axis))
  return attribute(node, 'noop_with_empty_axes', 'int', 0) === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis)
}

function reducedCount(node: Node, g: RuleScope): number {
  const shape = g.shape(node.inputs[0] as ValueName)
  return reducedAxes(node, g).reduce((product, axis) => product * (shape[axis] as number), 1)
}
