// TensorProto -> Tensor: the seven places where an ONNX file may keep a tensor's values. Graphs are read-model.ts.
import { TtqError } from '../errors/ttq-error.js'
import { viewOf } from '../tensor/bytes.js'
import { byteLength, DATA_TYPES, dataTypeOfOnnx, type DataType } from '../tensor/data-type.js'
import { deferredTensor } from '../tensor/deferred-tensor.js'
import { elementCount, type Tensor, type TensorData } from '../tensor/tensor.js'
import { type TensorProto, toBigInt, toNumber } from './proto.js'

/**
 * Gives `length` bytes from `offset` of a file that stands beside the model; `location` is a relative path with forward
 * slashes. May throw when there is no such file.
 */
export type ExternalData = (location: string, offset: number, length: number) => Uint8Array

const EXTERNAL = 1

export interface TensorSource {
  externalData: ExternalData | undefined
  /** Raw bytes may be moved within their buffer to be aligned. */
  overwrite?: boolean
  /** External data are read whenever the values are asked for. */
  deferred?: boolean
  /** Told once of each tensor how many bytes it has there. */
  onExternalBytes?: ((bytes: number) => void) | undefined
}

/**
 * Reads a tensor. Raw and external bytes are not copied unless they are not aligned for their type (assumes a
 * little-endian machine, as all that ONNX Runtime supports are).
 * @param where how messages call it: `model.onnx: tensor "w"`
 * @throws TtqError `model` when type, dims and data do not fit together, or external data is missing
 * @internal
 */
export function readTensor(
  proto: TensorProto,
  where: string,
  { externalData, overwrite = false, deferred = false, onExternalBytes }: TensorSource,
): Tensor {
  const type = dataTypeOfOnnx(proto.dataType)
  if (type === undefined) throw new TtqError('model', `${where}: data type ${proto.dataType}, expected 1 to 26`)
  const dims = proto.dims.map(toNumber)
  const count = elementCount(dims)
  if (dims.some((dim) => dim < 0) || !Number.isSafeInteger(count)) {
    throw new TtqError(
      'model',
      `${where}: shape [${dims.join(',')}], expected dimensions of 0 or more that can be addressed`,
    )
  }
  if (type === 'string' || (proto.dataLocation as number) !== EXTERNAL)
    return { type, dims, data: readData(proto, type, dims, where, overwrite) }
  const place = externalPlace(proto, byteLength(type, count), where)
  onExternalBytes?.(place.length)
  const read = (): TensorData => {
    const bytes = readExternal(place, where, externalData)
    checkFound(where, { type, dims }, ['bytes in the external file', bytes.length, place.length])
    return viewOf(type, bytes)
  }
  if (!deferred || count === 0) return { type, dims, data: read() }
  // Whether they are there is found out at once.
  readExternal({ ...place, offset: place.offset + place.length - 1, length: 1 }, where, externalData)
  return deferredTensor(type, dims, read)
}

function readData(
  proto: TensorProto,
  type: DataType,
  dims: readonly number[],
  where: string,
  overwrite: boolean,
): TensorData {
  const count = elementCount(dims)
  const check = (unit: string, found: number, expected: number): void => {
    checkFound(where, { type, dims }, [unit, found, expected])
  }
  if (type === 'string') {
    check('strings', proto.stringData.length, count)
    return proto.stringData.map((bytes) => new TextDecoder().decode(bytes))
  }
  const field = FIELDS[type]
  if (proto.rawData.length > 0 || proto[field].length === 0) {
    check('bytes', proto.rawData.length, byteLength(type, count))
    return viewOf(type, overwrite ? aligned(proto.rawData) : proto.rawData)
  }
  check('values', proto[field].length, valueCount(type, count))
  return fromField(proto, type)
}

function checkFound(
  where: string,
  { type, dims }: Pick<Tensor, 'type' | 'dims'>,
  [unit, found, expected]: readonly [unit: string, found: number, expected: number],
): void {
  if (found === expected) return
  const message = `${where}: ${found} ${unit}, expected ${expected} for ${type} of shape [${dims.join(',')}]`
  throw new TtqError('model', message, { facts: { found, expected } })
}

/** Raw bytes move down to a multiple of this, which is enough for types of up to 4 bytes. */
const ALIGNMENT = 4
/** Raw bytes that are as many have a tag of 1 byte and a length of at least 3 in front of them. */
const MOVABLE_BYTES = 2 ** 14

// Down over the bytes' own tag and length, which have been read and which nothing else refers to.
function aligned(bytes: Uint8Array): Uint8Array {
  const start = bytes.byteOffset - (bytes.byteOffset % ALIGNMENT)
  if (bytes.length < MOVABLE_BYTES || start === bytes.byteOffset) return bytes
  const target = new Uint8Array(bytes.buffer, start, bytes.length)
  target.set(bytes)
  return target
}

type Field = 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data'

// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, comments of TensorProto's *_data fields.
const FIELDS: Record<Exclude<DataType, 'string'>, Field> = {
  float32: 'floatData',
  complex64: 'floatData',
  int32: 'int32Data',
  int16: 'int32Data',
  int8: 'int32Data',
  uint16: 'int32Data',
  uint8: 'int32Data',
  bool: 'int32Data',
  float16: 'int32Data',
  bfloat16: 'int32Data',
  float8e4m3fn: 'int32Data',
  float8e4m3fnuz: 'int32Data',
  float8e5m2: 'int32Data',
  float8e5m2fnuz: 'int32Data',
  float8e8m0: 'int32Data',
  uint4: 'int32Data',
  int4: 'int32Data',
  float4e2m1: 'int32Data',
  uint2: 'int32Data',
  int2: 'int32Data',
  int64: 'int64Data',
  uint32: 'uint64Data',
  uint64: 'uint64Data',
  float64: 'doubleData',
  complex128: 'doubleData',
}

// Complex numbers take two values each; elements under a byte come packed into bytes, one byte per int32.
function valueCount(type: DataType, count: number): number {
  if (type === 'complex64' || type === 'complex128') return 2 * count
  return DATA_TYPES[type].bits < 8 ? byteLength(type, count) : count
}

function fromField(proto: TensorProto, type: Exclude<DataType, 'string'>): TensorData {
  switch (type) {
    case 'float32':
      return Float32Array.from(proto.floatData)
    case 'float64':
      return Float64Array.from(proto.doubleData)
    case 'complex64':
      return new Uint8Array(Float32Array.from(proto.floatData).buffer)
    case 'complex128':
      return new Uint8Array(Float64Array.from(proto.doubleData).buffer)
    case 'int64':
      return BigInt64Array.from(proto.int64Data, toBigInt)
    case 'uint64':
      return BigUint64Array.from(proto.uint64Data, toBigInt)
    case 'uint32':
      return Uint32Array.from(proto.uint64Data, toNumber)
    case 'int32':
      return Int32Array.from(proto.int32Data)
    case 'int16':
      return Int16Array.from(proto.int32Data)
    case 'int8':
      return Int8Array.from(proto.int32Data)
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return Uint16Array.from(proto.int32Data)
    default:
      return Uint8Array.from(proto.int32Data)
  }
}

// Decimal digits, as the format has them; Number() takes more.
function wholeNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : NaN
}

interface ExternalPlace {
  location: string
  offset: number
  length: number
}

// The location comes from the file and must not lead out of the model's folder
// (https://onnx.ai/onnx/repo-docs/ExternalData.html).
function externalPlace(proto: TensorProto, expected: number, where: string): ExternalPlace {
  const entries = new Map(proto.externalData.map((entry) => [entry.key ?? '', entry.value ?? '']))
  const location = entries.get('location') ?? ''
  if (location === '' || /^[/\\]|^[a-z]:|(^|[/\\])\.\.([/\\]|$)/i.test(location)) {
    throw new TtqError(
      'model',
      `${where}: its data is in the external file "${location}", expected a path inside the model's folder`,
    )
  }
  const offset = wholeNumber(entries.get('offset') ?? '0')
  const length = wholeNumber(entries.get('length') ?? String(expected))
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== expected) {
    const found = `${entries.get('length') ?? 'all'} bytes from ${entries.get('offset') ?? 0}`
    throw new TtqError('model', `${where}: ${found} of external file "${location}", expected ${expected} bytes`)
  }
  return { location, offset, length }
}

function readExternal(
  { location, offset, length }: ExternalPlace,
  where: string,
  externalData: ExternalData | undefined,
): Uint8Array {
  const hint = `Put "${location}" beside the model.`
  const lacking = `${where}: its data is in the external file "${location}", which`
  if (externalData === undefined) throw new TtqError('model', `${lacking} was not given`, { hint })
  try {
    return externalData(location, offset, length)
  } catch (cause) {
    if (cause instanceof TtqError && cause.code === 'usage') throw cause
    const known = cause instanceof TtqError ? cause.hint : undefined
    const { code, message } = cause as Error & { code?: string }
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR'
    if (known !== undefined || isMissing)
      throw new TtqError('model', `${lacking} cannot be read`, { hint: known ?? hint, cause })
    throw new TtqError('model', `${lacking} cannot be read: ${message}`, { cause })
  }
}
