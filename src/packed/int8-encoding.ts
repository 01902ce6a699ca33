// Weights <-> one signed byte each and one scale per channel (encoding int8), and the rounding that makes it lossless.
//
// Symmetric: value = code x scale, codes -127 to 127, so that 0 is 0 and the sign of a weight costs nothing. -128 is
// never written and refused.
import { checkCount, checkKind, checkObject, checkWhole } from '../errors/check-argument.js'
import { bytesOf, dataViewOf } from '../tensor/bytes.js'
import { checkDims, checkTensor, checkType } from '../tensor/check-tensor.js'
import { FLOAT_TYPES, type FloatType } from '../tensor/data-type.js'
import { float16ToNumber, numberToFloat16, roundTo } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { Decoding } from './decoding.js'
import type { Encoding } from './encoding.js'
import { NONCONFORMING, packedError } from './packed-error.js'
import type { Int8Weights } from './stored-form.js'

const LARGEST_CODE = 127

/** Scales are float32; below this there is none. */
const SMALLEST_SCALE = 2 ** -149

export const int8Decoding: Decoding<{ encoding: 'int8' } & Int8Weights> = {
  id: 3,
  name: 'int8',
  types: FLOAT_TYPES,
  parameterBytes: 1,
  checkParameters: ([axis], dims, place) => {
    if ((axis as number) >= dims.length)
      throw packedError(place, `axis ${axis}`, `less than its rank ${dims.length}`, NONCONFORMING)
  },
  byteLength: ({ dims, parameters: [axis] }) => 4 * (dims[axis as number] as number) + elementCount(dims),
  decode: ({ type, dims, parameters: [axis] }, bytes, where) => {
    const weights = decodeInt8(bytes, type as FloatType, dims, axis as number, where)
    return { tensor: decodedTensor(type as FloatType, dims, weights), form: { encoding: 'int8', ...weights } }
  },
}

export const int8Encoding: Encoding<{ encoding: 'int8' } & Int8Weights> = {
  decoding: int8Decoding,
  bits: 8,
  isArray: true,
  poolWidth: () => 1,
  writeParameters: ({ axis }) => Uint8Array.of(axis),
  check: (tensor, form, where) => {
    checkInt8(tensor as Tensor<FloatType>, form, where)
  },
  encode: (_tensor, form) => encodeInt8(form),
}

// Whether a number may be a scale for this element type.
function isInt8Scale(value: number, type: FloatType): boolean {
  return value > 0 && Number.isFinite(roundTo(type, LARGEST_CODE * value))
}

/**
 * The nearest codes where the largest magnitude of each channel gets 127; undefined where a value is not finite, or too
 * large for its type after rounding.
 * @param axis the one that counts channels, below the rank
 */
export function quantizeInt8(tensor: Tensor<FloatType>, axis: number): Int8Weights | undefined {
  checkTensor('tensor', tensor, FLOAT_TYPES)
  const { type, dims, data } = tensor
  checkWhole('axis', axis, dims.length)
  const values = type === 'float16' ? Float32Array.from(data, float16ToNumber) : data
  const largest = new Float64Array(dims[axis] as number)
  forEachChannel(dims, axis, (channel, start, end) => {
    for (let i = start; i < end; i++)
      largest[channel] = Math.max(largest[channel] as number, Math.abs(values[i] as number))
  })
  const scales = Float32Array.from(largest, (value) =>
    value === 0 ? 1 : Math.max(value / LARGEST_CODE, SMALLEST_SCALE),
  )
  if (!scales.every((scale) => isInt8Scale(scale, type))) return undefined
  const codes = new Int8Array(values.length)
  forEachChannel(dims, axis, (channel, start, end) => {
    const scale = scales[channel] as number
    // Only a rounded-down scale gives more than 127.
    for (let i = start; i < end; i++)
      codes[i] = Math.max(-LARGEST_CODE, Math.min(LARGEST_CODE, Math.round((values[i] as number) / scale)))
  })
  return { codes, scales, axis }
}

/**
 * The tensor that codes and scales stand for. A product of 8 and 24 bits is exact in a double, so that there is one
 * rounding.
 */
export function int8Tensor(type: FloatType, dims: readonly number[], weights: Int8Weights): Tensor<FloatType> {
  checkType('type', type, FLOAT_TYPES)
  checkDims('dims', dims)
  checkObject('weights', weights, 'an object with codes, scales and axis')
  checkKind('weights.codes', weights.codes, 'Int8Array')
  checkKind('weights.scales', weights.scales, 'Float32Array')
  checkWhole('weights.axis', weights.axis, dims.length)
  checkCount('weights.codes', weights.codes.length, elementCount(dims))
  checkCount('weights.scales', weights.scales.length, dims[weights.axis] as number)
  return decodedTensor(type, dims, weights)
}

function decodedTensor(
  type: FloatType,
  dims: readonly number[],
  { codes, scales, axis }: Int8Weights,
): Tensor<FloatType> {
  const data = new (type === 'float32' ? Float32Array : type === 'float64' ? Float64Array : Uint16Array)(codes.length)
  const element = type === 'float16' ? numberToFloat16 : (value: number): number => value
  forEachChannel(dims, axis, (channel, start, end) => {
    const scale = scales[channel] as number
    for (let i = start; i < end; i++) data[i] = element((codes[i] as number) * scale)
  })
  return { type, dims, data }
}

// Scales, then codes.
function encodeInt8({ codes, scales }: Int8Weights): Uint8Array {
  const target = new Uint8Array(4 * scales.length + codes.length)
  const view = dataViewOf(target)
  scales.forEach((scale, channel) => {
    view.setFloat32(4 * channel, scale, true)
  })
  target.set(bytesOf(codes), 4 * scales.length)
  return target
}

// -128 is unused, and a scale is positive and not too large for the element type.
function decodeInt8(
  bytes: Uint8Array,
  type: FloatType,
  dims: readonly number[],
  axis: number,
  where: string,
): Int8Weights {
  const view = dataViewOf(bytes)
  const scales = Float32Array.from({ length: dims[axis] as number }, (_, channel) => view.getFloat32(4 * channel, true))
  const codes = new Int8Array(
    new Int8Array(bytes.buffer, bytes.byteOffset + 4 * scales.length, bytes.length - 4 * scales.length),
  )
  const bad = badScale(scales, type)
  if (bad >= 0) throw packedError(where, `scale ${scales[bad]} of channel ${bad}`, scaleExpected(type), NONCONFORMING)
  const unused = codes.indexOf(-128)
  if (unused >= 0) throw packedError(where, `the unused code -128 at index ${unused}`, '-127 to 127', NONCONFORMING)
  return { codes, scales, axis }
}

// Counts, axis, codes and scales fit the tensor, and it holds their values bit for bit.
function checkInt8({ type, dims, data }: Tensor<FloatType>, weights: Int8Weights, where: string): void {
  const { codes, scales, axis } = weights
  if (!(axis in dims))
    throw packedError(where, `axis ${axis}`, `one of its ${dims.length} axes`, 'Name the axis of the output channels.')
  if (codes.length !== data.length || scales.length !== dims[axis]) {
    const expected = `${data.length} and ${dims[axis]} for shape [${dims.join(',')}] and axis ${axis}`
    throw packedError(
      where,
      `${codes.length} codes and ${scales.length} scales`,
      expected,
      'Give codes and values of the same tensor.',
    )
  }
  const bad = badScale(scales, type)
  if (bad >= 0)
    throw packedError(
      where,
      `scale ${scales[bad]} of channel ${bad}`,
      scaleExpected(type),
      'Quantize the tensor with quantizeInt8.',
    )
  const unused = codes.indexOf(-128)
  if (unused >= 0)
    throw packedError(where, `code -128 at index ${unused}`, '-127 to 127', 'Quantize the tensor with quantizeInt8.')
  const values = decodedTensor(type, dims, weights).data
  const different = values.findIndex((value, i) => !Object.is(value, data[i]))
  if (different < 0) return
  const expected = `${values[different]}, the value of code ${codes[different]}`
  throw packedError(
    where,
    `value ${Object.is(data[different], -0) ? '-0' : data[different]} at index ${different}`,
    expected,
    'Store the decoded values in the model.',
  )
}

function badScale(scales: Float32Array, type: FloatType): number {
  return scales.findIndex((scale) => !isInt8Scale(scale, type))
}

function scaleExpected(type: FloatType): string {
  return `a positive number, 127 times it finite in ${type}`
}

// Runs of elements that share an index along `axis`, in the order of the elements.
function forEachChannel(
  dims: readonly number[],
  axis: number,
  visit: (channel: number, start: number, end: number) => void,
): void {
  const channels = dims[axis] as number
  const inner = elementCount(dims.slice(axis + 1))
  const runs = elementCount(dims.slice(0, axis + 1))
  if (inner === 0) return
  for (let run = 0; run < runs; run++) visit(run % channels, run * inner, (run + 1) * inner)
}
