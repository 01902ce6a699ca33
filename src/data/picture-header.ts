// What the first bytes of a picture's file say: format, size, how it was held. Nothing is decoded here.
// PNG: https://www.w3.org/TR/png-3/ sections 5 and 11; JPEG: ITU-T T.81 annex B; EXIF: CIPA DC-008 section 4.6;
// GIF: GIF89a section 18; WebP: RFC 9649 section 2; BMP: BITMAPINFOHEADER.
import { dataViewOf } from '../tensor/bytes.js'

export type PictureFormat = 'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'BMP'

export interface PictureHeader {
  format: PictureFormat
  /** Pixels, as the file has them: before it is turned upright. */
  width: number
  height: number
  /** EXIF's number, 1 to 8, for how the camera was held; 1 is upright. */
  orientation: number
  /** Inks (cyan, magenta, yellow, black) for red, green and blue. */
  isCmyk: boolean
}

/** Endings of the files of these formats. */
export const PICTURE_ENDINGS: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.bmp']

/** What is wrong with a picture, in words that follow its name: `found ..., expected ...`. */
export class PictureFault extends Error {}

/** @throws PictureFault where it is of no known format, or its header is cut */
export function readPictureHeader(bytes: Uint8Array): PictureHeader {
  if (bytes.length === 0) throw new PictureFault('found an empty file, expected a picture')
  const found = FORMATS.find(({ starts }) => starts(bytes))
  if (found === undefined)
    throw new PictureFault(
      `found ${firstBytes(bytes)}, expected a picture (${FORMATS.map(({ format }) => format).join(', ')})`,
    )
  try {
    const header = { format: found.format, orientation: 1, isCmyk: false, ...found.read(bytes) }
    if (header.width < 1 || header.height < 1)
      throw new PictureFault(`found a size of ${header.width} x ${header.height} pixels, expected some`)
    return header
  } catch (cause) {
    // A read behind the end.
    if (cause instanceof RangeError) throw new PictureFault(`found a ${found.format} file that ends in its header`)
    throw cause
  }
}

type Read = Pick<PictureHeader, 'width' | 'height'> & Partial<PictureHeader>

interface FormatReader {
  format: PictureFormat
  starts: (bytes: Uint8Array) => boolean
  /** Throws RangeError where the bytes end. */
  read: (bytes: Uint8Array) => Read
}

const FORMATS: readonly FormatReader[] = [
  { format: 'JPEG', starts: (bytes) => hasText(bytes, 0, '\xff\xd8\xff'), read: readJpeg },
  { format: 'PNG', starts: (bytes) => hasText(bytes, 0, '\x89PNG\r\n\x1a\n'), read: readPng },
  {
    format: 'WebP',
    starts: (bytes) => hasText(bytes, 0, 'RIFF') && hasText(bytes, 8, 'WEBP'),
    read: readWebp,
  },
  {
    format: 'GIF',
    starts: (bytes) => hasText(bytes, 0, 'GIF8'),
    read: (bytes) => {
      const view = dataViewOf(bytes)
      return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
    },
  },
  { format: 'BMP', starts: (bytes) => hasText(bytes, 0, 'BM'), read: readBmp },
]

function readPng(bytes: Uint8Array): Read {
  const view = dataViewOf(bytes)
  const size = { width: view.getUint32(16), height: view.getUint32(20) }
  for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (hasText(bytes, at + 4, 'eXIf'))
      return { ...size, orientation: orientationOf(bytes.subarray(at + 8, at + 8 + view.getUint32(at))) }
    if (hasText(bytes, at + 4, 'IEND')) break
  }
  return size
}

function readJpeg(bytes: Uint8Array): Read {
  const view = dataViewOf(bytes)
  let orientation = 1
  for (let at = 2; ;) {
    while (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at++
    const marker = view.getUint8(at + 1)
    const length = view.getUint16(at + 2)
    if (view.getUint8(at) !== 0xff || length < 2)
      throw new PictureFault(`found a JPEG file that is damaged at byte ${at}, expected a marker`)
    if (marker === 0xe1 && hasText(bytes, at + 4, 'Exif\0\0'))
      orientation = orientationOf(bytes.subarray(at + 10, at + 2 + length))
    // Start of frame of any coding; c4, c8 and cc are tables.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return {
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        orientation,
        isCmyk: view.getUint8(at + 9) === 4,
      }
    if (marker === 0xda) throw new PictureFault('found a JPEG file without a frame, expected one before its scan')
    at += 2 + length
  }
}

function readWebp(bytes: Uint8Array): Read {
  const view = dataViewOf(bytes)
  const at24 = (at: number): number => view.getUint16(at, true) + 65536 * view.getUint8(at + 2)
  if (hasText(bytes, 12, 'VP8 '))
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
  if (hasText(bytes, 12, 'VP8L')) {
    const bits = view.getUint32(21, true)
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }
  }
  if (!hasText(bytes, 12, 'VP8X')) throw new PictureFault('found a WebP file without an image, expected one')
  const size = { width: at24(24) + 1, height: at24(27) + 1 }
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true)
    if (hasText(bytes, at, 'EXIF')) {
      const data = bytes.subarray(at + 8, at + 8 + length)
      return { ...size, orientation: orientationOf(hasText(data, 0, 'Exif\0\0') ? data.subarray(6) : data) }
    }
    at += 8 + length + (length & 1)
  }
  return size
}

function readBmp(bytes: Uint8Array): Read {
  const view = dataViewOf(bytes)
  // The header of OS/2 has 12 bytes; rows from the top have a negative height.
  if (view.getUint32(14, true) === 12) return { width: view.getUint16(18, true), height: view.getUint16(20, true) }
  return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) }
}

const ORIENTATION = 0x0112

// Of a TIFF structure; 1 where it says nothing, or is damaged: the pixels are there all the same.
function orientationOf(tiff: Uint8Array): number {
  try {
    const view = dataViewOf(tiff)
    const isLittle = view.getUint16(0) === 0x4949
    const directory = view.getUint32(4, isLittle)
    const entries = view.getUint16(directory, isLittle)
    for (let i = 0; i < entries; i++) {
      const at = directory + 2 + 12 * i
      const value = view.getUint16(at + 8, isLittle)
      if (view.getUint16(at, isLittle) === ORIENTATION) return value >= 1 && value <= 8 ? value : 1
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
  }
  return 1
}

function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

function firstBytes(bytes: Uint8Array): string {
  const start = bytes.subarray(0, 8)
  const isText = start.every((byte) => byte >= 32 && byte < 127)
  return isText
    ? `text ("${String.fromCharCode(...start)}...")`
    : `bytes ${Array.from(start, (byte) => byte.toString(16).padStart(2, '0')).join(' ')}`
}
