// Kernels of pools. x is [N,C,...].
import type { Tensor4D } from '@tensorflow/tfjs'
import { attribute } from '../../../onnx/attributes.js'
import { elementCount } from '../../../tensor/tensor.js'
import { type Call, type KernelTable, range } from '../call.js'
import { takePlaces } from '../take-places.js'
import type { DeviceTensor, TensorFlow } from '../tensorflow.js'
import type { Value } from '../value.js'
import { at, offsets, type Window, windowOf } from '../window.js'

export const KERNELS: KernelTable = {
  MaxPool: {
    except: 'storage_order 1',
    limit: (node) =>
      attribute(node, 'storage_order', 'int', 0) === 0 ? undefined : 'column-major indices (storage_order 1)',
    run: (call) => {
      const x = call.float(0)
      const window = poolWindow(call, x)
      return call.node.outputs.length < 2 ? call.result(largest(call, x, window)) : largestWithIndices(call, window)
    },
  },

  AveragePool: (call) => {
    const { tf } = call
    const x = call.float(0)
    const window = poolWindow(call, x)
    const sum = summed(call, x, window)
    const counts = countsOf(window, x.shape.slice(2), attribute(call.node, 'count_include_pad', 'int', 0) === 1)
    return call.result(tf.div(sum, tf.broadcastTo(tf.tensor(counts, [1, 1, ...window.output]), sum.shape)))
  },

  // (sum |x|^p)^(1/p)
  LpPool: (call) => {
    const { tf } = call
    const x = call.float(0)
    const p = attribute(call.node, 'p', 'int', 2)
    const sum = summed(call, tf.pow(tf.abs(x), p), poolWindow(call, x))
    return call.result(tf.pow(sum, 1 / p))
  },

  GlobalAveragePool: (call) => call.result(call.tf.mean(call.float(0), spaceOf(call.float(0)), true)),
  GlobalMaxPool: (call) => call.result(call.tf.max(call.float(0), spaceOf(call.float(0)), true)),
  GlobalLpPool: (call) => {
    const { tf } = call
    const x = call.float(0)
    const p = attribute(call.node, 'p', 'int', 2)
    return call.result(tf.pow(tf.sum(tf.pow(tf.abs(x), p), spaceOf(x), true), 1 / p))
  },
}

function spaceOf(x: DeviceTensor): number[] {
  return range(x.rank - 2, 2)
}

function poolWindow(call: Call, x: DeviceTensor): Window {
  return windowOf(call, attribute(call.node, 'kernel_shape', 'ints', []), x.shape.slice(2))
}

function largest(call: Call, x: DeviceTensor, window: Window): DeviceTensor {
  const { tf } = call
  const [kernel, strides] = [window.kernel, window.strides] as [Pair, Pair]
  const whole = padded(call, x, window, -Infinity)
  if (isPlane(x, window)) return inPlanes(tf, whole, (images) => tf.maxPool(images, kernel, strides, 'valid'))
  const [first, ...others] = shifted(tf, whole, window) as [DeviceTensor, ...DeviceTensor[]]
  return others.reduce((a, b) => tf.maximum(a, b), first)
}

function summed(call: Call, x: DeviceTensor, window: Window): DeviceTensor {
  const { tf } = call
  const [kernel, strides] = [window.kernel, window.strides] as [Pair, Pair]
  const whole = padded(call, x, window, 0)
  if (!isPlane(x, window)) return shifted(tf, whole, window).reduce((a, b) => tf.add(a, b))
  const means = inPlanes(tf, whole, (images) => tf.avgPool(images, kernel, strides, 'valid'))
  return tf.mul(means, elementCount(kernel))
}

type Pair = [number, number]

// What TensorFlow.js has pools for.
function isPlane(x: DeviceTensor, { dilations }: Window): boolean {
  return x.rank === 4 && dilations.every((step) => step === 1)
}

function inPlanes(tf: TensorFlow, x: DeviceTensor, pool: (images: Tensor4D) => Tensor4D): DeviceTensor {
  return tf.transpose(pool(tf.transpose(x as Tensor4D, [0, 2, 3, 1])), [0, 3, 1, 2])
}

// As far as windows reach.
function padded({ tf }: Call, x: DeviceTensor, window: Window, padding: number): DeviceTensor {
  const { strides, reach, begin, output } = window
  const covered = output.map((count, axis) => (count - 1) * at(strides, axis) + at(reach, axis))
  const behind = covered.map((length, axis) => Math.max(0, length - at(x.shape, axis + 2) - at(begin, axis)))
  if ([...begin, ...behind].every((count) => count === 0)) return tf.clone(x)
  return tf.pad(x, [[0, 0], [0, 0], ...begin.map((count, axis): Pair => [count, at(behind, axis)])], padding)
}

// What each place of the kernel sees, all windows at once.
function shifted(tf: TensorFlow, whole: DeviceTensor, window: Window): DeviceTensor[] {
  const { kernel, strides, dilations, output } = window
  return offsets(kernel).map((offset) => {
    const space = offset.map((place, axis) => ({
      start: place * at(dilations, axis),
      step: at(strides, axis),
      count: at(output, axis),
    }))
    return takePlaces(tf, whole, [...whole.shape.slice(0, 2).map((count) => ({ start: 0, step: 1, count })), ...space])
  })
}

// In a plain loop: TensorFlow.js has indices of other tensors than ONNX Runtime, which counts through all images and
// channels, and slices of every place of the kernel take ten times as long.
function largestWithIndices(call: Call, window: Window): Value[] {
  const { tf } = call
  const { dims } = call.value(0)
  const data = call.float(0).dataSync() as Float32Array
  const size = elementCount(dims.slice(2))
  const places = placesOf(window, dims.slice(2))
  const windows = elementCount(window.output)
  const count = elementCount(dims.slice(0, 2)) * windows
  const [best, indices] = [new Float32Array(count).fill(-Infinity), new Int32Array(count)]
  for (let i = 0; i < count; i++) {
    const image = Math.floor(i / windows) * size
    for (const place of places) {
      const within = place[i % windows] as number
      const value = data[image + within] as number
      if (within < 0 || value <= (best[i] as number)) continue
      best[i] = value
      indices[i] = image + within
    }
  }
  const shape = [...dims.slice(0, 2), ...window.output]
  return [call.result(tf.tensor(best, shape)), call.result(tf.tensor(indices, shape, 'int32'), 'int64')]
}

// Per place of the kernel, the element of the image that each window has there; -1 outside.
function placesOf({ kernel, strides, dilations, begin, output }: Window, space: readonly number[]): Int32Array[] {
  const windows = offsets(output)
  return offsets(kernel).map((offset) =>
    Int32Array.from(windows, (window) =>
      window.reduce((place, o, axis) => {
        const element = o * at(strides, axis) - at(begin, axis) + at(offset, axis) * at(dilations, axis)
        return place < 0 || element < 0 || element >= at(space, axis) ? -1 : place * at(space, axis) + element
      }, 0),
    ),
  )
}

// Elements of each window that are inside, or with the padding that was asked for.
function countsOf(window: Window, space: readonly number[], withPadding: boolean): Float32Array {
  const { kernel, strides, dilations, begin, end, output } = window
  const perAxis = output.map((count, axis) =>
    range(count).map((o) => {
      const start = o * at(strides, axis) - at(begin, axis)
      const [from, to] = withPadding ? [-at(begin, axis), at(space, axis) + at(end, axis)] : [0, at(space, axis)]
      return range(at(kernel, axis)).filter((k) => {
        const place = start + k * at(dilations, axis)
        return place >= from && place < to
      }).length
    }),
  )
  return Float32Array.from(
    perAxis.reduce((products, counts) => products.flatMap((product) => counts.map((count) => product * count)), [1]),
  )
}
