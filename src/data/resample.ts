// Resizing as Pillow's Image.resize does it, which torchvision and Hugging Face use: each output pixel is a weighted
// mean of the pixels that its filter reaches, first along rows, then along columns, rounded to bytes in between. When
// an image becomes smaller, the filter becomes wider by the same factor (antialias). The filters are the triangle
// (bilinear) and Keys' cubic with a = -0.5 (R. Keys, 1981).
import type { Picture } from './picture.js'

export type Interpolation = 'bilinear' | 'bicubic' | 'nearest'

interface Filter {
  /** How far it reaches, in input pixels where nothing is made smaller. */
  support: number
  weight: (distance: number) => number
}

const FILTERS: Readonly<Record<Exclude<Interpolation, 'nearest'>, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: (x) => cubic(Math.abs(x)) },
}

const CUBIC = -0.5

function cubic(x: number): number {
  if (x < 1) return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * CUBIC : 0
}

/** The picture in another size. */
export function resample(picture: Picture, width: number, height: number, interpolation: Interpolation): Picture {
  if (width === picture.width && height === picture.height) return picture
  if (interpolation === 'nearest') return nearest(picture, width, height)
  const filter = FILTERS[interpolation]
  const { channels } = picture
  const rows =
    width === picture.width
      ? picture.pixels
      : alongLines(picture.pixels, reaches(picture.width, width, filter), {
          lines: picture.height,
          lineStep: { from: picture.width * channels, to: width * channels },
          pixelStep: channels,
          width: channels,
        })
  const pixels =
    height === picture.height
      ? rows
      : alongLines(rows, reaches(picture.height, height, filter), {
          lines: 1,
          lineStep: { from: 0, to: 0 },
          pixelStep: width * channels,
          width: width * channels,
        })
  return { width, height, channels, pixels }
}

/** Fraction bits of weights: with Pillow's number of them, sums round as its do. */
const BITS = 22

/** The input pixels of each output pixel: `first[i]` and so many behind it, with weights in 1/2^BITS. */
interface Reaches {
  first: Int32Array
  count: Int32Array
  /** `most` per output pixel. */
  weights: Int32Array
  most: number
}

function reaches(from: number, to: number, { support, weight }: Filter): Reaches {
  const scale = from / to
  const widening = Math.max(1, scale)
  const radius = support * widening
  const most = 2 * Math.ceil(radius) + 1
  const found: Reaches = {
    first: new Int32Array(to),
    count: new Int32Array(to),
    weights: new Int32Array(to * most),
    most,
  }
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - radius + 0.5))
    const end = Math.min(from, Math.trunc(centre + radius + 0.5))
    const own = Array.from({ length: end - first }, (_, k) => weight((first + k - centre + 0.5) / widening))
    const sum = own.reduce((total, each) => total + each, 0)
    found.first[i] = first
    found.count[i] = own.length
    own.forEach((each, k) => (found.weights[i * most + k] = Math.round((each / sum) * 2 ** BITS)))
  }
  return found
}

interface Lines {
  lines: number
  /** Bytes from a line to the next, in the input and in the output. */
  lineStep: { from: number; to: number }
  /** Bytes from a pixel of a line to the next. */
  pixelStep: number
  /** Bytes of a pixel: of a column of whole rows, those of a row. */
  width: number
}

// Sums stay within 32 bits, as Pillow's do.
const HALF = 2 ** (BITS - 1)

function alongLines(source: Uint8Array, reached: Reaches, to: Lines): Uint8Array {
  const target = new Uint8Array(to.lines * reached.first.length * to.width)
  if (to.lines === 1) downColumns(source, reached, to, target)
  else for (let line = 0; line < to.lines; line++) alongRow(source, reached, to, line, target)
  return target
}

// Pixels of a few bytes: one sum at a time.
function alongRow(source: Uint8Array, reached: Reaches, to: Lines, line: number, target: Uint8Array): void {
  const { first, count, weights, most } = reached
  const { lineStep, pixelStep, width } = to
  let at = line * lineStep.to
  for (let i = 0; i < first.length; i++) {
    const start = line * lineStep.from + (first[i] as number) * pixelStep
    const taps = count[i] as number
    for (let byte = 0; byte < width; byte++) {
      let sum = HALF
      for (let k = 0, from = start + byte, w = i * most; k < taps; k++, from += pixelStep, w++)
        sum = (sum + Math.imul(weights[w] as number, source[from] as number)) | 0
      target[at++] = clamped(sum)
    }
  }
}

// Whole rows: as many sums as they have bytes.
function downColumns(source: Uint8Array, reached: Reaches, { pixelStep, width }: Lines, target: Uint8Array): void {
  const { first, count, weights, most } = reached
  const sums = new Int32Array(width)
  for (let i = 0; i < first.length; i++) {
    sums.fill(HALF)
    for (let k = 0; k < (count[i] as number); k++) {
      const weight = weights[i * most + k] as number
      const from = ((first[i] as number) + k) * pixelStep
      for (let byte = 0; byte < width; byte++)
        sums[byte] = (sums[byte] as number) + Math.imul(weight, source[from + byte] as number)
    }
    for (let byte = 0; byte < width; byte++) target[i * width + byte] = clamped(sums[byte] as number)
  }
}

function clamped(sum: number): number {
  const value = sum >> BITS
  return value < 0 ? 0 : value > 255 ? 255 : value
}

function nearest({ width, height, channels, pixels }: Picture, toWidth: number, toHeight: number): Picture {
  const [rows, columns] = [nearestPlaces(height, toHeight), nearestPlaces(width, toWidth)]
  const target = new Uint8Array(toWidth * toHeight * channels)
  let at = 0
  for (const row of rows)
    for (const column of columns) {
      const from = (row * width + column) * channels
      for (let channel = 0; channel < channels; channel++) target[at++] = pixels[from + channel] as number
    }
  return { width: toWidth, height: toHeight, channels, pixels: target }
}

// Pillow goes from one place to the next by adding (ImagingScaleAffine in Geometry.c). Sums are off by their roundings,
// which decides where a place falls on a pixel's edge: 64 to 24 takes pixel 11, not 12, for 4.5 * 64 / 24.
function nearestPlaces(from: number, to: number): Int32Array {
  const step = from / to
  const places = new Int32Array(to)
  for (let i = 0, place = step / 2; i < to; i++, place += step) places[i] = Math.trunc(place)
  return places
}
