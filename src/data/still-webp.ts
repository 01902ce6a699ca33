// The first frame of a moving WebP, as a file of its own: decoders of still ones do not take the others.
// https://www.rfc-editor.org/rfc/rfc9649, sections 2.5 to 2.7
import { dataViewOf, joined } from '../tensor/bytes.js'

/** Where the first frame lies on the canvas, pixels. */
export interface FirstFrame {
  file: Uint8Array
  left: number
  top: number
  width: number
  height: number
}

const FRAME_HEADER = 16
const ALPHA = 0x10

/** @returns undefined for a still file; throws RangeError where it is cut */
export function firstFrameOfWebp(file: Uint8Array): FirstFrame | undefined {
  const frame = chunks(file, 12).find(({ name }) => name === 'ANMF')
  if (frame === undefined) return undefined
  const { content } = frame
  const view = dataViewOf(content)
  const at24 = (at: number): number => view.getUint16(at, true) + 2 ** 16 * view.getUint8(at + 2)
  const [width, height] = [at24(6) + 1, at24(9) + 1]
  const parts = chunks(content, FRAME_HEADER).filter(({ name }) => ['ALPH', 'VP8 ', 'VP8L'].includes(name))
  const isExtended = parts.some(({ name }) => name === 'ALPH')
  const body = [
    ...(isExtended ? [chunk('VP8X', extendedHeader(width, height))] : []),
    ...parts.map(({ name, content: data }) => chunk(name, data)),
  ]
  const riff = [new TextEncoder().encode('WEBP'), ...body]
  return { file: chunk('RIFF', joined(riff)), left: 2 * at24(0), top: 2 * at24(3), width, height }
}

interface Chunk {
  name: string
  content: Uint8Array
}

function chunks(bytes: Uint8Array, start: number): Chunk[] {
  const view = dataViewOf(bytes)
  const found: Chunk[] = []
  for (let at = start; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true)
    const name = String.fromCharCode(...bytes.subarray(at, at + 4))
    found.push({ name, content: bytes.subarray(at + 8, at + 8 + length) })
    at += 8 + length + (length & 1)
  }
  return found
}

function chunk(name: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + content.length + (content.length & 1))
  bytes.set(new TextEncoder().encode(name))
  dataViewOf(bytes).setUint32(4, content.length, true)
  bytes.set(content, 8)
  return bytes
}

function extendedHeader(width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(10)
  const view = dataViewOf(bytes)
  bytes[0] = ALPHA
  view.setUint32(4, width - 1, true)
  // 24 bits each.
  bytes[7] = (height - 1) & 0xff
  bytes[8] = ((height - 1) >> 8) & 0xff
  bytes[9] = (height - 1) >> 16
  return bytes
}
