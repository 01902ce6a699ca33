// Encoding pictures as PNG: 8 bits per value, not interlaced (PNG specification sections 5, 9 and annex D,
// https://www.w3.org/TR/png-3/). In a page, too, hence without Node's zlib.
import { zlibSync } from 'fflate'
import { joined } from '../tensor/bytes.js'

/** Pixels row by row: a byte each (grey), three (red, green, blue), or four (and opacity). */
export interface ByteImage {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
  readonly pixels: Uint8Array
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

/** Colour types of the specification, section 11.2.1. */
const COLOR_TYPE = { 1: 0, 3: 2, 4: 6 } as const

/** Row filter 2: each byte is the difference to the one above. */
const UP = 2

/** @returns the file in base64, as pages and JSON hold it */
export function encodePng({ width, height, channels, pixels }: ByteImage): string {
  const rowBytes = width * channels
  const filtered = new Uint8Array(height * (rowBytes + 1))
  for (let y = 0; y < height; y++) {
    const at = y * (rowBytes + 1)
    filtered[at] = UP
    for (let x = 0; x < rowBytes; x++) {
      const above = y === 0 ? 0 : (pixels[(y - 1) * rowBytes + x] as number)
      filtered[at + 1 + x] = (pixels[y * rowBytes + x] as number) - above
    }
  }
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, COLOR_TYPE[channels]], 8)
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', zlibSync(filtered, { level: 9 })),
    chunk('IEND', new Uint8Array()),
  ]
  return base64(joined([SIGNATURE, ...chunks]))
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i)
  bytes.set(data, 8)
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)))
  return bytes
}

/** Of the polynomial edb88320, bit by bit: pictures are small. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
