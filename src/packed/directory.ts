// The directory: metadata pairs, the models of entropy-coded tensors, the tensor table. Sections around it are
// container.ts, tensor bytes are unpack.ts.
import { joined } from '../tensor/bytes.js'
import { DATA_TYPES, dataTypeOfOnnx } from '../tensor/data-type.js'
import { byteCursor, type ByteCursor } from './byte-cursor.js'
import { type CodeModel, MODEL_BYTES, modelBytes, readModel } from './code-model.js'
import type { Decoding } from './decoding.js'
import { decodingWithId, isKnown } from './decodings.js'
import {
  align,
  DIGEST_BYTES,
  type Directory,
  FORMAT_VERSION,
  type FormatVersion,
  LIMITS,
  type TensorEntry,
  type TensorPlace,
} from './format.js'
import type { Header } from './header.js'
import { NONCONFORMING, packedError } from './packed-error.js'
import { POOL_WIDTHS } from './value-pool.js'

// A pair's two lengths; an entry's fixed fields. No count can be higher than the directory has room for.
const SMALLEST_PAIR = 8
const SMALLEST_ENTRY = { 1: 24, 2: 17 } as const

/** How a place is written; a number of bytes means the pool. */
const PLACES = { aligned: 0, behind: 128 } as const

/**
 * The bytes of a directory; metadata in ascending order of the keys' UTF-8 bytes, so that equal metadata give equal
 * bytes.
 */
export function writeDirectory({ metadata, models, tensors }: Directory): Uint8Array {
  const pairs = Object.entries(metadata).map(
    ([key, value]) => [utf8(key, 'metadata key'), utf8(value, 'metadata value')] as const,
  )
  pairs.sort(([a], [b]) => compareBytes(a, b))
  const pieces = pairs.flatMap(([key, value]) => [u32(key.length), key, u32(value.length), value])
  const modelCount = littleEndian(2, (view) => {
    view.setUint16(0, models.length, true)
  })
  pieces.push(modelCount, ...models.map(modelBytes))
  for (const tensor of tensors) pieces.push(...entryPieces(tensor))
  return joined(pieces)
}

function entryPieces({ name, type, dims, encoding, place, length, parameters }: TensorEntry): Uint8Array[] {
  const nameBytes = utf8(name, 'tensor name')
  const fixed = littleEndian(SMALLEST_ENTRY[FORMAT_VERSION], (view) => {
    view.setUint32(0, nameBytes.length, true)
    view.setUint8(4, DATA_TYPES[type].onnx)
    view.setUint8(5, encoding)
    view.setUint8(6, dims.length)
    view.setUint8(7, parameters.length)
    view.setUint8(8, typeof place === 'number' ? place : PLACES[place])
    view.setBigUint64(9, BigInt(length), true)
  })
  return [fixed, ...dims.map(u32), parameters, nameBytes]
}

function littleEndian(length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length)
  fill(new DataView(bytes.buffer))
  return bytes
}

function u32(value: number): Uint8Array {
  return littleEndian(4, (view) => {
    view.setUint32(0, value, true)
  })
}

function utf8(text: string, what: string): Uint8Array {
  if (/\p{Surrogate}/u.test(text)) {
    throw packedError(
      `${what} ${JSON.stringify(text)}`,
      'half of a surrogate pair',
      'text that UTF-8 can hold',
      'Write it in well-formed Unicode.',
    )
  }
  return new TextEncoder().encode(text)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return a.length - b.length
}

/** What the rest of the file says of the directory. */
export interface DirectoryFrame extends Pick<Header, 'version' | 'counts' | 'lengths'> {
  /** Where the data section starts, bytes from the start of the file. */
  dataAt: number
  fileBytes: number
}

/**
 * Reads a directory and checks that the tensors tile the data section and the pool. Unknown encodings are let through:
 * see requireEncoding.
 * @throws TtqError `packed`
 */
export function readDirectory(bytes: Uint8Array, frame: DirectoryFrame, where: string): Directory {
  const { counts, version } = frame
  const needed = counts.metadata * SMALLEST_PAIR + counts.tensors * SMALLEST_ENTRY[version]
  if (needed > bytes.length) {
    const found = `${counts.metadata} metadata pairs and ${counts.tensors} tensors in ${bytes.length} bytes`
    throw packedError(where, found, `at least ${needed} bytes for them`, NONCONFORMING)
  }
  const cursor = byteCursor(bytes, where)
  const metadata = readMetadata(cursor, counts.metadata, where)
  const models = version === 1 ? [] : readModels(cursor, where)
  const tensors = readTable(cursor, frame, models, where)
  if (cursor.remaining() !== 0)
    throw packedError(where, `${cursor.remaining()} bytes after the last tensor`, 'none', NONCONFORMING)
  return { metadata, models, tensors }
}

function readModels(cursor: ByteCursor, where: string): CodeModel[] {
  const count = cursor.u16('the number of models')
  return Array.from({ length: count }, (_, i) =>
    readModel(cursor.take(MODEL_BYTES, `model ${i}`), `${where}: model ${i}`),
  )
}

function readMetadata(cursor: ByteCursor, count: number, where: string): Record<string, string> {
  const pairs: [string, string][] = []
  let previous: Uint8Array | undefined
  for (let i = 0; i < count; i++) {
    const keyBytes = cursor.take(cursor.u32('a metadata key'), 'a metadata key')
    const key = byteCursor(keyBytes, where).utf8(keyBytes.length, `metadata key ${i}`)
    if (previous !== undefined && compareBytes(previous, keyBytes) >= 0) {
      throw packedError(
        where,
        `metadata key "${key}" after "${pairs[i - 1]?.[0]}"`,
        'each key once, in ascending order',
        NONCONFORMING,
      )
    }
    previous = keyBytes
    pairs.push([key, cursor.utf8(cursor.u32('a metadata value'), `the value of metadata key "${key}"`)])
  }
  return Object.fromEntries(pairs)
}

function readTable(
  cursor: ByteCursor,
  frame: DirectoryFrame,
  models: readonly CodeModel[],
  where: string,
): TensorEntry[] {
  const { lengths, version } = frame
  const entries: TensorEntry[] = []
  const names = new Set<string>()
  const filled = { data: 0, pool: 0 }
  const sections = {
    data: { bytes: lengths.data, what: 'data section' },
    pool: { bytes: lengths.pool.inflated, what: 'pool' },
  }
  for (let i = 0; i < frame.counts.tensors; i++) {
    const { said, ...read } = readEntry(cursor, i, version, models, where)
    const place = `${where}: tensor "${read.name}"`
    if (names.has(read.name)) throw packedError(place, 'its name a second time', 'each name once', NONCONFORMING)
    const section = typeof read.place === 'number' ? 'pool' : 'data'
    // Where a mapped file may be used as it lies; version 1 has the section itself there.
    const offset = read.place === 'aligned' ? align(frame.dataAt + filled.data) - frame.dataAt : filled[section]
    if (said !== undefined && said !== offset)
      throw packedError(place, `offset ${said}`, `${offset}, right behind the tensor before it`, NONCONFORMING)
    const { bytes, what } = sections[section]
    if (read.length > bytes - offset) {
      const expected = `at most ${Math.max(0, bytes - offset)}, the rest of the ${what}`
      throw packedError(place, `${read.length} bytes`, expected, NONCONFORMING)
    }
    names.add(read.name)
    filled[section] = offset + read.length
    if (version === 1) filled.data = align(filled.data)
    entries.push({ ...read, offset })
  }
  if (version > 1) checkMemory(entries, frame.fileBytes, where)
  const padded = { ...filled, data: version === 1 ? filled.data : paddedDataBytes(filled.data, entries, frame.dataAt) }
  for (const section of ['data', 'pool'] as const) {
    const { bytes, what } = sections[section]
    if (padded[section] === bytes) continue
    throw packedError(where, `tensors that fill ${padded[section]} bytes`, `${bytes}, the whole ${what}`, NONCONFORMING)
  }
  return entries
}

function checkMemory(entries: readonly TensorEntry[], fileBytes: number, where: string): void {
  const bytes = memoryOf(entries)
  const most = LIMITS.memoryRatio * fileBytes
  if (bytes <= most) return
  const expected = `at most ${most}, ${LIMITS.memoryRatio} times the file`
  throw packedError(where, `tensors that take ${bytes} bytes in memory`, expected, NONCONFORMING)
}

// Bytes of memory that a reader may take for tensors: for each element its own, and two more for codes.
function memoryOf(entries: readonly Pick<TensorEntry, 'type' | 'dims'>[]): number {
  return entries.reduce((sum, { type, dims }) => sum + countOf(dims) * (2 + DATA_TYPES[type].bits / 8), 0)
}

/**
 * How long the data section is: as its tensors, or longer where the file would be too small for what they take in
 * memory, as that of tensors of one value, whose codes take next to nothing.
 * @param filled bytes that the tensors in it take
 * @param dataAt where it starts
 */
export function paddedDataBytes(
  filled: number,
  entries: readonly Pick<TensorEntry, 'type' | 'dims'>[],
  dataAt: number,
): number {
  return Math.max(filled, Math.ceil(memoryOf(entries) / LIMITS.memoryRatio) - dataAt - DIGEST_BYTES)
}

interface ReadEntry extends Omit<TensorEntry, 'offset'> {
  /** The offset that version 1 repeats. */
  said: number | undefined
}

function readEntry(
  cursor: ByteCursor,
  index: number,
  version: FormatVersion,
  models: readonly CodeModel[],
  where: string,
): ReadEntry {
  const nameLength = cursor.u32(`tensor ${index}`)
  const typeNumber = cursor.u8(`tensor ${index}`)
  const encoding = cursor.u8(`tensor ${index}`)
  const rank = cursor.u8(`tensor ${index}`)
  const parameterBytes = cursor.u8(`tensor ${index}`)
  const placeNumber = version === 1 ? PLACES.aligned : cursor.u8(`tensor ${index}`)
  const said = version === 1 ? cursor.u64(`the offset of tensor ${index}`) : undefined
  const length = cursor.u64(`the length of tensor ${index}`)
  if (rank > LIMITS.rank)
    throw packedError(`${where}: tensor ${index}`, `rank ${rank}`, `at most ${LIMITS.rank}`, NONCONFORMING)
  const dims = Array.from({ length: rank }, () => cursor.u32(`the dimensions of tensor ${index}`))
  const parameters = cursor.take(parameterBytes, `the parameters of tensor ${index}`)
  const name = cursor.utf8(nameLength, `the name of tensor ${index}`)
  const where1 = `${where}: tensor "${name}"`
  const type = dataTypeOfOnnx(typeNumber)
  if (type === undefined || type === 'string') {
    throw packedError(
      where1,
      `element type ${typeNumber}`,
      'a TensorProto.DataType number with bytes (1 to 26, not 8)',
      NONCONFORMING,
    )
  }
  const place = placeOf(placeNumber, length, where1)
  const entry = { name, type, dims, encoding, place, length, parameters, said }
  const known = decodingWithId(encoding)
  if (version > 1) checkShape(dims, where1)
  if (known !== undefined && isKnown(known, version)) checkEntry(known, entry, models, where1)
  return entry
}

function placeOf(number: number, length: number, where: string): TensorPlace {
  if (number === PLACES.aligned) return 'aligned'
  if (number === PLACES.behind) return 'behind'
  const width = POOL_WIDTHS.find((each) => each === number)
  if (width === undefined)
    throw packedError(where, `place ${number}`, `0, 128 or ${POOL_WIDTHS.join(', ')}`, NONCONFORMING)
  if (length % width !== 0)
    throw packedError(where, `${length} bytes in the pool`, `a multiple of ${width}`, NONCONFORMING)
  return width
}

// In this order no product of dimensions leaves the exact integers: a zero ends it, everything else only grows.
function countOf(dims: readonly number[]): number {
  return dims.includes(0) ? 0 : dims.reduce((product, dim) => Math.min(product * dim, 2 ** 53), 1)
}

function checkShape(dims: readonly number[], place: string): void {
  if (countOf(dims) < 2 ** 53) return
  throw packedError(place, `shape [${dims.join(',')}]`, 'less than 2^53 elements', NONCONFORMING)
}

function checkEntry(
  decoding: Decoding,
  { type, dims, length, parameters }: Omit<TensorEntry, 'offset'>,
  models: readonly CodeModel[],
  place: string,
): void {
  if (parameters.length !== decoding.parameterBytes) {
    const expected = `${decoding.parameterBytes} for ${decoding.name}`
    throw packedError(place, `${parameters.length} parameter bytes`, expected, NONCONFORMING)
  }
  checkShape(dims, place)
  decoding.checkParameters(parameters, dims, place, models)
  const expected = decoding.byteLength({ type, dims, parameters })
  if (expected !== undefined && length !== expected) {
    const inWords = `${expected} for ${type} of shape [${dims.join(',')}] in ${decoding.name}`
    throw packedError(place, `${length} bytes`, inWords, NONCONFORMING)
  }
}
