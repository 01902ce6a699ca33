// Ternary codes and scales <-> the float values an initializer holds. Bits are ternary-codec.ts.
import { FLOAT_TYPES } from '../tensor/data-type.js'
import type { Tensor, TensorData } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'

/** The element types that a ternary initializer may have. */
export const TERNARY_TYPES = FLOAT_TYPES

export type TernaryType = (typeof TERNARY_TYPES)[number]

/** Whether an initializer of this type can be stored as ternary2. */
export function isTernaryType(type: string): type is TernaryType {
  return (TERNARY_TYPES as readonly string[]).includes(type)
}

/** Whether a number may be wp or wn: positive, finite, exactly a float32. */
export function isScale(value: number): boolean {
  return value > 0 && value < Infinity && Math.fround(value) === value
}

/**
 * The stored values of codes -1, 0, 1 in this order: -wn, +0, +wp as elements of `type`.
 * undefined when wp or wn is no exact value of that type (float16 only).
 */
export function ternaryLevels(
  type: TernaryType,
  { wp, wn }: Omit<TernaryWeights, 'codes'>,
): TensorData<TernaryType> | undefined {
  if (type === 'float32') return Float32Array.of(-wn, 0, wp)
  if (type === 'float64') return Float64Array.of(-wn, 0, wp)
  const positive = float16Bits(wp)
  const negative = float16Bits(wn)
  return positive === undefined || negative === undefined ? undefined : Uint16Array.of(negative | 0x8000, 0, positive)
}

/** The tensor's data that codes and levels stand for. */
export function valuesOf(codes: Int8Array, levels: TensorData<TernaryType>): TensorData<TernaryType> {
  const values = new (levels.constructor as new (length: number) => TensorData<TernaryType>)(codes.length)
  for (let i = 0; i < codes.length; i++) values[i] = levels[(codes[i] as number) + 1] as number
  return values
}

/** The first index at which `data` is not bit for bit what code and levels stand for, or -1. */
export function firstDifference(data: Tensor['data'], codes: Int8Array, levels: TensorData<TernaryType>): number {
  for (let i = 0; i < codes.length; i++) if (!Object.is(data[i], levels[(codes[i] as number) + 1])) return i
  return -1
}

// The IEEE 754 binary16 pattern of a positive float32, where it is exact.
function float16Bits(value: number): number | undefined {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] as number
  const exponent = (bits >>> 23) - 127
  const mantissa = bits & 0x7fffff
  if (exponent >= -14)
    return exponent <= 15 && (mantissa & 0x1fff) === 0 ? ((exponent + 15) << 10) | (mantissa >>> 13) : undefined
  const subnormal = value * 2 ** 24
  return Number.isInteger(subnormal) ? subnormal : undefined
}
