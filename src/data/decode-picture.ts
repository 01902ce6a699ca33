// A picture's file to pixels, by sharp where it is installed, else by decoders in WebAssembly. Both give the same
// within a grey level (test/data/pictures.test.ts).
import { createRequire } from 'node:module'
import { decodeJpeg } from './decode-jpeg.js'
import type { Picture } from './picture.js'
import { firstFrameOfWebp } from './still-webp.js'
import { PictureFault, type PictureFormat, type PictureHeader, readPictureHeader } from './picture-header.js'

/** More pixels than photographs have: a file of a few kilobytes may claim any number, and fill the memory. */
export const MOST_PIXELS = 2 ** 27

/** Rows of pixels of 3 bytes, or of 4 with how opaque each is. */
interface Decoded {
  data: Uint8Array
  channels: 3 | 4
}

/** The pixels as the file has them, not turned; throws any Error for a damaged file. */
export type Decoder = (bytes: Uint8Array, header: PictureHeader) => Promise<Decoded> | Decoded

/**
 * The pixels of a picture: turned upright by its EXIF orientation, transparent ones over black, of moving pictures the
 * first frame, of 16 bits the high byte, inks as red, green and blue. Colour profiles are not applied.
 * @throws PictureFault for what is no picture, damaged or cut, or larger than MOST_PIXELS
 */
export async function decodePicture(bytes: Uint8Array, decoder: Decoder): Promise<Picture> {
  const header = readPictureHeader(bytes)
  const { width, height, format } = header
  if (width * height > MOST_PIXELS)
    throw new PictureFault(`found ${width} x ${height} pixels, expected at most ${MOST_PIXELS} in all`)
  let decoded: Decoded
  try {
    decoded = await decoder(bytes, header)
  } catch (cause) {
    if (cause instanceof PictureFault) throw cause
    throw new PictureFault(`found a ${format} file that is damaged or cut, expected a whole one`, { cause })
  }
  const { data, channels } = decoded
  if (data.length !== width * height * channels)
    throw new PictureFault(
      `found ${data.length / channels} pixels, expected ${width} x ${height} as the header of the ${format} file says`,
    )
  const pixels = channels === 4 ? overBlack(data) : data
  return upright({ width, height, channels: 3, pixels }, header.orientation)
}

function overBlack(data: Uint8Array): Uint8Array {
  const pixels = new Uint8Array((data.length / 4) * 3)
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const opaque = data[from + 3] as number
    for (let channel = 0; channel < 3; channel++) {
      const value = data[from + channel] as number
      pixels[to + channel] = opaque === 255 ? value : Math.round((value * opaque) / 255)
    }
  }
  return pixels
}

// EXIF's orientations: 2 mirrored, 3 upside down, 4 both; 5 to 8 the same with rows and columns changed.
function upright(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture
  const { width, height, channels, pixels } = picture
  const isTurned = orientation >= 5
  const [columns, rows] = isTurned ? [height, width] : [width, height]
  const fromRight = [2, 3, 7, 8].includes(orientation)
  const fromBelow = [3, 4, 6, 7].includes(orientation)
  const turned = new Uint8Array(pixels.length)
  for (let row = 0, to = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, to += channels) {
      const [x, y] = isTurned ? [row, column] : [column, row]
      const from = ((fromBelow ? height - 1 - y : y) * width + (fromRight ? width - 1 - x : x)) * channels
      for (let channel = 0; channel < channels; channel++) turned[to + channel] = pixels[from + channel] as number
    }
  return { width: columns, height: rows, channels, pixels: turned }
}

/** Decoders without anything to install. */
export const decodeByWasm: Decoder = (bytes, header) => WASM_DECODERS[header.format](bytes, header)

const require = createRequire(import.meta.url)

const WASM_DECODERS: Readonly<Record<PictureFormat, (bytes: Uint8Array, header: PictureHeader) => Decoded>> = {
  JPEG: decodeJpeg,
  PNG: ofPackage('@cwasm/lodepng'),
  WebP: decodeWebp,
  GIF: ofPackage('@cwasm/nsgif'),
  BMP: ofPackage('@cwasm/nsbmp'),
}

// Of a moving one the first frame, where it lies on the canvas; around it nothing is opaque.
function decodeWebp(bytes: Uint8Array, { width, height }: PictureHeader): Decoded {
  const decode = ofPackage('@cwasm/webp')
  const frame = firstFrameOfWebp(bytes)
  if (frame === undefined) return decode(bytes)
  const { data } = decode(frame.file)
  const canvas = new Uint8Array(4 * width * height)
  for (let row = 0; row < Math.min(frame.height, height - frame.top); row++) {
    const columns = Math.min(frame.width, width - frame.left)
    const from = 4 * row * frame.width
    canvas.set(data.subarray(from, from + 4 * Math.max(0, columns)), 4 * ((frame.top + row) * width + frame.left))
  }
  return { data: canvas, channels: 4 }
}

// These packages compile when they are loaded: each is when its format comes.
function ofPackage(name: string): (bytes: Uint8Array) => Decoded {
  return (bytes) => {
    const { decode } = require(name) as { decode: (bytes: Uint8Array) => { data: Uint8ClampedArray } }
    const { data } = decode(bytes)
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), channels: 4 }
  }
}

/**
 * Decoding by sharp; undefined where it is not installed, or not for this machine. Of 500 x 375 pixels on one busy
 * core: JPEG in 2.2 to 3.1 ms, WebAssembly 2.6 to 3.2; PNG in 6, WebAssembly 16. It has no BMP, and makes of inks what
 * a colour profile says: those two are decoded by WebAssembly always.
 */
export async function decoderBySharp(): Promise<Decoder | undefined> {
  try {
    const { default: sharp } = await import('sharp')
    // Threads of the caller's are as many as there are cores.
    sharp.concurrency(1)
    sharp.cache(false)
    return async (bytes, header) => {
      if (header.format === 'BMP' || header.isCmyk) return decodeByWasm(bytes, header)
      const { data, info } = await sharp(bytes, { ignoreIcc: true, limitInputPixels: MOST_PIXELS, failOn: 'truncated' })
        .toColourspace('srgb')
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true })
      return { data, channels: info.channels as 3 | 4 }
    }
  } catch {
    return undefined
  }
}
