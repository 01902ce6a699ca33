// The directory section: metadata pairs, then the tensor table. Sections around it are container.ts, tensor bytes are
// unpack.ts.
import { DATA_TYPES, dataTypeOfOnnx } from '../tensor/data-type.js'
import { byteCursor, type ByteCursor } from './byte-cursor.js'
import type { Encoding } from './encoding.js'
import { encodingWithId } from './encodings.js'
import { align, LIMITS, type TensorEntry } from './format.js'
import { NONCONFORMING, packedError } from './packed-error.js'

export interface Directory {
  metadata: Readonly<Record<string, string>>
  /** In the order of their bytes in the data section. */
  tensors: readonly TensorEntry[]
}

// A pair's two lengths; an entry's fixed fields. No count can be higher than the directory has room for.
const SMALLEST_PAIR = 8
const SMALLEST_ENTRY = 24

/**
 * The bytes of a directory; metadata in ascending order of the keys' UTF-8 bytes, so that equal metadata give equal
 * bytes.
 */
export function writeDirectory({ metadata, tensors }: Directory): Uint8Array {
  const pairs = Object.entries(metadata).map(
    ([key, value]) => [utf8(key, 'metadata key'), utf8(value, 'metadata value')] as const,
  )
  pairs.sort(([a], [b]) => compareBytes(a, b))
  const pieces = pairs.flatMap(([key, value]) => [u32(key.length), key, u32(value.length), value])
  for (const tensor of tensors) pieces.push(...entryPieces(tensor))
  return concat(pieces)
}

function entryPieces({ name, type, dims, encoding, offset, length, parameters }: TensorEntry): Uint8Array[] {
  const nameBytes = utf8(name, 'tensor name')
  const fixed = littleEndian(24, (view) => {
    view.setUint32(0, nameBytes.length, true)
    view.setUint8(4, DATA_TYPES[type].onnx)
    view.setUint8(5, encoding)
    view.setUint8(6, dims.length)
    view.setUint8(7, parameters.length)
    view.setBigUint64(8, BigInt(offset), true)
    view.setBigUint64(16, BigInt(length), true)
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

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    result.set(piece, at)
    at += piece.length
  }
  return result
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return a.length - b.length
}

export interface DirectoryCounts {
  metadata: number
  tensors: number
  /** Length of the data section that the tensors must fill. */
  dataBytes: number
}

/**
 * Reads a directory and checks that the tensors tile the data section. Unknown encodings are let through: see
 * requireEncoding.
 * @throws TtqError `packed`
 */
export function readDirectory(bytes: Uint8Array, counts: DirectoryCounts, where: string): Directory {
  const needed = counts.metadata * SMALLEST_PAIR + counts.tensors * SMALLEST_ENTRY
  if (needed > bytes.length) {
    const found = `${counts.metadata} metadata pairs and ${counts.tensors} tensors in ${bytes.length} bytes`
    throw packedError(where, found, `at least ${needed} bytes for them`, NONCONFORMING)
  }
  const cursor = byteCursor(bytes, where)
  const metadata = readMetadata(cursor, counts.metadata, where)
  const tensors = readTable(cursor, counts, where)
  if (cursor.remaining() !== 0)
    throw packedError(where, `${cursor.remaining()} bytes after the last tensor`, 'none', NONCONFORMING)
  return { metadata, tensors }
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

function readTable(cursor: ByteCursor, counts: DirectoryCounts, where: string): TensorEntry[] {
  const entries: TensorEntry[] = []
  const names = new Set<string>()
  let position = 0
  for (let i = 0; i < counts.tensors; i++) {
    const entry = readEntry(cursor, i, where)
    const place = `${where}: tensor "${entry.name}"`
    if (names.has(entry.name)) throw packedError(place, 'its name a second time', 'each name once', NONCONFORMING)
    if (entry.offset !== position) {
      throw packedError(
        place,
        `offset ${entry.offset}`,
        `${position}, right behind the tensor before it`,
        NONCONFORMING,
      )
    }
    if (entry.length > counts.dataBytes - position) {
      throw packedError(
        place,
        `${entry.length} bytes`,
        `at most ${counts.dataBytes - position}, the rest of the data section`,
        NONCONFORMING,
      )
    }
    names.add(entry.name)
    position = align(position + entry.length)
    entries.push(entry)
  }
  if (position === counts.dataBytes) return entries
  throw packedError(
    where,
    `tensors that fill ${position} bytes`,
    `${counts.dataBytes}, the whole data section`,
    NONCONFORMING,
  )
}

function readEntry(cursor: ByteCursor, index: number, where: string): TensorEntry {
  const nameLength = cursor.u32(`tensor ${index}`)
  const typeNumber = cursor.u8(`tensor ${index}`)
  const encoding = cursor.u8(`tensor ${index}`)
  const rank = cursor.u8(`tensor ${index}`)
  const parameterBytes = cursor.u8(`tensor ${index}`)
  const offset = cursor.u64(`the offset of tensor ${index}`)
  const length = cursor.u64(`the length of tensor ${index}`)
  if (rank > LIMITS.rank)
    throw packedError(`${where}: tensor ${index}`, `rank ${rank}`, `at most ${LIMITS.rank}`, NONCONFORMING)
  const dims = Array.from({ length: rank }, () => cursor.u32(`the dimensions of tensor ${index}`))
  const parameters = cursor.take(parameterBytes, `the parameters of tensor ${index}`)
  const name = cursor.utf8(nameLength, `the name of tensor ${index}`)
  const place = `${where}: tensor "${name}"`
  const type = dataTypeOfOnnx(typeNumber)
  if (type === undefined || type === 'string') {
    throw packedError(
      place,
      `element type ${typeNumber}`,
      'a TensorProto.DataType number with bytes (1 to 26, not 8)',
      NONCONFORMING,
    )
  }
  const entry = { name, type, dims, encoding, offset, length, parameters }
  const known = encodingWithId(encoding)
  if (known !== undefined) checkEntry(known, entry, place)
  return entry
}

function checkEntry(encoding: Encoding, { type, dims, length, parameters }: TensorEntry, place: string): void {
  if (parameters.length !== encoding.parameterBytes) {
    const expected = `${encoding.parameterBytes} for ${encoding.name}`
    throw packedError(place, `${parameters.length} parameter bytes`, expected, NONCONFORMING)
  }
  // In this order no product of dimensions leaves the exact integers: a zero ends it, everything else only grows.
  const count = dims.includes(0) ? 0 : dims.reduce((product, dim) => Math.min(product * dim, 2 ** 53), 1)
  const shape = `[${dims.join(',')}]`
  if (count === 2 ** 53) throw packedError(place, `shape ${shape}`, 'less than 2^53 elements', NONCONFORMING)
  encoding.checkParameters(parameters, dims, place)
  const expected = encoding.byteLength({ type, dims, parameters })
  if (length !== expected) {
    const inWords = `${expected} for ${type} of shape ${shape} in ${encoding.name}`
    throw packedError(place, `${length} bytes`, inWords, NONCONFORMING)
  }
}
