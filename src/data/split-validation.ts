// Taking held-out samples from the training data, for choosing the best epoch without looking at the test set.
import { shuffledIndices, type RandomSource } from './random.js'

export interface SplitValidationOptions {
  /** The class of every sample; with it, each class gives its share, to within one sample. */
  labels?: ArrayLike<number> | undefined
  /** Samples to hold out, 0..size-1. Default: a tenth, at most 5,000. */
  count?: number | undefined
}

/** Both ascending; together every index from 0 to size-1 once. */
export interface ValidationSplit {
  training: Uint32Array
  heldOut: Uint32Array
}

export const MAX_HELD_OUT = 5000

/** Divides the indices 0..size-1 into training and held-out samples, at random but for the classes' shares. */
export function splitValidation(size: number, random: RandomSource, options: SplitValidationOptions = {}): ValidationSplit {
  const { labels, count = Math.min(MAX_HELD_OUT, Math.floor(size / 10)) } = options
  if (!(Number.isInteger(count) && count >= 0 && count <= size)) throw new Error(`internal: ${count} samples held out of ${size}`)
  // Shuffled, then sorted by class (the sort is stable): every size/count-th one is a random sample of each class.
  const order = shuffledIndices(size, random)
  if (labels !== undefined) order.sort((a, b) => (labels[a] as number) - (labels[b] as number))
  const isHeldOut = (at: number): boolean => Math.floor(((at + 1) * count) / size) > Math.floor((at * count) / size)
  return {
    training: order.filter((_, at) => !isHeldOut(at)).sort(),
    heldOut: order.filter((_, at) => isHeldOut(at)).sort(),
  }
}
