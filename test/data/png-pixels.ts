// What a PNG file of ours shows, read by another witness than the one that reads others' files: Node's zlib, with every
// checksum looked at.
import { crc32, inflateSync } from 'node:zlib'
import type { ByteImage } from '../../src/data/encode-png.js'

/** @param base64 an 8-bit PNG whose rows have filter 2 @throws Error for anything else */
export function pixelsOf(base64: string): ByteImage {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.subarray(0, 8).toString('latin1') !== '\x89PNG\r\n\x1a\n') throw new Error('no PNG')
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at)
    if (crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) throw new Error(`checksum at ${end}`)
    chunks.set(bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, end))
    at = end + 4
  }
  const header = chunks.get('IHDR') as Buffer
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)]
  const channels = ({ 0: 1, 2: 3, 6: 4 } as const)[header[9] as 0 | 2 | 6]
  const filtered = inflateSync(chunks.get('IDAT') as Buffer)
  const row = width * channels
  const pixels = new Uint8Array(height * row)
  for (let y = 0; y < height; y++) {
    if (filtered[y * (row + 1)] !== 2) throw new Error('another filter')
    for (let x = 0; x < row; x++)
      pixels[y * row + x] =
        (filtered[y * (row + 1) + 1 + x] as number) + (y === 0 ? 0 : (pixels[(y - 1) * row + x] as number))
  }
  return { width, height, channels, pixels }
}
