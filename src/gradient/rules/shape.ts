// Rules of operators that move elements without changing them.
import { attribute } from '../../onnx/attributes.js'
import type { ValueName } from '../../onnx/model.js'
import type { BackwardRule, RuleScope, RuleTable } from '../rule.js'
import { selection, WIDEST_SELECTION } from '../selection.js'

/** TensorProto.DataType numbers of float32, float16, float64 and bfloat16. */
const FLOATS = [1, 10, 11, 16]

// The output has the elements of the first input in the same order: dx = dy in x's shape.
const sameElements: BackwardRule = ({ inputs, outputs: [y = ''] }, g) => {
  const dx = g.reshape(g.gradient(), g.shape(y), g.shape(inputs[0] as ValueName))
  return inputs.map((_, index) => (index === 0 ? dx : null))
}

export const RULES = {
  Identity: sameElements,
  Reshape: sameElements,
  Flatten: sameElements,
  Squeeze: sameElements,
  Unsqueeze: sameElements,

  // In inference form: y = x
  Dropout: sameElements,

  // Between float types: dx = dy in x's type; to integers and booleans nothing flows
  Cast: (node, g) => [
    FLOATS.includes(attribute(node, 'to', 'int', 1))
      ? g.emit('CastLike', [g.gradient(), node.inputs[0] as ValueName])
      : null,
  ],

  // y = x with axes permuted: dx = dy with the inverse permutation
  Transpose: (node, g) => {
    const reversed = g.shape(node.outputs[0] as ValueName).map((_, axis, { length }) => length - 1 - axis)
    const order = attribute(node, 'perm', 'ints', undefined) ?? reversed
    return [g.emit('Transpose', [g.gradient()], { perm: order.map((_, axis) => order.indexOf(axis)) })]
  },

  // y = inputs one after the other: each gets its part of dy
  Concat: (node, g) => {
    if (node.inputs.length === 1) return [g.gradient()]
    const axis = attribute(node, 'axis', 'int', 0)
    const sizes = node.inputs.map((input) => g.shape(input).at(axis) as number)
    return g.emitMany('Split', [g.gradient(), g.ints(sizes)], sizes.length, { axis })
  },

  // The outputs are x in parts: dx = their gradients one after the other
  Split: (node, g) => {
    const dx = g.emit(
      'Concat',
      node.outputs.map((_, index) => g.gradient(index)),
      { axis: attribute(node, 'axis', 'int', 0) },
    )
    return node.inputs.map((_, index) => (index === 0 ? dx : null))
  },

  // y = every step-th element of x from start on: dx = dy at those places, zero elsewhere
  Slice: (node, g) => {
    const [x = '', starts = '', , axesInput, stepsInput] = node.inputs
    const input = g.shape(x)
    const output = g.shape(node.outputs[0] as ValueName)
    const first = integers(g, starts)
    const axes = axesInput
      ? integers(g, axesInput).map((axis) => (axis < 0 ? axis + input.length : axis))
      : first.map((_, axis) => axis)
    const steps = stepsInput ? integers(g, stepsInput) : first.map(() => 1)
    let dx = g.gradient()
    const size = [...output]
    const begin = input.map(() => 0)
    for (const [position, axis] of axes.entries()) {
      const step = steps[position] as number
      const dim = input[axis] as number
      const count = output[axis] as number
      const given = first[position] as number
      const start = Math.min(Math.max(given < 0 ? given + dim : given, 0), step > 0 ? dim : dim - 1)
      if (step !== 1 && axis === input.length - 1 && dim <= WIDEST_SELECTION) {
        dx = g.emit('MatMul', [dx, g.emit('Transpose', [g.constant(selection(dim, start, count, step))])])
        size[axis] = dim
        continue
      }
      if (step < 0) dx = reverse(g, dx, [axis])
      if (Math.abs(step) > 1) dx = spread(g, dx, size, axis, Math.abs(step))
      size[axis] = count * Math.abs(step)
      begin[axis] = step > 0 ? start : start + (count - 1) * step
    }
    const end = input.map((dim, axis) => dim - (size[axis] as number) - (begin[axis] as number))
    return node.inputs.map((_, index) => (index === 0 ? pad(g, dx, begin, end) : null))
  },

  // y = x with constant borders: dx = dy without them
  Pad: {
    limit: (node) => {
      const mode = attribute(node, 'mode', 'string', 'constant')
      return mode === 'constant' ? undefined : `mode "${mode}" (only "constant" has a gradient rule)`
    },
    backward: (node, g) => {
      const [x = '', pads = '', , axesInput] = node.inputs
      const { length } = g.shape(x)
      const given = integers(g, pads)
      const axes = axesInput
        ? integers(g, axesInput).map((axis) => (axis < 0 ? axis + length : axis))
        : Array.from({ length }, (_, axis) => axis)
      const remove = (offset: number): number[] =>
        Array.from({ length }, (_, axis) =>
          axes.includes(axis) ? 0 - (given[axes.indexOf(axis) + offset] as number) : 0,
        )
      return node.inputs.map((_, index) => (index === 0 ? pad(g, g.gradient(), remove(0), remove(axes.length)) : null))
    },
  },

  // y = x at indices along an axis: dx = dy added up per index
  Gather: (node, g) => {
    const [x = '', indices = ''] = node.inputs
    const shape = g.shape(x)
    const given = attribute(node, 'axis', 'int', 0)
    const axis = given < 0 ? given + shape.length : given
    const count = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1)
    const [before, after] = [count(shape.slice(0, axis)), count(shape.slice(axis + 1))]
    const rows = [before, count(g.shape(indices)), after]
    const places = g.emit('Expand', [g.emit('Reshape', [indices, g.ints([1, -1, 1])]), g.ints(rows)])
    const zeros = g.emit('ConstantOfShape', [g.ints([before, shape[axis] as number, after])])
    const sum = g.emit('ScatterElements', [zeros, places, g.emit('Reshape', [g.gradient(), g.ints(rows)])], {
      axis: 1,
      reduction: 'add',
    })
    return [g.emit('Reshape', [sum, g.ints(shape)]), null]
  },
} satisfies RuleTable

/** Zeros before and after along every axis; negative counts remove elements. */
export function pad(
  g: Pick<RuleScope, 'emit' | 'ints'>,
  value: ValueName,
  begin: readonly number[],
  end: readonly number[],
): ValueName {
  return [...begin, ...end].every((count) => count === 0) ? value : g.emit('Pad', [value, g.ints([...begin, ...end])])
}

/** The value with its elements in reverse order along the axes. */
export function reverse(g: Pick<RuleScope, 'emit' | 'ints'>, value: ValueName, axes: readonly number[]): ValueName {
  const all = (number: number): ValueName => g.ints(axes.map(() => number))
  return g.emit('Slice', [value, all(-1), all(-(2 ** 31)), g.ints(axes), all(-1)])
}

// step - 1 zeros behind every element along the axis.
function spread(g: RuleScope, value: ValueName, size: readonly number[], axis: number, step: number): ValueName {
  const split = [...size.slice(0, axis + 1), 1, ...size.slice(axis + 1)]
  const merged = size.map((dim, index) => (index === axis ? dim * step : dim))
  const none = split.map(() => 0)
  const padded = pad(g, g.reshape(value, size, split), none, none.with(axis + 1, step - 1))
  return g.emit('Reshape', [padded, g.ints(merged)])
}

function integers(g: RuleScope, value: ValueName): number[] {
  const tensor = g.constantValue(value)
  if (tensor === undefined) throw new Error(`internal: "${value}" was not folded to a constant`)
  return Array.from(tensor.data as ArrayLike<bigint | number>, Number)
}
