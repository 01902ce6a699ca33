// The IDX format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist/): bytes in, array out. No files here.
import { gunzipSync } from 'node:zlib'
import { TtqError } from '../errors/ttq-error.js'
import { dataViewOf } from '../tensor/bytes.js'

/** An IDX array of unsigned bytes. */
interface IdxArray {
  readonly dims: readonly number[]
  readonly data: Uint8Array
}

const UNSIGNED_BYTE = 0x08
// Above the largest set in use (EMNIST by class, 547 MB); keeps a damaged gzip file from filling the memory.
const MAX_BYTES = 2 ** 30

/**
 * Reads an IDX array of unsigned bytes with `rank` dimensions, plain or gzipped. Layout: two zero bytes, type, rank,
 * then each dimension as a big-endian uint32, then the values in row-major order and nothing after them.
 * @param file how error messages name the source
 * @throws TtqError `data`
 */
export function parseIdx(bytes: Uint8Array, file: string, rank: number): IdxArray {
  const content = isGzip(bytes) ? gunzip(bytes, file) : bytes
  const headerSize = 4 + 4 * rank
  if (content.length < headerSize) throw damaged(file, `${content.length} bytes, expected a header of ${headerSize}`)
  const view = dataViewOf(content)
  const magic = view.getUint32(0)
  const expected = (UNSIGNED_BYTE << 8) | rank
  if (magic !== expected) {
    throw damaged(
      file,
      `starts with ${hex(magic)}, expected ${hex(expected)} (IDX, unsigned bytes, ${rank} ` +
        `dimension${rank === 1 ? '' : 's'})`,
    )
  }
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const count = dims.reduce((product, dim) => product * dim, 1)
  if (count === 0) throw damaged(file, `shape [${dims.join(',')}], expected at least one value`)
  const found = content.length - headerSize
  if (found !== count) throw damaged(file, `${found} bytes of values, expected ${count} for shape [${dims.join(',')}]`)
  return { dims, data: content.subarray(headerSize) }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

function gunzip(bytes: Uint8Array, file: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES })
  } catch (cause) {
    throw damaged(file, 'gzip data is damaged or truncated, expected a complete IDX file', cause)
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}

function damaged(file: string, problem: string, cause?: unknown): TtqError {
  return new TtqError('data', `${file}: ${problem}`, {
    facts: { file },
    hint: 'get the file again; it is damaged or not an IDX file',
    cause,
  })
}
