// The safetensors format: bytes in, tensors out. No files here. https://github.com/huggingface/safetensors#format
import { entriesOf } from './json-keys.js'
import { TtqError } from '../errors/ttq-error.js'
import { printable } from '../errors/printable.js'
import { dataViewOf, viewOf } from '../tensor/bytes.js'
import { byteLength, type DataType } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'

/** The format's own bound. */
const MOST_HEADER_BYTES = 100_000_000

const TYPES: ReadonlyMap<unknown, Exclude<DataType, 'string'>> = new Map([
  ['BOOL', 'bool'],
  ['I8', 'int8'],
  ['I16', 'int16'],
  ['I32', 'int32'],
  ['I64', 'int64'],
  ['U8', 'uint8'],
  ['U16', 'uint16'],
  ['U32', 'uint32'],
  ['U64', 'uint64'],
  ['F16', 'float16'],
  ['F32', 'float32'],
  ['F64', 'float64'],
])

/**
 * The tensors by their names.
 * @param file how error messages name the source
 * @throws TtqError `data`
 */
export function parseSafetensors(bytes: Uint8Array, file: string): Map<string, Tensor> {
  if (bytes.length < 8) throw damaged(file, `${bytes.length} bytes, expected at least 8`)
  const length = Number(dataViewOf(bytes).getBigUint64(0, true))
  const dataAt = 8 + length
  if (length > MOST_HEADER_BYTES || dataAt > bytes.length)
    throw damaged(file, `a header of ${length} bytes in ${bytes.length}, expected one that fits`)
  const data = bytes.subarray(dataAt)
  const tensors = new Map<string, Tensor>()
  for (const [name, entry] of headerOf(bytes.subarray(8, dataAt), file))
    if (name !== '__metadata__') tensors.set(name, tensorOf(entry, data, `${file}: "${printable(name)}"`))
  return tensors
}

function headerOf(bytes: Uint8Array, file: string): [name: string, entry: unknown][] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const header: unknown = JSON.parse(text)
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return entriesOf(text, header)
  } catch {
    // Said below.
  }
  throw damaged(file, 'a header that is no JSON object, expected the names of the tensors')
}

function tensorOf(entry: unknown, data: Uint8Array, where: string): Tensor {
  const { dtype, shape, data_offsets: offsets } = Object(entry) as Record<string, unknown>
  const type = TYPES.get(dtype)
  if (type === undefined)
    throw new TtqError(
      'data',
      `${where}: element type ${printable(String(dtype))}, expected ${[...TYPES.keys()].join(', ')}`,
      {
        facts: { tensor: where },
        hint: 'convert it before it is saved',
      },
    )
  const isCounts = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && (each as number) >= 0)
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
    throw damaged(where, 'no shape or data_offsets, expected lists of whole numbers')
  const [start, end] = offsets as [number, number]
  const expected = byteLength(type, elementCount(shape))
  if (end > data.length || end - start !== expected)
    throw damaged(where, `bytes ${start} to ${end} of ${data.length}, expected ${expected} for [${shape.join(',')}]`)
  return { type, dims: shape, data: viewOf(type, data.slice(start, end)) }
}

function damaged(where: string, problem: string): TtqError {
  return new TtqError('data', `${where}: found ${problem}`, {
    facts: { file: where },
    hint: 'write the file again; it is damaged or not one of safetensors',
  })
}
