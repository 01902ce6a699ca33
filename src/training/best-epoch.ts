// Which epoch of a training is kept.
import type { Metric } from '../tasks/task.js'

/**
 * Whether an epoch is kept in the place of an earlier one: its score is within a standard error of the highest so far.
 * Such epochs are equally good as far as the held-out samples can tell, and in the last of them the learning rate has
 * fallen farthest (docs/experiments.md, "A bound of 0.2 points").
 * Where the score is no share of the samples, nothing is known of its error: then no earlier one may be better.
 * @param score of the held-out samples
 * @param earlier scores of the epochs before
 * @param samples how many are held out
 */
export function isBest(
  score: number,
  earlier: readonly number[],
  samples: number,
  { better, ofSamples }: Pick<Metric, 'better' | 'ofSamples'> = { better: 'higher', ofSamples: true },
): boolean {
  if (better === 'lower') return score <= Math.min(...earlier, Infinity)
  const highest = Math.max(score, ...earlier)
  return score >= highest - (ofSamples === true ? Math.sqrt((highest * (100 - highest)) / samples) : 0)
}
