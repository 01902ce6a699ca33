// A part of a picture, drawn as torchvision's RandomResizedCrop draws it (Szegedy et al. 2015, arXiv 1409.4842, section
// 6).
import type { Size } from './framing.js'
import type { Picture } from './picture.js'
import type { RandomSource } from './random.js'

export interface Region extends Size {
  top: number
  left: number
}

/** Width over height of what is drawn: from 3/4 to 4/3. */
const RATIO = Math.log(4 / 3)
const TRIES = 10

/** @param least the smallest share of the picture's area */
export function randomRegion({ height, width }: Size, least: number, random: RandomSource): Region {
  for (let i = 0; i < TRIES; i++) {
    const area = height * width * (least + (1 - least) * random.float())
    const ratio = Math.exp(RATIO * (2 * random.float() - 1))
    const own = { height: Math.round(Math.sqrt(area / ratio)), width: Math.round(Math.sqrt(area * ratio)) }
    if (own.width < 1 || own.height < 1 || own.width > width || own.height > height) continue
    return { ...own, top: random.int(height - own.height + 1), left: random.int(width - own.width + 1) }
  }
  // The middle, as much of it as the ratio allows.
  const most = Math.exp(RATIO)
  const own = { height: Math.min(height, Math.round(width * most)), width: Math.min(width, Math.round(height * most)) }
  return { ...own, top: Math.floor((height - own.height) / 2), left: Math.floor((width - own.width) / 2) }
}

/** One seed per picture, for its region: drawn in the pictures' order, whichever is decoded first. */
export function regionSeeds(count: number, random: RandomSource): number[] {
  return Array.from({ length: count }, () => random.int(2 ** 31))
}

export function cutOut(picture: Picture, { top, left, height, width }: Region): Picture {
  const { channels } = picture
  const pixels = new Uint8Array(height * width * channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * channels
    pixels.set(picture.pixels.subarray(from, from + width * channels), y * width * channels)
  }
  return { width, height, channels, pixels }
}
