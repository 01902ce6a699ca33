// MATLAB's files of version 5 (https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf): bytes in, arrays of
// numbers out. Texts, structures and what else there may be are passed over. No files here.
import { inflateSync } from 'node:zlib'
import { TtqError } from '../errors/ttq-error.js'
import { dataViewOf } from '../tensor/bytes.js'

/** The first dimension varies fastest. */
export interface MatArray {
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
}

const HEADER_BYTES = 128
const [MATRIX, COMPRESSED] = [14, 15]
/** Numbers as they are stored, whatever class their array is of: bytes of each, and how one is read. */
const NUMBERS: Readonly<Record<number, { bytes: number; read: (view: DataView, at: number) => number }>> = {
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 1, read: (view, at) => view.getUint8(at) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  7: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  9: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
}
const UINT8 = 2
/** Classes of arrays of numbers, from double to uint32. */
const [FIRST_CLASS, LAST_CLASS] = [6, 13]
/** Keeps a damaged file from filling the memory. */
const MOST_BYTES = 2 ** 30

/**
 * The arrays of numbers in a file, by name.
 * @param file how messages name it
 * @throws TtqError `data`
 */
export function parseMat(bytes: Uint8Array, file: string): Map<string, MatArray> {
  const header = Buffer.from(bytes.subarray(0, HEADER_BYTES)).toString('latin1')
  if (bytes.length < HEADER_BYTES || !header.startsWith('MATLAB 5.0') || !header.endsWith('\0\x01IM')) {
    const isNewer = header.startsWith('MATLAB 7.3')
    throw damaged(file, isNewer ? 'a file of version 7.3 (HDF5)' : 'another file', 'a little-endian one of version 5')
  }
  const arrays = new Map<string, MatArray>()
  try {
    for (const { type, data } of elements(bytes.subarray(HEADER_BYTES))) {
      const inner =
        type === COMPRESSED ? elements(inflateSync(data, { maxOutputLength: MOST_BYTES })) : [{ type, data }]
      for (const each of inner) if (each.type === MATRIX) addArray(arrays, each.data)
    }
  } catch (cause) {
    throw damaged(file, `damaged data (${(cause as Error).message})`, 'a whole file', cause)
  }
  return arrays
}

interface Element {
  type: number
  data: Uint8Array
}

function elements(bytes: Uint8Array): Element[] {
  const view = dataViewOf(bytes)
  const found: Element[] = []
  for (let at = 0; at < bytes.length;) {
    const word = view.getUint32(at, true)
    // Up to four bytes stand beside their length, which then is the upper half of the type.
    const isSmall = word >>> 16 !== 0
    const [type, size] = isSmall ? [word & 0xffff, word >>> 16] : [word, view.getUint32(at + 4, true)]
    const from = at + (isSmall ? 4 : 8)
    if (from + size > bytes.length) throw new Error(`${bytes.length - from} bytes where ${size} are to be`)
    found.push({ type, data: bytes.subarray(from, from + size) })
    at = isSmall ? at + 8 : from + (type === COMPRESSED ? size : 8 * Math.ceil(size / 8))
  }
  return found
}

function addArray(arrays: Map<string, MatArray>, matrix: Uint8Array): void {
  const [flags, dims, name, real] = elements(matrix)
  const arrayClass = flags?.data[0] ?? 0
  if (arrayClass < FIRST_CLASS || arrayClass > LAST_CLASS || !dims || !name || !real) return
  const shape = numbersOf(dims)
  const data = real.type === UINT8 ? real.data : numbersOf(real)
  const count = shape.reduce((product, dim) => product * dim, 1)
  if (data.length !== count) throw new Error(`${data.length} numbers of an array [${shape.join(',')}]`)
  arrays.set(Buffer.from(name.data).toString('latin1'), { dims: shape, data })
}

function numbersOf({ type, data }: Element): number[] {
  const form = NUMBERS[type]
  if (form === undefined) throw new Error(`numbers of type ${type}`)
  const view = dataViewOf(data)
  return Array.from({ length: Math.floor(data.length / form.bytes) }, (_, i) => form.read(view, i * form.bytes))
}

function damaged(file: string, found: string, expected: string, cause?: unknown): TtqError {
  return new TtqError('data', `${file}: found ${found}, expected ${expected} (.mat)`, {
    facts: { file },
    hint: 'get the file again, or write arrays with NumPy (docs/datasets.md#arrays)',
    cause,
  })
}
