// Kernels of pools: window by window of the kernel's places, one slice of x [N,C,...] for each.
import { attribute } from '../../../onnx/attributes.js'
import { elementCount } from '../../../tensor/tensor.js'
import { type Call, type KernelTable, range } from '../call.js'
import { takePlaces } from '../take-places.js'
import type { DeviceTensor } from '../tensorflow.js'
import { at, offsets, type Window, windowOf } from '../window.js'

export const KERNELS: KernelTable = {
  MaxPool: {
    except: 'storage_order 1',
    limit: (node) =>
      attribute(node, 'storage_order', 'int', 0) === 0 ? undefined : 'column-major indices (storage_order 1)',
    run: (call) => {
      const { tf } = call
      const x = call.float(0)
      const window = poolWindow(call, x)
      const slices = shifted(call, x, window, -Infinity)
      const [first, ...others] = slices as [DeviceTensor, ...DeviceTensor[]]
      if (call.node.outputs.length < 2) return call.result(others.reduce((a, b) => tf.maximum(a, b), tf.clone(first)))
      const [start, ...places] = placesOf(window, x.shape.slice(2)).map((place) =>
        tf.tensor(place, [1, 1, ...window.output], 'int32'),
      ) as [DeviceTensor, ...DeviceTensor[]]
      let [best, index] = [first, tf.broadcastTo(start, first.shape)]
      others.forEach((slice, i) => {
        const isBetter = tf.greater(slice, best)
        best = tf.maximum(slice, best)
        index = tf.where(isBetter, tf.broadcastTo(places[i] as DeviceTensor, first.shape), index)
      })
      // ONNX Runtime counts through all images and channels.
      const images = elementCount(x.shape.slice(0, 2))
      const size = elementCount(x.shape.slice(2))
      const image = tf.tensor(
        Int32Array.from({ length: images }, (_, i) => i * size),
        [...x.shape.slice(0, 2), ...window.output.map(() => 1)],
        'int32',
      )
      return [call.result(tf.clone(best)), call.result(tf.add(index, image), 'int64')]
    },
  },

  AveragePool: (call) => {
    const { tf } = call
    const x = call.float(0)
    const window = poolWindow(call, x)
    const sum = shifted(call, x, window, 0).reduce((a, b) => tf.add(a, b))
    const counts = countsOf(window, x.shape.slice(2), attribute(call.node, 'count_include_pad', 'int', 0) === 1)
    return call.result(tf.div(sum, tf.broadcastTo(tf.tensor(counts, [1, 1, ...window.output]), sum.shape)))
  },

  // (sum |x|^p)^(1/p)
  LpPool: (call) => {
    const { tf } = call
    const x = call.float(0)
    const p = attribute(call.node, 'p', 'int', 2)
    const sum = shifted(call, tf.pow(tf.abs(x), p), poolWindow(call, x), 0).reduce((a, b) => tf.add(a, b))
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

function poolWindow({ node }: Call, x: DeviceTensor): Window {
  return windowOf(node, attribute(node, 'kernel_shape', 'ints', []), x.shape.slice(2))
}

// What each place of the kernel sees, all windows at once.
function shifted({ tf }: Call, x: DeviceTensor, window: Window, padding: number): DeviceTensor[] {
  const { kernel, strides, dilations, reach, begin, output } = window
  const [batch, channels, ...size] = x.shape as [number, number, ...number[]]
  const covered = output.map((count, axis) => (count - 1) * at(strides, axis) + at(reach, axis))
  const behind = covered.map((length, axis) => Math.max(0, length - at(size, axis) - at(begin, axis)))
  const whole = [...begin, ...behind].every((count) => count === 0)
    ? x
    : tf.pad(x, [[0, 0], [0, 0], ...begin.map((count, axis): [number, number] => [count, at(behind, axis)])], padding)
  return offsets(kernel).map((offset) => {
    const space = offset.map((place, axis) => ({
      start: place * at(dilations, axis),
      step: at(strides, axis),
      count: at(output, axis),
    }))
    return takePlaces(tf, whole, [...[batch, channels].map((count) => ({ start: 0, step: 1, count })), ...space])
  })
}

// Per place of the kernel, the element of the image that each window has there; what lies outside is never a maximum.
function placesOf({ kernel, strides, dilations, begin, output }: Window, space: readonly number[]): Int32Array[] {
  const windows = offsets(output)
  return offsets(kernel).map((offset) =>
    Int32Array.from(windows, (window) =>
      window.reduce((place, o, axis) => {
        const element = o * at(strides, axis) - at(begin, axis) + at(offset, axis) * at(dilations, axis)
        return place * at(space, axis) + element
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
