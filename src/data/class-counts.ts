// How many samples there are of each class, and what is odd about that.
import { printable } from '../errors/printable.js'

/** Samples of each class, in the order of their numbers. */
export function countClasses(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number
    if (label < classes) counts[label] = (counts[label] as number) + 1
  }
  return counts
}

/** A class with fewer than this share of the largest one's samples is one that a network may never name. */
const SMALL = 0.1

/** As many classes as a message names. */
const NAMED = 3

/**
 * What a user should know of classes before a network learns them.
 * @param names of the classes, where they have some
 */
export function oddClasses(
  train: readonly number[] | undefined,
  test: readonly number[] | undefined,
  names?: readonly string[],
): string[] {
  const named = (places: readonly number[]): string => {
    const shown = places.slice(0, NAMED).map((place) => printable(names?.[place] ?? `${place}`))
    return (
      `${places.length === 1 ? 'class' : 'classes'} ` +
      `${shown.join(', ')}${places.length > NAMED ? `, ... (${places.length})` : ''}`
    )
  }
  const empty = (counts: readonly number[]): number[] => counts.flatMap((count, place) => (count === 0 ? [place] : []))
  const found: string[] = []
  for (const [counts, what] of [
    [train, 'to learn from'],
    [test, 'to test on'],
  ] as const) {
    const missing = counts === undefined ? [] : empty(counts)
    if (missing.length > 0 && missing.length < (counts?.length ?? 0))
      found.push(`no samples ${what} of ${named(missing)}`)
  }
  if (train === undefined || train.length === 0) return found
  if (train.length === 1) found.push(`all samples are of ${named([0])}: there is nothing to tell apart`)
  const most = Math.max(...train)
  const small = train.flatMap((count, place) => (count > 0 && count < SMALL * most ? [place] : []))
  if (small.length > 0) {
    const least = Math.min(...small.map((place) => train[place] as number))
    found.push(
      `uneven classes: ${most} samples of ${named([train.indexOf(most)])}, down to ${least} of ${named(small)}`,
    )
  }
  return found
}
