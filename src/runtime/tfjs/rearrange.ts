// Operators that only move elements: with TensorFlow.js, of any type.
import type { TensorData } from '../../tensor/tensor.js'
import type { Call } from './call.js'
import type { DeviceTensor } from './tensorflow.js'
import type { Value } from './value.js'

/**
 * Moves the elements of a value. What is in plain arrays stays there: the places of its elements are moved in its
 * stead, and tell where each element goes, whatever its type.
 * @param move what is done to the tensor; each element of its results is one of the tensor's
 */
export function rearrange(call: Call, value: Value, move: (tensor: DeviceTensor) => DeviceTensor): Value {
  return rearrangeAll(call, [value], ([tensor]) => [move(tensor as DeviceTensor)])[0] as Value
}

/** The same with several values, all of one type, and any number of results. */
export function rearrangeAll(
  call: Call,
  values: readonly Value[],
  move: (tensors: DeviceTensor[]) => DeviceTensor[],
): Value[] {
  const { tf } = call
  const { type } = values[0] as Value
  if (values.some(({ isFloat, isOnDevice }) => isFloat || isOnDevice))
    return move(values.map((value) => value.toDevice(tf))).map((tensor) => call.result(tensor, type))
  const elements = joined(values.map((value) => value.toHost()))
  let first = 0
  const places = values.map((value) => {
    const { length } = value.toHost()
    const all = Int32Array.from({ length }, (_, i) => first + i)
    first += length
    return tf.tensor(all, [...value.dims], 'int32')
  })
  return move(places).map((tensor) => {
    const data = pick(elements, tensor.dataSync() as Int32Array)
    return call.host({ type, dims: tensor.shape, data })
  })
}

/** Elements of an array at some places, in an array of its kind. */
export function pick(elements: TensorData, places: Int32Array): TensorData {
  if (Array.isArray(elements)) return Array.from(places, (place) => elements[place] as string)
  const Elements = elements.constructor as new (length: number) => Float32Array
  const picked = new Elements(places.length)
  for (let i = 0; i < places.length; i++) picked[i] = (elements as Float32Array)[places[i] as number] as number
  return picked
}

function joined(arrays: readonly TensorData[]): TensorData {
  const [first, ...more] = arrays
  if (more.length === 0) return first as TensorData
  if (Array.isArray(first)) return (arrays as string[][]).flat()
  const Elements = (first as Float32Array).constructor as new (length: number) => Float32Array
  const all = new Elements(arrays.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const array of arrays as readonly Float32Array[]) {
    all.set(array, end)
    end += array.length
  }
  return all
}
