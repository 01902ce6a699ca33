// A dense tensor as plain data: element type, dimensions, values in row-major order.
import type { DataType } from './data-type.js'

interface ArrayOf {
  float32: Float32Array
  float64: Float64Array
  float16: Uint16Array
  bfloat16: Uint16Array
  int8: Int8Array
  uint8: Uint8Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  uint32: Uint32Array
  int64: BigInt64Array
  uint64: BigUint64Array
  bool: Uint8Array
  string: readonly string[]
}

/** The array that holds values of element type T; see DATA_TYPES for those kept as raw bytes. */
export type TensorData<T extends DataType = DataType> = T extends keyof ArrayOf ? ArrayOf[T] : Uint8Array

export interface Tensor<T extends DataType = DataType> {
  readonly type: T
  readonly dims: readonly number[]
  readonly data: TensorData<T>
}

/** Number of elements of a tensor with these dimensions; 1 for a scalar (no dimensions). */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

/** A float32 tensor; numbers are copied, a Float32Array is taken as it is. */
export function float32(dims: readonly number[], values: Float32Array | readonly number[]): Tensor<'float32'> {
  const data = values instanceof Float32Array ? values : Float32Array.from(values)
  checkCount(dims, data.length)
  return { type: 'float32', dims, data }
}

/** An int64 tensor, as ONNX wants shapes and axes; one-dimensional unless `dims` is given. */
export function int64(values: readonly number[], dims: readonly number[] = [values.length]): Tensor<'int64'> {
  checkCount(dims, values.length)
  return { type: 'int64', dims, data: BigInt64Array.from(values, BigInt) }
}

/** Narrows a tensor to one element type. */
export function isType<T extends DataType>(tensor: Tensor, type: T): tensor is Tensor<T> {
  return tensor.type === type
}

function checkCount(dims: readonly number[], count: number): void {
  if (elementCount(dims) !== count)
    throw new Error(`internal: ${count} values for a tensor of shape [${dims.join(',')}]`)
}
