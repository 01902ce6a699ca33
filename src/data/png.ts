// Decoding the one kind of PNG that the CIFAR-10 package uses: 8-bit RGB, not interlaced. Written out because it is
// this short (PNG specification sections 5 and 9, https://www.w3.org/TR/png-3/); zlib and its checksum are Node's.
import { inflateSync } from 'node:zlib'

/** Pixels row by row, three bytes (red, green, blue) each. */
interface RgbImage {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const BYTES_PER_PIXEL = 3

/** Decodes an 8-bit RGB PNG without interlacing. @throws Error for any other file, or a damaged one */
export function decodeRgbPng(bytes: Buffer): RgbImage {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG file')
  const chunks = readChunks(bytes)
  const header = chunks.find(({ type }) => type === 'IHDR')?.data
  if (header === undefined || header.readUInt32BE(8) !== 0x08020000 || header[12] !== 0)
    throw new Error('not an 8-bit RGB PNG without interlacing')
  const width = header.readUInt32BE(0)
  const height = header.readUInt32BE(4)
  const packed = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data))
  const filtered = inflateSync(packed, { maxOutputLength: height * (1 + width * BYTES_PER_PIXEL) })
  return { width, height, pixels: unfilter(filtered, width * BYTES_PER_PIXEL, height) }
}

// The checksums of chunks are not looked at: the caller has checked the whole file, and zlib checks the pixels.
function readChunks(bytes: Buffer): { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = []
  for (let at = SIGNATURE.length; at < bytes.length;) {
    const length = bytes.readUInt32BE(at)
    chunks.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) })
    at += 12 + length
  }
  return chunks
}

// Each row carries a filter number; its bytes are differences to the bytes on the left, above, or both (section 9.2).
function unfilter(filtered: Uint8Array, rowBytes: number, height: number): Uint8Array {
  if (filtered.length !== height * (rowBytes + 1))
    throw new Error(`${filtered.length} bytes of pixel data, expected ${height * (rowBytes + 1)}`)
  const pixels = new Uint8Array(height * rowBytes)
  for (let y = 0; y < height; y++) {
    const source = y * (rowBytes + 1) + 1
    const row = y * rowBytes
    const predict = predictor(filtered[source - 1] as number)
    for (let x = 0; x < rowBytes; x++) {
      const left = x < BYTES_PER_PIXEL ? 0 : (pixels[row + x - BYTES_PER_PIXEL] as number)
      const up = y === 0 ? 0 : (pixels[row - rowBytes + x] as number)
      const upLeft = x < BYTES_PER_PIXEL || y === 0 ? 0 : (pixels[row - rowBytes + x - BYTES_PER_PIXEL] as number)
      pixels[row + x] = (filtered[source + x] as number) + predict(left, up, upLeft)
    }
  }
  return pixels
}

const PREDICTORS: readonly ((left: number, up: number, upLeft: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  paeth,
]

function predictor(filter: number): (left: number, up: number, upLeft: number) => number {
  const found = PREDICTORS[filter]
  if (found === undefined) throw new Error(`row filter ${filter}, expected 0..4`)
  return found
}

function paeth(left: number, up: number, upLeft: number): number {
  const toLeft = Math.abs(up - upLeft)
  const toUp = Math.abs(left - upLeft)
  const toUpLeft = Math.abs(left + up - 2 * upLeft)
  if (toLeft <= toUp && toLeft <= toUpLeft) return left
  return toUp <= toUpLeft ? up : upLeft
}
