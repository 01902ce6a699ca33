// Which pixel scaling a network expects: tried, not guessed.
import type { Dataset, Preprocessing } from '../data/dataset.js'
import type { ValueName } from '../onnx/model.js'
import { evaluate } from './evaluate.js'
import type { WorkerPool } from './worker-pool.js'

/** Training images each candidate is tried on, and those that the closest ones are compared on. */
const TRIAL_SAMPLES = 500
const FINAL_SAMPLES = 2500
/** Candidates this many points from the best, the noise of the trial, go to the final. */
const NOISE_POINTS = 3

export interface Choice {
  preprocessing: Preprocessing
  /** Percent of the trial images classified right, per candidate in order. */
  top1: readonly number[]
}

/**
 * The candidate under which the network classifies most training images right; the first among equals. Neighbours such as a dataset's
 * own mean and ImageNet's differ by less than the noise of some hundred images, so the closest ones are compared on more.
 * @param bind makes the dataset with a candidate's preprocessing
 */
export async function choosePreprocessing(
  pool: WorkerPool, model: Uint8Array, output: ValueName, candidates: readonly Preprocessing[], bind: (candidate: Preprocessing) => Dataset,
  fixedBatch: number | null,
): Promise<Choice> {
  const tryOn = async (candidate: Preprocessing, samples: number): Promise<number> => {
    const { train } = bind(candidate)
    const stride = Math.max(1, Math.floor(train.size / samples))
    const indices = Array.from({ length: Math.min(samples, train.size) }, (_, i) => i * stride)
    return (await evaluate(pool, model, train, { output, indices, fixedBatch })).top1 ?? 0
  }
  const top1: number[] = []
  for (const candidate of candidates) top1.push(await tryOn(candidate, TRIAL_SAMPLES))
  const close = candidates.filter((_, i) => (top1[i] as number) >= Math.max(...top1) - NOISE_POINTS)
  if (close.length === 1) return { preprocessing: close[0] as Preprocessing, top1 }
  const final: number[] = []
  for (const candidate of close) final.push(await tryOn(candidate, FINAL_SAMPLES))
  return { preprocessing: close[final.indexOf(Math.max(...final))] as Preprocessing, top1 }
}
