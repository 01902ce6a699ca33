// Where the windows of convolutions and pools lie on their input.
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
  const ones = kernel.map(() => 1)
  const strides = attribute(node, 'strides', 'ints', ones)
  const dilations = attribute(node, 'dilations', 'ints', ones)
  const pads = attribute(
    node,
    'pads',
    'ints',
    [...ones, ...ones].map(() => 0),
  )
  const automatic = attribute(node, 'auto_pad', 'string', 'NOTSET')
  // Length of the padded input that the windows cover.
  const covered = kernel.map(
    (size, axis) =>
      ((output[axis] as number) - 1) * (strides[axis] as number) + (size - 1) * (dilations[axis] as number) + 1,
  )
  const begin = covered.map((length, axis) => {
    const missing = Math.max(length - (input[axis] as number), 0)
    if (automatic === 'SAME_UPPER') return Math.floor(missing / 2)
    if (automatic === 'SAME_LOWER') return Math.ceil(missing / 2)
    return automatic === 'VALID' ? 0 : (pads[axis] as number)
  })
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
