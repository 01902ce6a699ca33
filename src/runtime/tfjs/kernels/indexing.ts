// Kernels that take and put elements by their indices, and that make values from nothing else.
import { attribute } from '../../../onnx/attributes.js'
import { isFloatType } from '../../../tensor/data-type.js'
import { elementCount, float32, int64, type Tensor, type TensorData } from '../../../tensor/tensor.js'
import { axisOf, type Call, type KernelTable, range } from '../call.js'
import { rearrange } from '../rearrange.js'
import { integerArray, type Value } from '../value.js'

export const KERNELS: KernelTable = {
  Gather: (call) => {
    const { tf } = call
    const { dims } = call.value(0)
    const axis = axisOf(call, attribute(call.node, 'axis', 'int', 0), dims.length)
    const indices = tf.tensor1d(placesOf(call, 1, dims[axis] as number), 'int32')
    const shape = [...dims.slice(0, axis), ...call.value(1).dims, ...dims.slice(axis + 1)]
    return rearrange(call, call.value(0), (x) => tf.reshape(tf.gather(x, indices, axis), shape))
  },
  GatherElements: (call) => taken(call, elementPlaces(call), call.value(1).dims),
  GatherND: (call) => {
    const { places, size, rest } = blockPlaces(call, attribute(call.node, 'batch_dims', 'int', 0))
    const all = Int32Array.from({ length: places.length * size }, (_, i) => {
      return (places[Math.floor(i / size)] as number) * size + (i % size)
    })
    return taken(call, all, [...call.value(1).dims.slice(0, -1), ...rest])
  },
  Compress: (call) => {
    const { tf, node } = call
    const { dims } = call.value(0)
    const axis = attribute(node, 'axis', 'int', undefined)
    const kept = (call.numbers(1) ?? []).flatMap((keep, place) => (keep === 0 ? [] : [place]))
    const indices = tf.tensor1d(kept, 'int32')
    return rearrange(call, call.value(0), (x) =>
      axis === undefined
        ? tf.gather(tf.reshape(x, [-1]), indices)
        : tf.gather(x, indices, axisOf(call, axis, dims.length)),
    )
  },
  ReverseSequence: (call) => {
    const { dims } = call.value(0)
    const time = attribute(call.node, 'time_axis', 'int', 0)
    const batch = attribute(call.node, 'batch_axis', 'int', 1)
    const lengths = call.numbers(1) ?? []
    const step = (axis: number): number => elementCount(dims.slice(axis + 1))
    const places = Int32Array.from({ length: elementCount(dims) }, (_, place) => {
      const at = Math.floor(place / step(time)) % (dims[time] as number)
      const length = lengths[Math.floor(place / step(batch)) % (dims[batch] as number)] as number
      return at < length ? place + (length - 1 - 2 * at) * step(time) : place
    })
    return taken(call, places, dims)
  },

  // In plain arrays, in the order of the updates: what comes to one place twice has one result then.
  ScatterElements: (call) => {
    const data = copyOf(call)
    put(call, data, elementPlaces(call), 1)
    return call.host({ ...call.value(0).toTensor(), data })
  },
  ScatterND: (call) => {
    const data = copyOf(call)
    const { places, size } = blockPlaces(call, 0)
    put(call, data, places, size)
    return call.host({ ...call.value(0).toTensor(), data })
  },

  NonZero: (call) => {
    const { dims } = call.value(0)
    const found = (call.numbers(0) ?? []).flatMap((number, place) => (number === 0 ? [] : [place]))
    const indices = dims.flatMap((size, axis) => {
      const step = elementCount(dims.slice(axis + 1))
      return found.map((place) => Math.floor(place / step) % size)
    })
    return call.host(int64(indices, [dims.length, found.length]))
  },
  OneHot: (call) => {
    const { tf, node } = call
    const [depth = 0] = call.numbers(1) ?? []
    const { dims } = call.value(0)
    const axis = axisOf(call, attribute(node, 'axis', 'int', -1), dims.length + 1)
    const places = (call.numbers(0) ?? []).map((index) => (index < 0 ? index + depth : index))
    const inner = elementCount(dims.slice(axis))
    const [off, on] = [0, 1]
    const which = Int32Array.from({ length: places.length * depth }, (_, i) => {
      const [outer, at, behind] = [Math.floor(i / (depth * inner)), Math.floor(i / inner) % depth, i % inner]
      return places[outer * inner + behind] === at ? on : off
    })
    const shape = [...dims.slice(0, axis), depth, ...dims.slice(axis)]
    return rearrange(call, call.value(2), (x) => tf.reshape(tf.gather(x, tf.tensor1d(which, 'int32')), shape))
  },
  ConstantOfShape: (call) => {
    const value: Tensor = attribute(call.node, 'value', 'tensor', float32([1], [0]))
    const dims = call.numbers(0) ?? []
    const Elements = (value.data as Float32Array).constructor as Float32ArrayConstructor
    return call.host({ ...value, dims, data: new Elements(elementCount(dims)).fill(value.data[0] as number) })
  },
  Range: (call) => {
    const { type } = call.value(0)
    const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((index) => call.numbers(index)?.[0])
    const values = range(Math.max(0, Math.ceil((limit - start) / delta))).map((i) => start + i * delta)
    const data = isFloatType(type) ? Float32Array.from(values) : integerArray(type, values.map(BigInt))
    return call.host({ type, dims: [values.length], data })
  },
  EyeLike: (call) => {
    const [rows, columns] = call.value(0).dims as [number, number]
    if (attribute(call.node, 'dtype', 'int', 1) !== 1) call.refuse('it gives another type, expected float32')
    const k = attribute(call.node, 'k', 'int', 0)
    const data = Float32Array.from({ length: rows * columns }, (_, i) => {
      return Number((i % columns) - Math.floor(i / columns) === k)
    })
    return call.host(float32([rows, columns], data))
  },
  Trilu: (call) => {
    const { tf, node } = call
    const x = call.float(0)
    const [rows, columns] = x.shape.slice(-2) as [number, number]
    const [k = 0] = call.numbers(1) ?? []
    const upper = attribute(node, 'upper', 'int', 1) === 1
    const mask = Uint8Array.from({ length: rows * columns }, (_, i) => {
      const beyond = (i % columns) - Math.floor(i / columns) - k
      return Number(upper ? beyond >= 0 : beyond <= 0)
    })
    const kept = tf.broadcastTo(tf.tensor(mask, [rows, columns], 'bool'), x.shape)
    return call.result(tf.where(kept, x, tf.zerosLike(x)))
  },
}

// Indices from the front.
function placesOf(call: Call, index: number, size: number): Int32Array {
  return (call.tensor(index).dataSync() as Int32Array).map((place) => (place < 0 ? place + size : place))
}

// Elements of the whole value, wherever it lies.
function taken(call: Call, places: Int32Array, dims: readonly number[]): Value {
  const { tf } = call
  return rearrange(call, call.value(0), (x) =>
    tf.reshape(tf.gather(tf.reshape(x, [-1]), tf.tensor1d(places, 'int32')), [...dims]),
  )
}

// Where in the whole value an element-wise index along one axis points to.
function elementPlaces(call: Call): Int32Array {
  const { dims } = call.value(0)
  const wide = call.value(1).dims
  const axis = axisOf(call, attribute(call.node, 'axis', 'int', 0), dims.length)
  const along = placesOf(call, 1, dims[axis] as number)
  if (dims.length === 1) return along
  return along.map((index, i) => {
    let [rest, place, step] = [i, 0, 1]
    for (let a = dims.length - 1; a >= 0; a--) {
      const size = wide[a] as number
      place += (a === axis ? index : rest % size) * step
      rest = Math.floor(rest / size)
      step *= dims[a] as number
    }
    return place
  })
}

/** Blocks that tuples of indices point to, counted in blocks of `size` elements. */
function blockPlaces(call: Call, batchDims: number): { places: number[]; size: number; rest: number[] } {
  const { dims } = call.value(0)
  const tuples = call.value(1).dims
  const length = tuples.at(-1) as number
  const indexed = dims.slice(batchDims, batchDims + length)
  const rest = dims.slice(batchDims + length)
  const numbers = call.numbers(1) ?? []
  const perBatch = elementCount(tuples.slice(batchDims, -1))
  const places = range(elementCount(tuples.slice(0, -1))).map((tuple) =>
    indexed.reduce(
      (place, size, axis) => {
        const index = numbers[tuple * length + axis] as number
        return place * size + (index < 0 ? index + size : index)
      },
      Math.floor(tuple / perBatch),
    ),
  )
  return { places, size: elementCount(rest), rest }
}

type Numbers = Float32Array & { slice(): Float32Array }

function copyOf(call: Call): TensorData {
  const value = call.value(0)
  if (value.type === 'float16' || value.type === 'string')
    call.refuse(`it puts ${value.type} into a value, expected float32 or integers`)
  return (value.toHost() as Numbers).slice()
}

function put(call: Call, data: TensorData, places: ArrayLike<number>, size: number): void {
  const [target, updates] = [data as Float32Array, call.value(2).toHost() as Float32Array]
  const reduction = attribute(call.node, 'reduction', 'string', 'none')
  const join = JOINS[reduction] ?? call.refuse(`found reduction ${reduction}`)
  for (let block = 0; block < places.length; block++) {
    const start = (places[block] as number) * size
    for (let i = 0; i < size; i++)
      target[start + i] = join(target[start + i] as number, updates[block * size + i] as number)
  }
}

/** As they stand, they are those of int64, too. */
const JOINS: Readonly<Record<string, (a: number, b: number) => number>> = {
  none: (_, b) => b,
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  max: (a, b) => (a > b ? a : b),
  min: (a, b) => (a < b ? a : b),
}
