// How far images may be changed while a network learns from them: by themselves, or as a user says.
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Augmentation } from './dataset.js'

/** As far as CIFAR-10's and MNIST's images are moved. Grey images may be digits, which are others when mirrored. */
export function augmentationOf(images: { channels: number; height: number; width: number }): Augmentation {
  const pad = usualPad(images)
  return images.channels === 1 ? { pad, flip: false } : { pad, flip: true }
}

function usualPad({ channels, height, width }: { channels: number; height: number; width: number }): number {
  return Math.round(Math.min(height, width) / (channels === 1 ? 14 : 8))
}

/** The words that say an augmentation. */
export function augmentationWords({ pad, flip, resizedCrop, jitter, hue, cutout }: Augmentation): string[] {
  const numbers = { 'resized-crop': resizedCrop, crop: pad, jitter, hue, cutout }
  const words = Object.entries(numbers).flatMap(([word, number]) => (number ? [`${word}:${number}`] : []))
  return [...words, ...(flip ? ['flip'] : [])]
}

interface Change {
  /** What the number behind the colon may be, and is where none is given. */
  from: number
  to: number
  usual: (side: number, pad: number) => number
  whole?: true
  /** What it says of an augmentation. */
  set: (value: number) => Partial<Augmentation>
}

/** By the words that users write, with a number behind a colon where they like. */
const CHANGES: Readonly<Record<string, Change>> = {
  crop: { from: 1, to: 1024, whole: true, usual: (_, pad) => pad, set: (pad) => ({ pad }) },
  flip: { from: 1, to: 1, whole: true, usual: () => 1, set: () => ({ flip: true }) },
  // torchvision's RandomResizedCrop(scale=(0.08, 1)).
  'resized-crop': { from: 0.01, to: 1, usual: () => 0.08, set: (resizedCrop) => ({ resizedCrop }) },
  // As far as ResNet's usual recipe for ImageNet goes.
  jitter: { from: 0.01, to: 1, usual: () => 0.4, set: (jitter) => ({ jitter }) },
  // As far as torchvision's own examples turn it; half the circle is all that there is.
  hue: { from: 0.01, to: 0.5, usual: () => 0.1, set: (hue) => ({ hue }) },
  // DeVries and Taylor, arXiv 1708.04552: 16 of CIFAR-10's 32 pixels.
  cutout: { from: 1, to: 1024, whole: true, usual: (side) => Math.round(side / 2), set: (cutout) => ({ cutout }) },
}

/** The words. */
export const AUGMENTATIONS: readonly string[] = Object.keys(CHANGES)

/**
 * What a list such as `crop:4`, `flip`, `jitter:0.2` asks for.
 * @param option how messages name it
 * @throws TtqError `usage` for words that say nothing
 */
export function parseAugmentations(
  words: readonly string[],
  images: { channels: number; height: number; width: number },
  option: string,
): Augmentation {
  const side = Math.min(images.height, images.width)
  return words.reduce<Augmentation>(
    (found, word) => {
      const [name = '', given] = word.split(':', 2)
      const change = Object.hasOwn(CHANGES, name) ? CHANGES[name] : undefined
      const closest = closestName(name, AUGMENTATIONS)
      if (change === undefined)
        throw new TtqError('usage', `${option}: found "${word}", expected some of ${AUGMENTATIONS.join(', ')}`, {
          facts: { option, found: word },
          hint: closest === undefined ? 'docs/datasets.md says what each does' : `did you mean ${closest}?`,
        })
      const value = given === undefined ? change.usual(side, usualPad(images)) : Number(given)
      const isFit = given !== '' && value >= change.from && value <= change.to
      if (!isFit || (change.whole === true && !Number.isInteger(value)))
        throw new TtqError(
          'usage',
          `${option}: found "${word}", expected a ${change.whole === true ? 'whole ' : ''}number from ` +
            `${change.from} to ${change.to} behind "${name}:"`,
          { facts: { option, found: word }, hint: `"${name}" alone takes what is usual` },
        )
      return { ...found, ...change.set(value) }
    },
    { pad: 0, flip: false },
  )
}
