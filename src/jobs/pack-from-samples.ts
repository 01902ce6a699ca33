// Compressing on samples by which the network cannot be scored, for want of labels or of a task that is known: layer by
// layer, without training.
import type { BoundSamples } from '../binding/bind-samples.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { CompressJob } from './compress-job.js'
import { packFitted } from './pack-fitted.js'
import type { PackedResult } from './packed-result.js'
import { isLayerwise, reconstructFrom } from './reconstruct-layers.js'

export interface UnscoredSamples extends BoundSamples {
  /** Why accuracy is not measured, in a few words. */
  unmeasured: string
}

/** @throws TtqError `model`, `data`, `runtime`, `interrupted` */
export async function packFromSamples(
  pool: WorkerPool,
  { unmeasured, ...bound }: UnscoredSamples,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<PackedResult> {
  const { model, dataset, fixedBatch } = bound
  const fitted = isLayerwise(job) ? await reconstructFrom(pool, bound, choices, job, { behind: 'factors' }) : undefined
  const first = Array.from({ length: fixedBatch ?? 1 }, (_, i) => i % dataset.train.size)
  const { inputs } = await dataset.train.batch(first)
  const packed = await packFitted(pool, { model, choices, fitted, dataset }, job, inputs)
  return { ...packed, dataset, unmeasured }
}
