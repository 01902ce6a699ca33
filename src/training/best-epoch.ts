// Which epoch of a training is kept.

/**
 * Whether an epoch is kept in the place of an earlier one: its score is within a standard error of the highest so far.
 * Such epochs are equally good as far as the held-out samples can tell, and in the last of them the learning rate has
 * fallen farthest (docs/experiments.md, "A bound of 0.2 points").
 * @param score percent of the held-out samples
 * @param earlier scores of the epochs before
 * @param samples how many are held out
 */
export function isBest(score: number, earlier: readonly number[], samples: number): boolean {
  const highest = Math.max(score, ...earlier)
  return score >= highest - Math.sqrt((highest * (100 - highest)) / samples)
}
