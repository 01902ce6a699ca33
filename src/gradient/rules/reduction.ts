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

  // y = sqrt(sum x^2): dx = x dy / y
  ReduceL2: (node, g) => {
    const ratio = g.emit('Div', [g.gradient(), node.outputs[0] as ValueName])
    return padded(node, g.emit('Mul', [node.inputs[0] as ValueName, kept(node, g, ratio)]))
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

  // y = max x over height and width: dx = dy where x = y, shared equally among equals
  GlobalMaxPool: (node, g) => [
    shareAmongEquals(
      node,
      g,
      g.shape(node.inputs[0] as ValueName).flatMap((_, axis) => (axis > 1 ? [axis] : [])),
    ),
  ],
} satisfies RuleTable

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
