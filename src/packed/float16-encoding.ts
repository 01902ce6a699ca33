// Float values <-> 2 bytes each (encoding float16), and the rounding that makes it lossless.
import { dataViewOf } from '../tensor/bytes.js'
import { checkTensor } from '../tensor/check-tensor.js'
import { float16ToNumber, numberToFloat16 } from '../tensor/float-values.js'
import { elementCount, type Tensor, type TensorData } from '../tensor/tensor.js'
import type { Decoding } from './decoding.js'
import type { Encoding } from './encoding.js'
import { NONCONFORMING, packedError } from './packed-error.js'

/** The element types that can be stored as float16; float16 itself is `raw`. */
export const FLOAT16_TYPES = ['float32', 'float64'] as const

export type Float16Type = (typeof FLOAT16_TYPES)[number]

export function isFloat16Type(type: string): type is Float16Type {
  return (FLOAT16_TYPES as readonly string[]).includes(type)
}

export const float16Decoding: Decoding<{ encoding: 'float16' }> = {
  id: 2,
  name: 'float16',
  types: FLOAT16_TYPES,
  parameterBytes: 0,
  checkParameters: () => {},
  byteLength: ({ dims }) => 2 * elementCount(dims),
  // Values are checked as they are written.
  decode: ({ type, dims }, bytes, where) => ({
    tensor: { type, dims, data: decodeFloat16(bytes, type as Float16Type, where) },
    form: { encoding: 'float16' },
  }),
}

export const float16Encoding: Encoding<{ encoding: 'float16' }> = {
  decoding: float16Decoding,
  bits: 16,
  isArray: true,
  poolWidth: () => 2,
  writeParameters: () => new Uint8Array(),
  check: () => {},
  encode: ({ data }, _form, where) => encodeFloat16(data as Float32Array, where),
}

/**
 * The tensor with every value rounded to the nearest float16, ties to even; undefined where one is not finite or rounds
 * beyond 65504.
 */
export function roundToFloat16<T extends Float16Type>(tensor: Tensor<T>): Tensor<T> | undefined {
  checkTensor('tensor', tensor, FLOAT16_TYPES)
  const values = (tensor.data as Float32Array).map((value) => float16ToNumber(numberToFloat16(value)))
  return values.every(Number.isFinite) ? { ...tensor, data: values as TensorData as TensorData<T> } : undefined
}

function encodeFloat16(values: ArrayLike<number>, where: string): Uint8Array {
  const target = new Uint8Array(2 * values.length)
  const view = dataViewOf(target)
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
  return target
}

// Infinities and NaN are never written.
function decodeFloat16(bytes: Uint8Array, type: Float16Type, where: string): TensorData<Float16Type> {
  const view = dataViewOf(bytes)
  const values = new (type === 'float32' ? Float32Array : Float64Array)(bytes.length / 2)
  for (let i = 0; i < values.length; i++) {
    const bits = view.getUint16(2 * i, true)
    if ((bits & 0x7c00) === 0x7c00)
      throw packedError(where, `${float16ToNumber(bits)} at index ${i}`, 'a finite float16', NONCONFORMING)
    values[i] = float16ToNumber(bits)
  }
  return values
}
