// What a report has for pages to draw, where details were asked for: plain data, small enough to travel in it.

/** The weights of a layer by size and by what they became: bins of equal width from -max|w| to max|w|. */
export interface HistogramReport {
  /** Whose weights these are: the latent ones at the end of training, or those of the network as it came. */
  of: 'latent' | 'original'
  /** Largest magnitude. */
  largest: number
  /** How many in each bin became negative, zero and positive. */
  negatives: readonly number[]
  zeros: readonly number[]
  positives: readonly number[]
}

/** The first kernels of a ternary layer; of a matrix, its upper left corner as a single one. */
export interface TernaryKernels {
  count: number
  height: number
  width: number
  /** Of all layer's kernels. */
  of: number
  /** Row by row, kernel after kernel: `-`, `0` and `+`. */
  codes: string
}

/** Kernels of the first convolution, over grey or colour images, as the packed network has them. */
export interface FirstKernels {
  name: string
  count: number
  height: number
  width: number
  /** Of all of the layer's kernels. */
  of: number
  /**
   * PNG in base64, of kernels beside and below each other with a pixel between: zero is grey, each to its own
   * largest weight.
   */
  picture: string
}

/** Kernels beside each other in the picture of first kernels. */
export const KERNELS_ACROSS = 16

/** What the data are. */
export interface UsedData {
  training: number
  test: number
  /** null where they have none. */
  classes: number | null
  /** In the order of their numbers. */
  classNames?: readonly string[]
}

/** What is decided for the test samples, of a task with one class per sample. */
export interface SamplesReport {
  /** Rows: the class of a sample; columns: what the network decides. Absent without labels, and for many classes. */
  confusion?: readonly (readonly number[])[]
  /** The commonest mix-ups. */
  confused?: readonly { label: number; decided: number; count: number }[]
  /** Percent of each class that is decided right; null where the test set has none of it. */
  byClass?: readonly (number | null)[]
  /** Decided wrong, the surest first. */
  mistakes?: readonly SampleReport[]
  /** What the original network says most differently, whether right or wrong. */
  changed?: readonly SampleReport[]
}

export interface SampleReport {
  /** Place in the test set. */
  index: number
  /** What it is called, where samples have names. */
  file?: string
  label: number | null
  decided: number
  /** Of the class decided for, 0..1. */
  probability: number
  original: number | null
  /** Of class probabilities from the original network's, nats; null where they were not compared. */
  divergence: number | null
  /** PNG in base64; null where samples are no images. */
  picture: string | null
}
