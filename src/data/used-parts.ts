// What the parts of data are used for, to learn from and to test on: where the data say so, and where they have a
// single part.
import { divided } from './divide.js'

/** What data are opened for. To measure, nothing is to be learned from: a part to test on is all that it takes. */
export type Use = 'learning' | 'measuring'

/** What becomes of the only part of data: a fifth of it is put aside to test on, or all of it is tested on. */
export type SinglePart = 'divided' | 'undivided'

export interface UsedParts<T> {
  /** Where all of the only part is tested on, that part, too: what is found out by trial has no others. */
  train: T
  test: T | undefined
  /** Absent where the data say what is for what, or nothing is tested on. */
  single?: SinglePart
}

interface PartsOptions<T> {
  use: Use
  /** How many samples a part has that can be divided; undefined for one that stays whole, without labels. */
  divisible: (part: T) => number | undefined
  /** The samples of a part at these places. */
  choose: (part: T, places: Uint32Array) => T
  /** Says that there is nothing to learn from. */
  missing: () => Error
}

/** @throws what `missing` gives, where there is no part to learn from and one is needed */
export function usedParts<T>(
  { train, test }: { train: T | undefined; test: T | undefined },
  { use, divisible, choose, missing }: PartsOptions<T>,
): UsedParts<T> {
  if (train !== undefined && test !== undefined) return { train, test }
  if (use === 'measuring') {
    const only = train ?? test
    if (only === undefined) throw missing()
    return { train: only, test: only, single: 'undivided' }
  }
  if (train === undefined) throw missing()
  const size = divisible(train) ?? 0
  if (size < 2) return { train, test: undefined }
  const places = divided(size)
  return { train: choose(train, places.train), test: choose(train, places.test), single: 'divided' }
}

/** Parts that may be tested on, and whether their samples have labels. */
interface Candidates<T> {
  train: T | undefined
  test: T | undefined
  validation: T | undefined
  isLabelled: (part: T) => boolean
}

/**
 * The part to test on: `test`, or `validation` where that has no labels, as of competitions. Where neither has any, none
 * is, if there are labels to learn from: some of those samples are put aside then, for accuracy to be measured.
 */
export function testedPart<T>({ train, test, validation, isLabelled }: Candidates<T>): T | undefined {
  const present = [test, validation].filter((part) => part !== undefined)
  const labelled = present.find(isLabelled)
  return labelled ?? (train !== undefined && isLabelled(train) ? undefined : present[0])
}

/** What is tested on where data have a single part, in words. */
export function testedOn(single: SinglePart): string {
  return single === 'divided'
    ? 'a fifth of the samples, put aside, the same ones in every run'
    : 'all samples, the data having a single part with labels'
}
