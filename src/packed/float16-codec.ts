// Float values <-> 2 bytes each (encoding float16), and the rounding that makes it lossless.
import { float16ToNumber, numberToFloat16 } from '../tensor/float-values.js'
import type { Tensor, TensorData } from '../tensor/tensor.js'
import { NONCONFORMING, packedError } from './packed-error.js'

/** The element types that can be stored as float16; float16 itself is `raw`. */
export const FLOAT16_TYPES = ['float32', 'float64'] as const

export type Float16Type = (typeof FLOAT16_TYPES)[number]

export function isFloat16Type(type: string): type is Float16Type {
  return (FLOAT16_TYPES as readonly string[]).includes(type)
}

/** Bytes that `count` values take. */
export function float16ByteLength(count: number): number {
  return 2 * count
}

/**
 * The tensor with every value rounded to the nearest float16, ties to even; undefined where one is not finite or rounds
 * beyond 65504.
 */
export function roundToFloat16<T extends Float16Type>(tensor: Tensor<T>): Tensor<T> | undefined {
  const values = (tensor.data as Float32Array).map((value) => float16ToNumber(numberToFloat16(value)))
  return values.every(Number.isFinite) ? { ...tensor, data: values as TensorData as TensorData<T> } : undefined
}

/**
 * Writes values into `target`, float16ByteLength(values.length) bytes from its start.
 * @throws TtqError `packed` when float16 does not hold a value exactly, or a value is not finite
 */
export function encodeFloat16(values: ArrayLike<number>, target: Uint8Array, where = 'float16 values'): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength)
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    const bits = numberToFloat16(value)
    if (!Number.isFinite(value) || !Object.is(float16ToNumber(bits), value)) {
      throw packedError(
        where,
        `value ${value} at index ${i}`,
        'one that float16 holds exactly',
        'Round the tensor with roundToFloat16, or leave it as it is.',
      )
    }
    view.setUint16(2 * i, bits, true)
  }
}

/**
 * Reads values; law: decodeFloat16 of what encodeFloat16 wrote is the values, bit for bit.
 * @param bytes float16ByteLength(count) bytes
 * @throws TtqError `packed` for infinities and NaN, which are never written
 */
export function decodeFloat16(bytes: Uint8Array, type: Float16Type, where = 'float16 values'): TensorData<Float16Type> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new (type === 'float32' ? Float32Array : Float64Array)(bytes.length / 2)
  for (let i = 0; i < values.length; i++) {
    const bits = view.getUint16(2 * i, true)
    if ((bits & 0x7c00) === 0x7c00)
      throw packedError(where, `${float16ToNumber(bits)} at index ${i}`, 'a finite float16', NONCONFORMING)
    values[i] = float16ToNumber(bits)
  }
  return values
}
