// Typed arrays as bytes and back, without copying.
import type { DataType } from './data-type.js'
import type { TensorData } from './tensor.js'

/** The bytes of a typed array, in the same memory. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** For reading and writing numbers in the same memory. */
export function dataViewOf({ buffer, byteOffset, byteLength }: ArrayBufferView): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/**
 * The values of little-endian raw bytes as the array that holds them (see TensorData), without copying where they are
 * aligned.
 */
export function viewOf(type: Exclude<DataType, 'string'>, bytes: Uint8Array): TensorData {
  const View: ViewClass = VIEWS[type] ?? Uint8Array
  const source = bytes.byteOffset % View.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes)
  return new View(source.buffer, source.byteOffset, source.byteLength / View.BYTES_PER_ELEMENT)
}

interface ViewClass {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, offset: number, length: number): TensorData
}

const VIEWS: Partial<Record<DataType, ViewClass>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
}

/** One after the other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    result.set(piece, at)
    at += piece.length
  }
  return result
}
