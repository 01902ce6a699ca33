// How a picture of any size becomes one of the network's: resized, then cut out of the middle, in torchvision's order
// and with its rounding.
import { type Picture, toColour, toGrey } from './picture.js'
import { type Interpolation, resample } from './resample.js'

export interface Size {
  height: number
  width: number
}

/** Resized so that the shorter side is this, to a size whatever the shape, or to fit a square with black around it. */
export type Resizing = { short: number } | Size | { letterbox: number }

export interface Framing {
  /** Absent: pictures stay as large as they are. */
  resize?: Resizing
  /** Cut out of the middle; where the picture is smaller, with black around it. */
  crop?: Size
  interpolation: Interpolation
}

/** A picture so framed, of as many channels as the network takes. */
export function frame(picture: Picture, { resize, crop, interpolation }: Framing, channels: 1 | 3): Picture {
  const coloured = channels === 1 ? toGrey(picture) : toColour(picture)
  const resized = resize === undefined ? coloured : resizedTo(coloured, resize, interpolation)
  return crop === undefined ? resized : centred(resized, crop)
}

/** How large a picture of this size comes out. */
export function framedSize(size: Size, { resize, crop }: Framing): Size {
  return crop ?? (resize === undefined ? size : sizeAfter(size, resize))
}

/** `short side 256 (bilinear), crop 224x224`; empty where pictures stay as they are. */
export function describeFraming({ resize, crop, interpolation }: Framing): string {
  const parts = [
    ...(resize === undefined ? [] : [`${describeResizing(resize)} (${interpolation})`]),
    ...(crop === undefined ? [] : [`crop ${crop.height}x${crop.width}`]),
  ]
  return parts.join(', ')
}

function describeResizing(resize: Resizing): string {
  if ('short' in resize) return `short side ${resize.short}`
  return 'letterbox' in resize ? `letterbox ${resize.letterbox}` : `resized to ${resize.height}x${resize.width}`
}

function sizeAfter({ height, width }: Size, resize: Resizing): Size {
  if ('height' in resize) return resize
  const [short, long] = [Math.min(height, width), Math.max(height, width)]
  const isTall = height > width
  if ('letterbox' in resize) return { height: resize.letterbox, width: resize.letterbox }
  // torchvision cuts the fraction off.
  const other = Math.max(1, Math.trunc((resize.short * long) / short))
  return isTall ? { height: other, width: resize.short } : { height: resize.short, width: other }
}

function resizedTo(picture: Picture, resize: Resizing, interpolation: Interpolation): Picture {
  if (!('letterbox' in resize)) {
    const { height, width } = sizeAfter(picture, resize)
    return resample(picture, width, height, interpolation)
  }
  const side = resize.letterbox
  const ratio = side / Math.max(picture.height, picture.width)
  const [width, height] = [picture.width, picture.height].map((each) => Math.max(1, Math.round(each * ratio))) as [
    number,
    number,
  ]
  return centred(resample(picture, width, height, interpolation), { height: side, width: side })
}

// torchvision rounds half to even, as Python does, and pads what is smaller.
function centred({ width, height, channels, pixels }: Picture, size: Size): Picture {
  if (size.width === width && size.height === height) return { width, height, channels, pixels }
  const [top, left] = [start(height, size.height), start(width, size.width)]
  const target = new Uint8Array(size.width * size.height * channels)
  const [from, end] = [Math.max(0, left), Math.min(width, left + size.width)]
  for (let y = 0; y < size.height; y++) {
    const row = y + top
    if (row < 0 || row >= height) continue
    const at = row * width * channels
    target.set(pixels.subarray(at + from * channels, at + end * channels), (y * size.width + from - left) * channels)
  }
  return { width: size.width, height: size.height, channels, pixels: target }
}

function start(length: number, wanted: number): number {
  const free = length - wanted
  if (free < 0) return -Math.floor(-free / 2)
  const half = free / 2
  return Number.isInteger(half) ? half : 2 * Math.round(half / 2)
}
