// How pictures come to the network's size: as the user says, or else as its input and the pictures let guess.
import { TtqError } from '../errors/ttq-error.js'
import { describeFraming, type Framing, type Resizing, type Size } from './framing.js'
import type { Interpolation } from './resample.js'

/** What the user wrote after --resize, --crop and --interpolation. */
export interface FramingWords {
  resize?: string | undefined
  crop?: string | undefined
  interpolation?: Interpolation | undefined
}

export function saysFraming({ resize, crop, interpolation }: FramingWords): boolean {
  return resize !== undefined || crop !== undefined || interpolation !== undefined
}

/** The short side that the middle of a picture is usually taken from, for a network of images of this side. */
export function usualShortSide(side: number): number {
  return Math.round(side / MIDDLE)
}

/** Networks for smaller images are trained on whole ones; larger ones see the middle of theirs when they are tested. */
const CROPPED_FROM = 64
/** The part of the short side that the middle takes, as in torchvision's and Keras' pretrained networks: 224 of 256. */
const MIDDLE = 0.875
/** Of a network for any size. */
const USUAL: Size = { height: 224, width: 224 }

/**
 * What the words say; where none is given, pictures of the network's size stay as they are, and others are resized: the
 * whole picture below 64 pixels, else the short side to 8/7 of the network's, of which the middle is taken.
 * @param wanted the network's input; undefined where it takes any size
 * @param sizes of some pictures
 * @throws TtqError `usage` for words that say nothing
 */
export function chooseFraming(words: FramingWords, wanted: Size | undefined, sizes: readonly Size[]): Framing {
  const interpolation = words.interpolation ?? 'bilinear'
  const resize = words.resize === undefined ? undefined : parseResize(words.resize)
  const crop = words.crop === undefined ? undefined : parseImageSize('--crop', words.crop)
  if (resize !== undefined || crop !== undefined) {
    // A short side leaves the other one open, which the network does not.
    const isOpen = resize !== undefined && 'short' in resize
    const middle = crop ?? (isOpen ? (wanted ?? { height: resize.short, width: resize.short }) : undefined)
    return { ...(resize && { resize }), ...(middle && { crop: middle }), interpolation }
  }
  const [first] = sizes
  const areAlike = sizes.every(({ height, width }) => height === first?.height && width === first.width)
  if (wanted === undefined && areAlike) return { interpolation }
  const target = wanted ?? USUAL
  const areOfSize = areAlike && first?.height === target.height && first.width === target.width
  const side = Math.min(target.height, target.width)
  return areOfSize || side < CROPPED_FROM
    ? { resize: target, interpolation }
    : { resize: { short: usualShortSide(side) }, crop: target, interpolation }
}

/** Whether pictures of these sizes come to the network's only by a framing that nobody has said. */
export function isFramingGuessed(wanted: Size | undefined, sizes: readonly Size[]): boolean {
  const expected = wanted ?? sizes[0]
  return sizes.some(({ height, width }) => height !== expected?.height || width !== expected.width)
}

/**
 * The usual ways to bring pictures to a size: the middle, as torchvision and Keras test, all that is short, squeezed.
 */
export function usualFramings(wanted: Size, interpolation: Interpolation): Framing[] {
  const side = Math.min(wanted.height, wanted.width)
  return [
    { resize: { short: usualShortSide(side) }, crop: wanted, interpolation },
    { resize: { short: side }, crop: wanted, interpolation },
    { resize: wanted, interpolation },
  ]
}

/** Parts of the short side that timm's networks are tested with, besides the usual ones. */
const OTHER_PARTS = [0.9, 0.95]

/** Other ways in which the network may have been tested, to explain an accuracy that is not what was expected. */
export function otherFramings(framing: Framing, wanted: Size): Framing[] {
  const side = Math.min(wanted.height, wanted.width)
  const ways = [
    ...usualFramings(wanted, 'bilinear'),
    ...usualFramings(wanted, 'bicubic'),
    ...OTHER_PARTS.map((part): Framing => ({
      resize: { short: Math.round(side / part) },
      crop: wanted,
      interpolation: 'bilinear',
    })),
  ]
  return others(framing, ways)
}

/** The ways that are not this one. */
export function others(framing: Framing, ways: readonly Framing[]): Framing[] {
  return ways.filter((way) => describeFraming(way) !== describeFraming(framing))
}

/** What a user writes for a framing: chooseFraming makes the same one of it. */
export function framingWords({ resize, crop, interpolation }: Framing): FramingWords {
  return {
    resize: resize === undefined ? undefined : resizeWords(resize),
    crop: crop && sizeWords(crop),
    interpolation,
  }
}

function resizeWords(resize: Resizing): string {
  if ('short' in resize) return String(resize.short)
  return 'letterbox' in resize ? `letterbox:${resize.letterbox}` : sizeWords(resize)
}

function sizeWords({ height, width }: Size): string {
  return `${height}x${width}`
}

function parseResize(text: string): Resizing {
  const letterbox = /^letterbox:(\d+)$/.exec(text)
  if (letterbox !== null) return { letterbox: side('--resize', text, letterbox[1] ?? '') }
  return /^\d+$/.test(text) ? { short: side('--resize', text, text) } : parseImageSize('--resize', text)
}

/** Height and width, said as `224` or `224x192`. @throws TtqError `usage` */
export function parseImageSize(option: string, text: string): Size {
  const [, height = '', width = height] = /^(\d+)(?:x(\d+))?$/.exec(text) ?? []
  return { height: side(option, text, height), width: side(option, text, width) }
}

/** Of a side, pixels. */
const MOST = 2 ** 14

function side(option: string, text: string, digits: string): number {
  const pixels = Number(digits)
  if (digits !== '' && pixels >= 1 && pixels <= MOST) return pixels
  const forms = option === '--resize' ? '256 (short side), 224x224 or letterbox:640' : '224 or 224x192'
  throw new TtqError('usage', `${option}: found "${text}", expected ${forms}`, {
    facts: { option, found: text },
    hint: `pixels from 1 to ${MOST}; height comes before width`,
  })
}
