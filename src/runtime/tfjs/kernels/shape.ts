// Kernels of shapes, and of what only moves elements.
import { attribute } from '../../../onnx/attributes.js'
import { elementCount, int64 } from '../../../tensor/tensor.js'
import { axisOf, type Call, type KernelTable, range } from '../call.js'
import { broadcastDims } from '../integers.js'
import { rearrange, rearrangeAll } from '../rearrange.js'
import type { DeviceTensor } from '../tensorflow.js'
import { type Places, takePlaces } from '../take-places.js'
import { integersOf, type Value } from '../value.js'

export const KERNELS: KernelTable = {
  Shape: (call) => {
    const { dims } = call.value(0)
    const { start, end } = {
      start: attribute(call.node, 'start', 'int', 0),
      end: attribute(call.node, 'end', 'int', dims.length),
    }
    return call.host(int64(dims.slice(start, end)))
  },
  Size: (call) => call.host(int64([elementCount(call.value(0).dims)], [])),

  Reshape: (call) => reshaped(call, reshapeDims(call)),
  Flatten: (call) => {
    const { dims } = call.value(0)
    const axis = attribute(call.node, 'axis', 'int', 1)
    const first = axis < 0 ? axis + dims.length : axis
    return reshaped(call, [elementCount(dims.slice(0, first)), elementCount(dims.slice(first))])
  },
  Squeeze: (call) => {
    const { dims } = call.value(0)
    const axes = call.numbers(1)?.map((axis) => axisOf(call, axis, dims.length))
    return reshaped(
      call,
      dims.filter((dim, axis) => (axes === undefined ? dim !== 1 : !axes.includes(axis))),
    )
  },
  Unsqueeze: (call) => {
    const { dims } = call.value(0)
    const given = call.numbers(1) ?? []
    const rank = dims.length + given.length
    const axes = given.map((axis) => axisOf(call, axis, rank))
    const rest = [...dims]
    return reshaped(
      call,
      range(rank).map((axis) => (axes.includes(axis) ? 1 : (rest.shift() as number))),
    )
  },

  Transpose: (call) => {
    const { dims } = call.value(0)
    const order = attribute(call.node, 'perm', 'ints', range(dims.length).reverse())
    return rearrange(call, call.value(0), (x) => call.tf.transpose(x, [...order]))
  },
  Expand: (call) => {
    const target = { dims: call.numbers(1) ?? [] }
    const dims = broadcastDims(call, [call.value(0), target])
    return rearrange(call, call.value(0), (x) => call.tf.broadcastTo(x, dims))
  },
  Tile: (call) => {
    const repeats = call.numbers(1) ?? []
    return rearrange(call, call.value(0), (x) => call.tf.tile(x, repeats))
  },
  Concat: (call) => {
    const values = call.values()
    const axis = axisOf(call, attribute(call.node, 'axis', 'int', 0), call.value(0).dims.length)
    const parts = values.filter(({ dims }) => elementCount(dims) > 0)
    if (parts.length < 2) return (parts[0] ?? call.value(0)).copy(call.tf)
    return rearrangeAll(call, parts, (tensors) => [call.tf.concat(tensors, axis)])[0] as Value
  },
  Split: (call) => {
    const { dims } = call.value(0)
    const axis = axisOf(call, attribute(call.node, 'axis', 'int', 0), dims.length)
    const length = dims[axis] as number
    const count = attribute(call.node, 'num_outputs', 'int', call.node.outputs.length)
    const each = Math.ceil(length / count)
    const sizes = call.numbers(1) ?? range(count).map((i) => Math.min(each, length - i * each))
    return rearrangeAll(call, [call.value(0)], ([x]) => call.tf.split(x as DeviceTensor, sizes, axis))
  },

  Slice: (call) => {
    const places = slicePlaces(call)
    const dims = places.map(({ count }) => count)
    if (elementCount(dims) === 0) return call.empty(dims)
    return rearrange(call, call.value(0), (x) => takePlaces(call.tf, x, places))
  },

  DepthToSpace: (call) => {
    const { tf, node } = call
    const [batch, channels, height, width] = call.value(0).dims as [number, number, number, number]
    const block = attribute(node, 'blocksize', 'int', 1)
    const left = channels / block ** 2
    const isColumns = attribute(node, 'mode', 'string', 'DCR') === 'CRD'
    const apart = isColumns ? [batch, left, block, block, height, width] : [batch, block, block, left, height, width]
    return rearrange(call, call.value(0), (x) => {
      const turned = tf.transpose(tf.reshape(x, apart), isColumns ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
      return tf.reshape(turned, [batch, left, height * block, width * block])
    })
  },
  SpaceToDepth: (call) => {
    const { tf, node } = call
    const [batch, channels, height, width] = call.value(0).dims as [number, number, number, number]
    const block = attribute(node, 'blocksize', 'int', 1)
    const [rows, columns] = [height / block, width / block]
    return rearrange(call, call.value(0), (x) => {
      const apart = tf.reshape(x, [batch, channels, rows, block, columns, block])
      return tf.reshape(tf.transpose(apart, [0, 3, 5, 1, 2, 4]), [batch, channels * block ** 2, rows, columns])
    })
  },

  Pad: (call) => padded(call),
}

function reshaped(call: Call, dims: readonly number[]): Value {
  const value = call.value(0)
  if (elementCount(dims) !== elementCount(value.dims))
    call.refuse(`found dims [${value.dims.join()}] and [${dims.join()}], expected as many elements`)
  return value.copy(call.tf, dims)
}

// 0 is the input's dimension, -1 whatever is left.
function reshapeDims(call: Call): number[] {
  const { dims } = call.value(0)
  const keepsZeros = attribute(call.node, 'allowzero', 'int', 0) === 1
  const asked = (call.numbers(1) ?? []).map((dim, axis) => (dim === 0 && !keepsZeros ? (dims[axis] as number) : dim))
  const known = asked.reduce((product, dim) => (dim === -1 ? product : product * dim), 1)
  return asked.map((dim) => (dim === -1 ? elementCount(dims) / known : dim))
}

function slicePlaces(call: Call): Places[] {
  const { dims } = call.value(0)
  const [starts = [], ends = [], axes = range(starts.length)] = [1, 2, 3].map((i) => call.numbers(i))
  const steps = call.numbers(4) ?? starts.map(() => 1)
  const places = dims.map((count): Places => ({ start: 0, step: 1, count }))
  axes.forEach((given, i) => {
    const axis = axisOf(call, given, dims.length)
    const size = dims[axis] as number
    const step = steps[i] as number
    const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1]
    const clamp = (place: number): number => Math.min(highest, Math.max(lowest, place < 0 ? place + size : place))
    const [start, end] = [clamp(starts[i] as number), clamp(ends[i] as number)]
    places[axis] = { start, step, count: Math.max(0, Math.ceil((end - start) / step)) }
  })
  return places
}

// The whole value is moved by places, whatever the mode; constant padding takes the place behind the last.
function padded(call: Call): Value {
  const { tf, node } = call
  const value = call.value(0)
  const { dims } = value
  const pads = call.numbers(1) ?? []
  const axes = (call.numbers(3) ?? range(dims.length)).map((axis) => axisOf(call, axis, dims.length))
  const sides = dims.map((_, axis): [number, number] => {
    const place = axes.indexOf(axis)
    return place < 0 ? [0, 0] : [pads[place] as number, pads[place + axes.length] as number]
  })
  const mode = attribute(node, 'mode', 'string', 'constant')
  if (mode === 'constant') {
    if (!value.isFloat && value.type !== 'bool' && integersOf(value.toTensor()).length > 0 && call.has(2))
      call.refuse(`it pads ${value.type} with a given value, expected floats`)
    const [fill = 0] = call.numbers(2) ?? []
    const x = value.toDevice(tf)
    const kept = tf.slice(
      x,
      sides.map(([before]) => Math.max(0, -before)),
      dims.map((dim, axis) => dim + Math.min(0, sides[axis]?.[0] as number) + Math.min(0, sides[axis]?.[1] as number)),
    )
    const added = sides.map(([before, behind]): [number, number] => [Math.max(0, before), Math.max(0, behind)])
    return call.result(kept.rank === 0 ? tf.clone(kept) : tf.pad(kept, added, fill))
  }
  return rearrange(call, value, (x) =>
    dims.reduce((moved, size, axis) => {
      const [before, behind] = sides[axis] as [number, number]
      if (before === 0 && behind === 0) return moved
      const places = Int32Array.from({ length: size + before + behind }, (_, i) => source(i - before, size, mode, call))
      return tf.gather(moved, tf.tensor1d(places, 'int32'), axis)
    }, tf.clone(x)),
  )
}

// Which element stands at a place beyond the ends.
function source(place: number, size: number, mode: string, call: Call): number {
  switch (mode) {
    case 'edge':
      return Math.min(size - 1, Math.max(0, place))
    case 'wrap':
      return ((place % size) + size) % size
    case 'reflect': {
      const period = Math.max(1, 2 * size - 2)
      const within = ((place % period) + period) % period
      return within < size ? within : period - within
    }
    default:
      return call.refuse(`found mode ${mode}, expected constant, edge, reflect or wrap`)
  }
}
