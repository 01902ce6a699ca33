// Rules of operators that move elements without changing them.
import { attribute } from '../../onnx/attributes.js'
import type { ValueName } from '../../onnx/model.js'
import type { BackwardRule, RuleScope, RuleTable } from '../rule.js'
import { isFloatType } from '../../tensor/data-type.js'
import { fromFront, numbersOf } from '../constant-inputs.js'
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

  // The same to the type of another value
  CastLike: ({ inputs: [x = '', like = ''] }, g) => {
    const type = g.constantValue(like)?.type ?? 'float32'
    return [isFloatType(type) ? g.emit('CastLike', [g.gradient(), x]) : null, null]
  },

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
    const first = numbersOf(g, starts)
    const axes = axesInput ? fromFront(numbersOf(g, axesInput), input.length) : first.map((_, axis) => axis)
    const steps = stepsInput ? numbersOf(g, stepsInput) : first.map(() => 1)
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

  // y = x one after the other: dx = dy, summed over the copies
  Tile: (node, g) => {
    const shape = g.shape(node.inputs[0] as ValueName)
    const repeats = numbersOf(g, node.inputs[1] as ValueName)
    const split = shape.flatMap((size, axis) => [repeats[axis] as number, size])
    const copies = g.ints(shape.map((_, axis) => 2 * axis))
    const parts = g.emit('Reshape', [g.gradient(), g.ints(split)])
    return [g.emit('ReduceSum', [parts, copies], { keepdims: 0 }), null]
  },

  // y = x with zeros below or above a diagonal: dx = dy with the same
  Trilu: (node, g) =>
    node.inputs.map((_, index) =>
      index === 0 ? g.emit('Trilu', [g.gradient(), ...node.inputs.slice(1)], node.attributes) : null,
    ),

  // y = sums of x up to each place: dx = sums of dy from the other end
  CumSum: (node, g) => {
    const reverse = 1 - attribute(node, 'reverse', 'int', 0)
    const exclusive = attribute(node, 'exclusive', 'int', 0)
    return [g.emit('CumSum', [g.gradient(), node.inputs[1] as ValueName], { reverse, exclusive }), null]
  },

  // y = sequences in x, their first elements in reverse order: dx = dy in the same way
  ReverseSequence: (node, g) => [
    g.emit('ReverseSequence', [g.gradient(), node.inputs[1] as ValueName], node.attributes),
    null,
  ],
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
