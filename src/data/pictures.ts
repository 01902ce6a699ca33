// Pictures as they are stored: each a file of its own size, read when it is asked for, and of which kind a dataset of
// them is.
import type { ImageDataset, ImageSet } from './dataset.js'
import type { KeptPixels } from './kept-pixels.js'
import { type Picture, pictureOf } from './picture.js'
import { type SinglePart, type Use, usedParts, type UsedParts } from './used-parts.js'

/** One part of a dataset of pictures. */
export interface PictureSet {
  readonly count: number
  /** The class of each; undefined where nobody says. */
  readonly labels: ArrayLike<number> | undefined
  /** The bytes of a picture's file, or its pixels. @throws TtqError `data` where it cannot be read */
  read(index: number): Promise<Uint8Array | Picture>
  /** How messages call it: its file, its row. */
  nameOf(index: number): string
  /** How reports call it, which go to others: its file below the folder of the data. Default: as messages do. */
  titleOf?(index: number): string
  /** That name is its place, and says no more. */
  readonly isNumbered?: true
}

/** Pictures, opened and not yet framed for a network. */
export interface PictureDataset {
  readonly kind: 'pictures'
  readonly name: string
  /** undefined where the pictures have no labels. */
  readonly classes: number | undefined
  /** In the order of their numbers, where they have names. */
  readonly classNames?: readonly string[]
  readonly train: PictureSet
  readonly test: PictureSet | undefined
  /** Where they do not say what is for what. */
  readonly single?: SinglePart
  /** Where pictures are kept that were decoded. Default: in memory, as far as that goes. */
  readonly kept?: KeptPixels
  close?(): Promise<void>
}

/** The pictures of a set at these places. */
export function chosenPictures(set: PictureSet, places: ArrayLike<number>): PictureSet {
  const at = (index: number): number => places[index] as number
  const { labels } = set
  return {
    count: places.length,
    labels: labels && Uint32Array.from(places, (place) => labels[place] as number),
    read: (index) => set.read(at(index)),
    nameOf: (index) => set.nameOf(at(index)),
    ...(set.titleOf && { titleOf: (index) => (set.titleOf as (index: number) => string)(at(index)) }),
    ...(set.isNumbered && { isNumbered: true }),
  }
}

/**
 * What pictures are learned from and tested on: of a single part a fifth is put aside where it has classes.
 * @throws what `missing` gives, where there are none to learn from
 */
export function usedPictures(
  parts: { train: PictureSet | undefined; test: PictureSet | undefined },
  use: Use,
  missing: () => Error,
): UsedParts<PictureSet> {
  return usedParts(parts, {
    use,
    divisible: ({ labels, count }) => labels && count,
    choose: chosenPictures,
    missing,
  })
}

/** Images that lie in memory, as pictures that can be resized. */
export function asPictures({ train, test, name, classes, classNames }: ImageDataset): PictureDataset {
  const learned = decodedPictures(train)
  const named = classNames && { classNames }
  return {
    kind: 'pictures',
    name,
    classes,
    ...named,
    train: learned,
    test: test === train ? learned : test && decodedPictures(test),
  }
}

function decodedPictures(set: ImageSet): PictureSet {
  const { count, labels } = set
  return {
    count,
    labels,
    read: (index) => Promise.resolve(pictureOf(set, index)),
    nameOf: (index) => `image ${index}`,
    isNumbered: true,
  }
}
