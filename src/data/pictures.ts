// Pictures as they are stored: each a file of its own size, read when it is asked for, and of which kind a dataset of
// them is.
import type { ImageDataset, ImageSet } from './dataset.js'
import { divided } from './divide.js'
import { type Picture, pictureOf } from './picture.js'

/** One part of a dataset of pictures. */
export interface PictureSet {
  readonly count: number
  /** The class of each; undefined where nobody says. */
  readonly labels: ArrayLike<number> | undefined
  /** The bytes of a picture's file, or its pixels. @throws TtqError `data` where it cannot be read */
  read(index: number): Promise<Uint8Array | Picture>
  /** How messages call it: its file, its row. */
  nameOf(index: number): string
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
    ...(set.isNumbered && { isNumbered: true }),
  }
}

/** Both parts of a dataset: where nothing is said of a test part, a fifth of the pictures that have classes is it. */
export function withTestPart(train: PictureSet, test: PictureSet | undefined): Pick<PictureDataset, 'train' | 'test'> {
  if (test !== undefined || train.labels === undefined || train.count < 2) return { train, test }
  const places = divided(train.count)
  return { train: chosenPictures(train, places.train), test: chosenPictures(train, places.test) }
}

/** Images that lie in memory, as pictures that can be resized. */
export function asPictures({ name, classes, train, test }: ImageDataset): PictureDataset {
  return { kind: 'pictures', name, classes, train: decodedPictures(train), test: test && decodedPictures(test) }
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
