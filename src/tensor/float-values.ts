// Tensors of the floating-point types that networks are stored in, as float32 numbers and back.
import type { FloatType } from './data-type.js'
import type { Tensor } from './tensor.js'

/** The values of a float tensor as float32, the array itself where it is one. float16 is exact, float64 is rounded. */
export function float32Values({ type, data }: Tensor<FloatType>): Float32Array {
  switch (type) {
    case 'float32':
      return data as Float32Array
    case 'float64':
      return Float32Array.from(data)
    case 'float16':
      return Float32Array.from(data as Uint16Array, float16ToNumber)
  }
}

/** The same without rounding: float64 stays what it is. */
export function numbersOf({ type, dims, data }: Tensor<FloatType>): Float32Array | Float64Array {
  return type === 'float64' ? (data as Float64Array) : float32Values({ type, dims, data })
}

/** A float tensor of `type` with these values, rounded to nearest. */
export function floatTensor(type: FloatType, dims: readonly number[], values: Float32Array): Tensor<FloatType> {
  switch (type) {
    case 'float32':
      return { type, dims, data: values }
    case 'float64':
      return { type, dims, data: Float64Array.from(values) }
    case 'float16':
      return { type, dims, data: Uint16Array.from(values, numberToFloat16) }
  }
}

/** The nearest value that `type` holds. */
export function roundTo(type: FloatType, value: number): number {
  switch (type) {
    case 'float64':
      return value
    case 'float32':
      return Math.fround(value)
    case 'float16':
      return float16ToNumber(numberToFloat16(value))
  }
}

/** The number that the bit pattern of an IEEE 754 binary16 stands for. */
export function float16ToNumber(bits: number): number {
  values ??= Float32Array.from({ length: 65536 }, (_, each) => decoded(each))
  return values[bits] as number
}

// All of them: networks have millions of weights, and looking a number up takes a tenth of the time that computing it
// does.
let values: Float32Array | undefined

function decoded(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The IEEE 754 binary16 bit pattern nearest to a number, ties to even. */
export function numberToFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  if (magnitude >= 65520) return sign | 0x7c00
  DOUBLE[0] = magnitude
  const exponent = Math.max(-14, ((WORDS[1] as number) >>> 20) - 1023)
  // A product with a power of two is exact, and a double of 2^52 and more has no places behind the point: the sum is
  // the only rounding.
  const steps = magnitude * (PER_STEP[exponent + 14] as number) + 2 ** 52 - 2 ** 52
  return sign | (((exponent + 14) << 10) + steps)
}

/** A double and its two words, the higher one last (little-endian, as all that Node and ONNX Runtime support are). */
const DOUBLE = new Float64Array(1)
const WORDS = new Uint32Array(DOUBLE.buffer)

/** Steps per unit of the float16 with the exponents -14 to 15. */
const PER_STEP = Float64Array.from({ length: 30 }, (_, i) => 2 ** (24 - i))
