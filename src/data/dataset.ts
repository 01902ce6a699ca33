// What a dataset is to the rest of the program: samples, read in batches by index, with or without labels, and a split
// to test on.
import type { Tensor } from '../tensor/tensor.js'
import type { Framing } from './framing.js'
import type { RandomSource } from './random.js'
import type { SinglePart } from './used-parts.js'

/** Some samples as the network takes them: one tensor per graph input (first dimension = samples), and their labels. */
export interface Batch {
  inputs: Readonly<Record<string, Tensor>>
  labels: Labels
  /** What the labels are, in words, where they are texts that no network learns from: `text "cat"`. */
  unread?: string
}

/**
 * What a network should say of samples: numbers (classes, too) by the output that they are for, or under `ONLY` for
 * the one output that the task is about; the first dimension counts the samples. Empty where there are none.
 */
export type Labels = Readonly<Record<string, Tensor<'float32'>>>

/** The key of labels that are for no output by name. */
export const ONLY = ''

/** One part (train or test) of a dataset, bound to a network's inputs. */
export interface Split {
  readonly size: number
  /** The class of every sample, where known without reading the samples. */
  readonly labels?: ArrayLike<number>
  /** What a sample is called, where samples have names: its file. */
  readonly nameOf?: (index: number) => string
  /** The samples with these indices, in this order; with `random` given, augmented (training), else as they are. */
  batch(indices: ArrayLike<number>, random?: RandomSource): Batch | Promise<Batch>
  /**
   * Draws from `random` what an augmented batch of so many samples draws, and reads none: for samples that somebody
   * else reads. Absent where batches leave `random` where it is.
   */
  readonly skip?: (count: number, random: RandomSource) => void
}

/** A dataset bound to one network: its batches are ready to be fed. */
export interface Dataset {
  /** How images are changed in training, as `augmentations` says it; absent where samples are no images. */
  readonly augmentedBy?: readonly string[]
  readonly name: string
  /** How many classes the labels count; undefined where that is not known, or they count none. */
  readonly classes: number | undefined
  readonly train: Split
  readonly test: Split | undefined
  /**
   * How samples become input values, in words for the report, e.g. `(x/255 - mean)/std, mean 0.485,0.456,0.406 std
   * ...`.
   */
  readonly preprocessing: string
  /** The same as data, where the samples are images. */
  readonly pixels?: Preprocessing
  /** The classes' names in the order of their numbers, where they have some. */
  readonly classNames?: readonly string[]
}

/** A dataset on which a network can be measured: what training and every measurement of accuracy need. */
export interface ScorableDataset extends Dataset {
  readonly test: Split
}

/** Labelled 8-bit images as they are stored, not yet bound to a network. */
export interface ImageSet {
  readonly count: number
  readonly channels: number
  readonly height: number
  readonly width: number
  /** count x channels x height x width, 0..255. */
  readonly pixels: Uint8Array
  /** The class of each; undefined where nobody says. */
  readonly labels: ArrayLike<number> | undefined
}

export interface ImageDataset {
  readonly kind: 'images'
  readonly name: string
  /** undefined where the images have no labels. */
  readonly classes: number | undefined
  /** In the order of their numbers, where they have names. */
  readonly classNames?: readonly string[]
  readonly train: ImageSet
  readonly test: ImageSet | undefined
  /** Where they do not say what is for what. */
  readonly single?: SinglePart
  /** Mean and standard deviation per channel of pixels scaled to 0..1: the dataset's usual normalisation. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
  /** What augmentation leaves the class of an image as it is. */
  readonly augmentation: Augmentation
  /** Images lie in memory: nothing is to be ended. */
  close?(): Promise<void>
}

/** Images of one size that are not in memory. */
export interface ImagesOnDemand extends Omit<ImageSet, 'pixels'> {
  /** What an image is called, where images have names: its file. */
  readonly nameOf?: (index: number) => string
  /**
   * The images with these indices, in this order.
   * @param region a random part of each in its place, of this share of the picture's area at least
   * @throws TtqError `data` for one that cannot be read
   */
  load(indices: ArrayLike<number>, region?: { least: number; random: RandomSource }): Promise<ImageSet>
}

/** Images that are read when they are asked for, brought to a network's size. */
export interface FramedImages extends Omit<ImageDataset, 'train' | 'test'> {
  readonly train: ImagesOnDemand
  readonly test: ImagesOnDemand | undefined
  /** How they were brought to their size. */
  readonly framing: Framing
}

/** Images each with its class. */
export interface LabelledImageSet extends ImageSet {
  readonly labels: Uint8Array
}

/** Of which all is known, as of the usual collections. */
export interface LabelledImages extends ImageDataset {
  readonly classes: number
  readonly train: LabelledImageSet
  readonly test: LabelledImageSet
}

export interface Augmentation {
  /**
   * Black pixels (0 before normalisation, as torchvision pads) on each side before a random crop back to the image's
   * size; 0 = none.
   */
  pad: number
  /** Mirror half of the images left to right. */
  flip: boolean
  /** A random part of the image, of this share of its area at least, brought to the image's size, before all others. */
  resizedCrop?: number
  /** Random brightness, contrast and saturation, by factors as far from 1 as this. */
  jitter?: number
  /** Random hue, turned by at most this share of the circle either way. */
  hue?: number
  /** Side of a square at a random place that becomes the mean colour, pixels. */
  cutout?: number
}

/** The order of an image's values in an input; a flat input takes the same order. */
export type Layout = 'NCHW' | 'NHWC'

/**
 * How pixels (0..255) become input values: (pixel / 255 * scale - mean) / std; mean and std per channel, in units of
 * `scale`.
 */
export interface Preprocessing {
  /** 'imagenet', the dataset's name (its own mean and std), '0..1', '0..255', '-1..1' or 'given'. */
  name: string
  layout: Layout
  /** What a white pixel is before mean and std: 1 or 255. */
  scale: number
  mean: readonly number[]
  std: readonly number[]
  /**
   * Blue comes first, green, then red, as OpenCV and Caffe have it; mean and std are in that order, too. Absent: red
   * first.
   */
  channelOrder?: 'bgr'
  /** How pictures of other sizes are brought to the network's, before all of this. */
  framing?: Framing
}
