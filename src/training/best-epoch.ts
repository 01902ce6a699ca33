// Which epoch of a training is kept.
import type { Metric } from '../tasks/task.js'

/** The best of some scores, by a metric; undefined without any. */
export function bestScore(
  scores: readonly number[],
  { better }: Pick<Metric, 'better'> = { better: 'higher' },
): number | undefined {
  return scores.length === 0 ? undefined : better === 'lower' ? Math.min(...scores) : Math.max(...scores)
}

/**
 * Whether an epoch is kept in the place of an earlier one: its score is within a standard error of the highest so far.
 * Such epochs are equally good as far as the held-out samples can tell, and in the last of them the learning rate has
 * fallen farthest (docs/experiments.md, "A bound of 0.2 points").
 * Where the score is no share of the samples, nothing is known of its error: then no earlier one may be better.
 * @param score of the held-out samples
 * @param earlier scores of the epochs before
 * @param samples how many are held out
 */
export function isKept(
  score: number,
  earlier: readonly number[],
  samples: number,
  { better, ofSamples }: Pick<Metric, 'better' | 'ofSamples'> = { better: 'higher', ofSamples: true },
): boolean {
  const highest = bestScore([score, ...earlier], { better }) as number
  if (better === 'lower') return score === highest
  return score >= highest - (ofSamples === true ? Math.sqrt((highest * (100 - highest)) / samples) : 0)
}
