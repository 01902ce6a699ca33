// Where the windows of convolutions, of transposed ones and of pools lie.
import { attribute } from '../onnx/attributes.js'
import type { Node } from '../onnx/model.js'
import type { Shape } from './rule.js'

/**
 * One number per spatial axis in each. Output o sees the inputs o * stride - begin + k * dilation for k in 0..kernel-1.
 */
export interface Window {
  kernel: Shape
  strides: Shape
  dilations: Shape
  /** Padding before the first element. */
  begin: Shape
  /** Padding behind the last that the windows reach; negative where the last elements are in no window. */
  end: Shape
  input: Shape
  output: Shape
}

/**
 * Reads the window of a Conv or pool node: explicit pads, auto_pad and ceil_mode all become plain counts.
 * @param input spatial dimensions of the node's input
 * @param output spatial dimensions of its output, as observed
 */
export function windowOf(node: Node, kernel: Shape, input: Shape, output: Shape): Window {
  return windowFrom(node, kernel, input, output, (covered, way, pads) => {
    if (way === 'NOTSET') return pads
    return covered.map((length, axis) => inFront(Math.max(length - (input[axis] as number), 0), way))
  })
}

/**
 * Reads a ConvTranspose node as the convolution that goes the other way, whose input gradient it is.
 * @param input spatial dimensions of the node's input, which are the window's output
 * @param output of its output, as observed, which are the window's input
 */
export function transposedWindowOf(node: Node, kernel: Shape, input: Shape, output: Shape): Window {
  const extra = attribute(
    node,
    'output_padding',
    'ints',
    kernel.map(() => 0),
  )
  const isShaped = attribute(node, 'output_shape', 'ints', []).length > 0
  return windowFrom(node, kernel, output, input, (covered, way, pads) => {
    if (way === 'NOTSET' && !isShaped) return pads
    // What is too much for the shape, output_padding included, is taken away: half of it on either side, and an odd one
    // in front unless SAME_UPPER says otherwise. (With VALID, nothing is too much.)
    return covered.map((length, axis) => {
      const tooMuch = length + (extra[axis] as number) - (output[axis] as number)
      return inFront(Math.max(tooMuch, 0), way === 'SAME_UPPER' ? way : 'SAME_LOWER')
    })
  })
}

function inFront(count: number, way: string): number {
  if (way === 'SAME_UPPER') return Math.floor(count / 2)
  return way === 'SAME_LOWER' ? Math.ceil(count / 2) : 0
}

// @param beginOf padding in front, from the length of the padded input that the windows cover, auto_pad and pads
function windowFrom(
  node: Node,
  kernel: Shape,
  input: Shape,
  output: Shape,
  beginOf: (covered: Shape, way: string, pads: Shape) => Shape,
): Window {
  const ones = kernel.map(() => 1)
  const strides = attribute(node, 'strides', 'ints', ones)
  const dilations = attribute(node, 'dilations', 'ints', ones)
  const pads = attribute(
    node,
    'pads',
    'ints',
    kernel.map(() => 0),
  )
  const covered = kernel.map(
    (size, axis) =>
      ((output[axis] as number) - 1) * (strides[axis] as number) + (size - 1) * (dilations[axis] as number) + 1,
  )
  // An empty name is the default, too.
  const way = attribute(node, 'auto_pad', 'string', 'NOTSET') || 'NOTSET'
  const begin = beginOf(covered, way, pads.slice(0, kernel.length))
  const end = covered.map((length, axis) => length - (input[axis] as number) - (begin[axis] as number))
  return { kernel, strides, dilations, begin, end, input, output }
}

/** All positions of a kernel in row-major order: [0,0], [0,1], ... */
export function offsets(kernel: Shape): number[][] {
  return kernel.reduce<number[][]>(
    (found, size) => found.flatMap((start) => Array.from({ length: size }, (_, next) => [...start, next])),
    [[]],
  )
}
