// The element types of ONNX tensors: their number in TensorProto.DataType, their size and the array that holds them.

interface DataTypeInfo {
  /** TensorProto.DataType, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
  readonly onnx: number
  /** Bits per element in raw_data; 0 for strings. */
  readonly bits: number
}

/**
 * Types without a typed array of their own (float16, bfloat16, the float8 family, 4- and 2-bit integers, complex
 * numbers) keep their little-endian raw_data bytes in a Uint8Array, except float16 and bfloat16, whose bit patterns
 * stand in a Uint16Array.
 */
export const DATA_TYPES = {
  float32: { onnx: 1, bits: 32 },
  uint8: { onnx: 2, bits: 8 },
  int8: { onnx: 3, bits: 8 },
  uint16: { onnx: 4, bits: 16 },
  int16: { onnx: 5, bits: 16 },
  int32: { onnx: 6, bits: 32 },
  int64: { onnx: 7, bits: 64 },
  string: { onnx: 8, bits: 0 },
  bool: { onnx: 9, bits: 8 },
  float16: { onnx: 10, bits: 16 },
  float64: { onnx: 11, bits: 64 },
  uint32: { onnx: 12, bits: 32 },
  uint64: { onnx: 13, bits: 64 },
  complex64: { onnx: 14, bits: 64 },
  complex128: { onnx: 15, bits: 128 },
  bfloat16: { onnx: 16, bits: 16 },
  float8e4m3fn: { onnx: 17, bits: 8 },
  float8e4m3fnuz: { onnx: 18, bits: 8 },
  float8e5m2: { onnx: 19, bits: 8 },
  float8e5m2fnuz: { onnx: 20, bits: 8 },
  uint4: { onnx: 21, bits: 4 },
  int4: { onnx: 22, bits: 4 },
  float4e2m1: { onnx: 23, bits: 4 },
  float8e8m0: { onnx: 24, bits: 8 },
  uint2: { onnx: 25, bits: 2 },
  int2: { onnx: 26, bits: 2 },
} as const satisfies Record<string, DataTypeInfo>

export type DataType = keyof typeof DATA_TYPES

/** The floating-point types that weights come in, and whose values this program reads. */
export const FLOAT_TYPES = ['float32', 'float16', 'float64'] as const satisfies readonly DataType[]

export type FloatType = (typeof FLOAT_TYPES)[number]

export function isFloatType(type: string): type is FloatType {
  return (FLOAT_TYPES as readonly string[]).includes(type)
}

const BY_ONNX_NUMBER = new Map<number, DataType>(
  Object.entries(DATA_TYPES).map(([name, info]) => [info.onnx, name as DataType]),
)

/** The type with this TensorProto.DataType number, or undefined when this version of ttq does not know it. */
export function dataTypeOfOnnx(number: number): DataType | undefined {
  return BY_ONNX_NUMBER.get(number)
}

/** Bytes that `count` elements of `type` take in raw_data; elements under 8 bits are packed. Not for strings. */
export function byteLength(type: DataType, count: number): number {
  return Math.ceil((DATA_TYPES[type].bits * count) / 8)
}
