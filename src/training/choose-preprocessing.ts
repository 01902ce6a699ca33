// Which pixel scaling a network expects: tried, not guessed.
import type { Dataset, Preprocessing } from '../data/dataset.js'
import type { ValueName } from '../onnx/model.js'
import { evaluate } from './evaluate.js'
import type { WorkerPool } from './worker-pool.js'

/** Training images each candidate is tried on. */
const TRIAL_SAMPLES = 500

export interface Choice {
  preprocessing: Preprocessing
  /** Percent of the trial images classified right, per candidate in order. */
  top1: readonly number[]
}

/**
 * The candidate under which the network classifies most of some hundred training images right; the first among equals.
 * @param bind makes the dataset with a candidate's preprocessing
 */
export async function choosePreprocessing(
  pool: WorkerPool, model: Uint8Array, output: ValueName, candidates: readonly Preprocessing[], bind: (candidate: Preprocessing) => Dataset,
  fixedBatch: number | null,
): Promise<Choice> {
  const top1: number[] = []
  for (const candidate of candidates) {
    const { train } = bind(candidate)
    const stride = Math.max(1, Math.floor(train.size / TRIAL_SAMPLES))
    const indices = Array.from({ length: Math.min(TRIAL_SAMPLES, train.size) }, (_, i) => i * stride)
    top1.push((await evaluate(pool, model, train, { output, indices, fixedBatch })).top1)
  }
  const best = top1.indexOf(Math.max(...top1))
  return { preprocessing: candidates[best] as Preprocessing, top1 }
}
