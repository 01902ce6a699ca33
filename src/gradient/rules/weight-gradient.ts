// The weight gradient of a convolution: dW[k,c,i,j] = sum over images and places of x shifted by (i,j) times dY, as few
// large matrix products.
import type { ValueName } from '../../onnx/model.js'
import { elementCount } from '../../tensor/tensor.js'
import type { RuleScope, Shape } from '../rule.js'
import { selection, WIDEST_SELECTION } from '../selection.js'
import { offsets, type Window } from '../window.js'

/**
 * Of a convolution: x is [batch, groups * channels, ...input], W [groups * filters, channels, ...kernel], Y [batch,
 * groups * filters, ...output].
 */
export interface Convolution extends Window {
  batch: number
  groups: number
  channels: number
  filters: number
}

/**
 * The shift is split between the operands: rows (all axes but the last) are shifted on one side and stacked, columns on
 * the other, so that a 3x3 kernel takes 3 + 3 shifted copies and 3 products instead of 9 and 9. Milliseconds on one
 * core, batch 64, for 16 channels of 32x32 / 32 of 16x16 / 64 of 8x8: this 4.7 / 3.1 / 2.6, a Slice and a product per
 * kernel position 7.5 / 4.7 / 4.4, all nine slices in one product 18 / 8 / 6, forward 4.8 / 3.4 / 2.7. Tall operand on
 * the left: with the narrow one there, products take 1.4 times as long at 16 channels, because the right one is
 * repacked every time.
 */
export function weightGradient(g: RuleScope, x: ValueName, dy: ValueName, conv: Convolution): ValueName {
  const { groups, channels, filters, kernel, strides, dilations, begin, input, output } = conv
  const folded = foldsBatch(conv)
  const images = arrange(g, x, conv, channels, input, folded)
  const errors = arrange(g, dy, conv, filters, output, folded)
  const onErrors = movesErrors(conv)
  const rows = offsets(kernel.slice(0, -1)).map((row) =>
    row.reduce(
      (value, i, axis) => {
        const start = i * (dilations[axis] as number) - (begin[axis] as number)
        return onErrors
          ? rowsFrom(g, value, axis, -start, input[axis] as number, 1)
          : rowsFrom(g, value, axis, start, output[axis] as number, strides[axis] as number)
      },
      onErrors ? errors : images,
    ),
  )
  const [m, n] = onErrors ? [filters, channels] : [channels, filters]
  const multiply = groups > 1 && n === 1 ? elementwiseProduct : matrixProduct
  const left = multiply === matrixProduct ? [stack(g, rows)] : rows
  const last = kernel.length - 1
  const products = Array.from({ length: kernel[last] as number }, (_, j) => {
    const column = (value: Arranged): Arranged =>
      columnsFrom(
        g,
        value,
        j * (dilations[last] as number) - (begin[last] as number),
        output[last] as number,
        strides[last] as number,
      )
    const right = onErrors ? column(images) : errors
    return join(
      g,
      left.map((value) => multiply(g, onErrors ? value : column(value), right)),
      2,
    )
  })
  const all = g.emit('Reshape', [join(g, products, 0), g.ints([products.length, groups, rows.length, m, n])])
  const order = onErrors ? [1, 3, 4, 2, 0] : [1, 4, 3, 2, 0]
  return g.emit('Reshape', [
    g.emit('Transpose', [all], { perm: order }),
    g.ints([groups * filters, channels, ...kernel]),
  ])
}

// Rows move on dY, unless x has far fewer channels (its columns move too, so every row of it is copied once per
// column). Moving rows of dY multiplies the work by input rows / output rows, and with strides its rows would have to
// be spread.
function movesErrors({ kernel, strides, input, output, channels, filters }: Convolution): boolean {
  return (
    filters <= 3 * channels &&
    kernel
      .slice(0, -1)
      .every((_, axis) => strides[axis] === 1 && 2 * (input[axis] as number) <= 3 * (output[axis] as number))
  )
}

// One product over all images needs x and dY with the batch behind the channels; one product per image needs the
// products summed.
function foldsBatch({ kernel, groups, channels, filters, output }: Convolution): boolean {
  if (groups > 1 && Math.min(channels, filters) === 1) return false
  return elementCount(kernel) * channels * filters > 2 * elementCount(output) * (channels + filters)
}

/** A value as [groups, channels, batch, ...space] (folded) or [batch, groups, channels, ...space]. */
interface Arranged {
  value: ValueName
  shape: Shape
  folded: boolean
}

function arrange(
  g: RuleScope,
  value: ValueName,
  { batch, groups }: Convolution,
  channels: number,
  space: Shape,
  folded: boolean,
): Arranged {
  const shape = [batch, groups, channels, ...space]
  if (!folded) return { value: g.emit('Reshape', [value, g.ints(shape)]), shape, folded }
  const flat = g.emit('Reshape', [value, g.ints([batch, groups * channels, elementCount(space)])])
  const turned = [groups, channels, batch, ...space]
  return {
    value: g.emit('Reshape', [g.emit('Transpose', [flat], { perm: [1, 0, 2] }), g.ints(turned)]),
    shape: turned,
    folded,
  }
}

function join(g: RuleScope, values: readonly ValueName[], axis: number): ValueName {
  return values.length === 1 ? (values[0] as ValueName) : g.emit('Concat', values, { axis })
}

function stack(g: RuleScope, parts: readonly Arranged[]): Arranged {
  const [{ shape, folded }] = parts as [Arranged]
  const axis = folded ? 1 : 2
  return {
    value: join(
      g,
      parts.map(({ value }) => value),
      axis,
    ),
    shape: shape.with(axis, (shape[axis] as number) * parts.length),
    folded,
  }
}

// [.., M, L] times [.., N, L] transposed, summed over the images: [1, groups, M, N].
function matrixProduct(g: RuleScope, left: Arranged, right: Arranged): ValueName {
  const matrices = ({ value, shape, folded }: Arranged): ValueName =>
    g.emit('Reshape', [value, g.ints(folded ? [1, ...shape.slice(0, 2), -1] : [...shape.slice(0, 3), -1])])
  const found = g.emit('MatMul', [matrices(left), g.emit('Transpose', [matrices(right)], { perm: [0, 1, 3, 2] })])
  return left.folded ? found : g.emit('ReduceSum', [found, g.ints([0])], { keepdims: 1 })
}

// The same for N = 1 in many groups, where a matrix product per image and group costs more to start than to compute:
// for 64x192x14x14 and 3x3 18 ms in all, with one stacked operand 28, with matrix products 47; the forward pass takes
// 10.
function elementwiseProduct(g: RuleScope, left: Arranged, right: Arranged): ValueName {
  const summed = [0, ...left.shape.flatMap((_, axis) => (axis > 2 ? [axis] : []))]
  return g.emit('ReduceSum', [g.emit('Mul', [left.value, right.value]), g.ints(summed)], { keepdims: 1 })
}

// Elements start, start + step, ... along spatial axis `axis`, zeros outside. Everything behind the axis moves in one
// piece.
function rowsFrom(
  g: RuleScope,
  { value, shape, folded }: Arranged,
  axis: number,
  start: number,
  count: number,
  step: number,
): Arranged {
  const at = axis + 3
  const [size, behind] = [shape[at] as number, elementCount(shape.slice(at + 1))]
  const result = { shape: shape.with(at, count), folded }
  if (start === 0 && count === size && step === 1) return { ...result, value }
  const before = elementCount(shape.slice(0, at))
  const covered = (count - 1) * step + 1
  const inside = step > 1 && start >= 0 && start + covered <= size
  const flat = g.emit('Reshape', [value, g.ints([before, size * behind])])
  const moved = inside
    ? flat
    : g.emit('Pad', [flat, g.ints([0, -start * behind, 0, (covered - size + start) * behind])])
  if (step === 1) return { ...result, value: g.emit('Reshape', [moved, g.ints(result.shape)]) }
  // A last axis of 1 would make Slice twice as slow.
  const length = inside ? size : covered
  const first = inside ? start : 0
  const rows = g.emit('Reshape', [moved, g.ints(behind === 1 ? [before, length] : [before, length, behind])])
  const taken = g.emit('Slice', [rows, g.ints([first]), g.ints([first + covered]), g.ints([1]), g.ints([step])])
  return { ...result, value: g.emit('Reshape', [taken, g.ints(result.shape)]) }
}

function columnsFrom(g: RuleScope, arranged: Arranged, start: number, count: number, step: number): Arranged {
  const { value, shape, folded } = arranged
  const width = shape.at(-1) as number
  if (width > WIDEST_SELECTION || (start === 0 && count === width && step === 1))
    return rowsFrom(g, arranged, shape.length - 4, start, count, step)
  const moved = g.emit('MatMul', [
    g.emit('Reshape', [value, g.ints([-1, width])]),
    g.constant(selection(width, start, count, step)),
  ])
  const result = shape.with(-1, count)
  return { value: g.emit('Reshape', [moved, g.ints(result)]), shape: result, folded }
}
