// Kernels of convolutions. TensorFlow.js wants channels last: x [N,C,...] is transposed before, and the result behind.
import { attribute } from '../../../onnx/attributes.js'
import { type Call, type KernelTable, range } from '../call.js'
import { type Places, takePlaces } from '../take-places.js'
import type { DeviceTensor, TensorFlow } from '../tensorflow.js'
import { at, type Window, windowOf } from '../window.js'
import type { Tensor4D, Tensor5D } from '@tensorflow/tfjs'

type Pair = [number, number]
type Triple = [number, number, number]

export const KERNELS: KernelTable = {
  Conv: (call) => {
    const { tf, node } = call
    const [x, w] = [call.float(0), call.float(1)]
    const space = x.shape.slice(2)
    const window = windowOf(call, w.shape.slice(2), space)
    const groups = attribute(node, 'group', 'int', 1)
    if (space.length > 3) call.refuse(`it has ${space.length} spatial axes, expected 1 to 3`)
    const images = channelsLast(tf, flat(tf, x))
    const filters = flat(tf, w)
    const convolve = space.length === 3 ? convolve3d : convolve2d
    const y = convolve(call, images, filters, widened(window), groups)
    return call.result(withBias(call, tf.reshape(channelsFirst(tf, y), outputShape(x, w.shape[0], window.output))))
  },

  ConvTranspose: (call) => {
    const { tf, node } = call
    const [x, w] = [call.float(0), call.float(1)]
    const space = x.shape.slice(2)
    if (space.length > 3) call.refuse(`it has ${space.length} spatial axes, expected 1 to 3`)
    const groups = attribute(node, 'group', 'int', 1)
    const channels = (w.shape[1] as number) * groups
    const place = transposedPlace(call, w.shape.slice(2), space)
    const images = tf.split(channelsLast(tf, flat(tf, x)), groups, -1)
    const filters = tf.split(flat(tf, spread(tf, w, 2, place.dilations)), groups, 0)
    const parts = images.map((part, group) =>
      convolveBack(tf, part, filters[group] as DeviceTensor, ones(place.strides)),
    )
    const all = tf.reshape(channelsFirst(tf, joined(tf, parts, -1)), outputShape(x, channels, place.whole))
    return call.result(withBias(call, cropped(tf, all, place.begin, place.output)))
  },
}

// A convolution over one axis is one over two of which the first has one element.
function flat(tf: TensorFlow, x: DeviceTensor): DeviceTensor {
  return x.rank === 3 ? tf.expandDims(x, 2) : x
}

function ones(numbers: readonly number[]): readonly number[] {
  return numbers.length === 1 ? [1, ...numbers] : numbers
}

function widened(window: Window): Window {
  if (window.kernel.length !== 1) return window
  const { kernel, strides, dilations, reach, begin, end, output } = window
  return {
    kernel: [1, ...kernel],
    strides: [1, ...strides],
    dilations: [1, ...dilations],
    reach: [1, ...reach],
    begin: [0, ...begin],
    end: [0, ...end],
    output: [1, ...output],
  }
}

function outputShape(x: DeviceTensor, channels: number, space: readonly number[]): number[] {
  return [x.shape[0], channels, ...space]
}

function channelsLast(tf: TensorFlow, x: DeviceTensor): DeviceTensor {
  return tf.transpose(x, [0, ...range(x.rank - 2, 2), 1])
}

function channelsFirst(tf: TensorFlow, y: DeviceTensor): DeviceTensor {
  return tf.transpose(y, [0, y.rank - 1, ...range(y.rank - 2, 1)])
}

function withBias(call: Call, y: DeviceTensor): DeviceTensor {
  if (!call.has(2)) return y
  const bias = call.float(2)
  return call.tf.add(y, call.tf.reshape(bias, [bias.size, ...range(y.rank - 2).map(() => 1)]))
}

function joined(tf: TensorFlow, parts: readonly DeviceTensor[], axis: number): DeviceTensor {
  const [first] = parts as [DeviceTensor]
  return parts.length === 1 ? first : tf.concat([...parts], axis < 0 ? axis + first.rank : axis)
}

// With padding where windows reach beyond the input; elements that no window sees may stay.
function padded(tf: TensorFlow, images: DeviceTensor, { begin, end }: Window): DeviceTensor {
  if ([...begin, ...end].every((count) => count === 0)) return images
  return tf.pad(images, [[0, 0], ...begin.map((count, axis): Pair => [count, at(end, axis)]), [0, 0]])
}

/** @param images [N,H,W,C]; @param w [O,I,h,w] */
function convolve2d(call: Call, images: DeviceTensor, w: DeviceTensor, window: Window, groups: number): DeviceTensor {
  const { tf } = call
  const { strides, dilations } = window
  const isDense = dilations.every((step) => step === 1)
  // With both, or with strides that differ, TensorFlow.js convolves at every place.
  const strided = (isDense || strides.every((step) => step === 1)) && (groups === 1 || strides[0] === strides[1])
  const steps = (strided ? strides : [1, 1]) as Pair
  const x = padded(tf, images, window)
  const channels = images.shape[3] as number
  const everywhere =
    groups > 1 && groups === channels
      ? depthwise(tf, x as Tensor4D, w, dilations, steps)
      : inGroups(tf, x, w, groups, (part, filters) => {
          const last = tf.transpose(filters, [2, 3, 1, 0])
          return tf.conv2d(part as Tensor4D, last as Tensor4D, steps, 'valid', 'NHWC', dilations as Pair)
        })
  return strided ? everywhere : taken(tf, everywhere, strides, window.output)
}

// TensorFlow has no dilated depthwise convolution on processors: the filter gets the zeros.
function depthwise(
  tf: TensorFlow,
  x: Tensor4D,
  w: DeviceTensor,
  dilations: readonly number[],
  steps: Pair,
): DeviceTensor {
  const wide = spread(tf, w, 2, dilations)
  const channels = x.shape[3]
  const [height, width] = wide.shape.slice(2) as Pair
  const grouped = tf.reshape(wide, [channels, -1, height, width])
  return tf.depthwiseConv2d(x, tf.transpose(grouped, [2, 3, 0, 1]) as Tensor4D, steps, 'valid')
}

function inGroups(
  tf: TensorFlow,
  x: DeviceTensor,
  w: DeviceTensor,
  groups: number,
  convolve: (part: DeviceTensor, filters: DeviceTensor) => DeviceTensor,
): DeviceTensor {
  if (groups === 1) return convolve(x, w)
  const filters = tf.split(w, groups, 0)
  const parts = tf.split(x, groups, x.rank - 1)
  return joined(
    tf,
    parts.map((part, group) => convolve(part, filters[group] as DeviceTensor)),
    -1,
  )
}

/** @param images [N,D,H,W,C]; @param w [O,I,d,h,w] */
function convolve3d(call: Call, images: DeviceTensor, w: DeviceTensor, window: Window, groups: number): DeviceTensor {
  const { tf } = call
  const x = padded(tf, images, window)
  return inGroups(tf, x, spread(tf, w, 2, window.dilations), groups, (part, filters) =>
    tf.conv3d(part as Tensor5D, tf.transpose(filters, [2, 3, 4, 1, 0]) as Tensor5D, window.strides as Triple, 'valid'),
  )
}

// Every stride-th place.
function taken(tf: TensorFlow, y: DeviceTensor, strides: readonly number[], output: readonly number[]): DeviceTensor {
  const all = (axis: number): Places => ({ start: 0, step: 1, count: y.shape.at(axis) as number })
  const space = output.map((count, axis): Places => ({ start: 0, step: at(strides, axis), count }))
  return takePlaces(tf, y, [all(0), ...space, all(-1)])
}

/** Zeros between the elements: a dilated filter as a plain one. @param first spatial axis */
function spread(tf: TensorFlow, w: DeviceTensor, first: number, dilations: readonly number[]): DeviceTensor {
  return dilations.reduce((filter, dilation, i) => {
    if (dilation === 1) return filter
    const axis = first + i
    const { shape, rank } = filter
    const around = range(rank + 1).map((place): Pair => [0, place === axis + 1 ? dilation - 1 : 0])
    const wide = shape.with(axis, at(shape, axis) * dilation)
    const zeros = tf.reshape(tf.pad(tf.expandDims(filter, axis + 1), around), wide)
    return tf.slice(
      zeros,
      shape.map(() => 0),
      wide.with(axis, at(wide, axis) - dilation + 1),
    )
  }, w)
}

interface TransposedPlace {
  strides: readonly number[]
  dilations: readonly number[]
  /** Spatial dims of all that the windows reach. */
  whole: readonly number[]
  /** Of that, where the result begins and its dims. */
  begin: readonly number[]
  output: readonly number[]
}

// https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
function transposedPlace({ node }: Call, kernel: readonly number[], input: readonly number[]): TransposedPlace {
  const ints = (name: string, fallback: number): readonly number[] => {
    const found = attribute(node, name, 'ints', [])
    return found.length > 0 ? found : [...kernel, ...kernel].map(() => fallback)
  }
  const [strides, dilations] = [ints('strides', 1), ints('dilations', 1)]
  const [pads, extra] = [ints('pads', 0), ints('output_padding', 0)]
  const shape = attribute(node, 'output_shape', 'ints', [])
  const way = attribute(node, 'auto_pad', 'string', 'NOTSET') || 'NOTSET'
  const whole = kernel.map((size, i) => (at(input, i) - 1) * at(strides, i) + (size - 1) * at(dilations, i) + 1)
  const sides = whole.map((length, i) => {
    const wanted = shape.at(i - kernel.length) ?? (way.startsWith('SAME') ? at(input, i) * at(strides, i) : undefined)
    if (wanted === undefined) {
      const [front, behind] = way === 'VALID' ? [0, 0] : [at(pads, i), at(pads, i + kernel.length)]
      return { begin: front, output: length + at(extra, i) - front - behind }
    }
    const total = Math.max(0, length + at(extra, i) - wanted)
    return { begin: way === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2), output: wanted }
  })
  return {
    ...{ strides: strides.slice(0, kernel.length), dilations: dilations.slice(0, kernel.length), whole },
    begin: sides.map(({ begin }) => begin),
    output: sides.map(({ output }) => output),
  }
}

/** @param images [N,...,C]; @param w [C,O,...] */
function convolveBack(tf: TensorFlow, images: DeviceTensor, w: DeviceTensor, strides: readonly number[]): DeviceTensor {
  const [batch, ...input] = images.shape.slice(0, -1) as [number, ...number[]]
  const [channels, ...kernel] = w.shape.slice(1) as [number, ...number[]]
  // The wasm backend (4.22) has wrong numbers in three dimensions, and takes long in two: for those of a step of
  // ResNet-20 (batch 64) 203 ms against 102 by convolving the input with zeros between its elements.
  if (kernel.length === 3 || tf.getBackend() === 'wasm') {
    const around = kernel.map((size): Pair => [size - 1, size - 1])
    const wide = tf.pad(spread(tf, images, 1, strides), [[0, 0], ...around, [0, 0]])
    const space = range(kernel.length, 2)
    const turned = tf.transpose(tf.reverse(w, space), [...space, 0, 1])
    return kernel.length === 3
      ? tf.conv3d(wide as Tensor5D, turned as Tensor5D, 1, 'valid')
      : tf.conv2d(wide as Tensor4D, turned as Tensor4D, 1, 'valid')
  }
  const shape = [batch, ...input.map((size, i) => (size - 1) * at(strides, i) + at(kernel, i)), channels]
  return tf.conv2dTranspose(
    images as Tensor4D,
    tf.transpose(w, [2, 3, 1, 0]) as Tensor4D,
    shape as Tensor4D['shape'],
    strides as Pair,
    'valid',
  )
}

// [N,C,...] from `begin` on; zeros where it is longer than what is there.
function cropped(tf: TensorFlow, y: DeviceTensor, begin: readonly number[], output: readonly number[]): DeviceTensor {
  const behind = output.map((size, i) => Math.max(0, at(begin, i) + size - at(y.shape, i + 2)))
  const whole = behind.some((count) => count > 0)
    ? tf.pad(y, [[0, 0], [0, 0], ...behind.map((count): Pair => [0, count])])
    : y
  const [batch, channels] = y.shape as Pair
  return tf.slice(whole, [0, 0, ...begin], [batch, channels, ...output])
}
