// Taking held-out samples from the training data, for choosing the best epoch without looking at the test set.
import { shuffledIndices, type RandomSource } from './random.js'

interface SplitValidationOptions {
  /** The class of every sample; with it, each class gives its share, to within one sample. */
  labels?: ArrayLike<number> | undefined
  /** Samples to hold out; no more than a tenth of all is taken, or two of 10 to 20. */
  most: number
}

/** Both ascending; together every index from 0 to size-1 once. */
export interface ValidationSplit {
  training: Uint32Array
  heldOut: Uint32Array
}

/** How many of so many samples are held out. */
export function heldOutCount(size: number, most: number): number {
  // One sample alone has no R2, and may have no label that counts.
  return Math.max(1, Math.min(most, Math.max(Math.floor(size / 10), Math.min(2, Math.floor(size / 5)))))
}

/** Divides the indices 0..size-1 into training and held-out samples, at random but for the classes' shares. */
export function splitValidation(
  size: number,
  random: RandomSource,
  { labels, most }: SplitValidationOptions,
): ValidationSplit {
  const count = heldOutCount(size, most)
  // Shuffled, then sorted by class (the sort is stable): every size/count-th one is a random sample of each class.
  const order = shuffledIndices(size, random)
  if (labels !== undefined) order.sort((a, b) => (labels[a] as number) - (labels[b] as number))
  const isHeldOut = (at: number): boolean => Math.floor(((at + 1) * count) / size) > Math.floor((at * count) / size)
  return {
    training: order.filter((_, at) => !isHeldOut(at)).sort(),
    heldOut: order.filter((_, at) => isHeldOut(at)).sort(),
  }
}
