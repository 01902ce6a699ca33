// Compressing on samples by which the network cannot be scored, for want of labels or of a task that is known: layer by
// layer, without training.
import type { WorkerPool } from '../execution/worker-pool.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { UnscoredSamples } from './bind-data.js'
import type { CompressJob } from './compress-job.js'
import { fitLayers } from './fit-layers.js'
import { trainingSamples } from './fitting-samples.js'
import { packFitted } from './pack-fitted.js'
import type { PackedResult } from './packed-result.js'

/** @throws TtqError `model`, `data`, `runtime`, `interrupted` */
export async function packFromSamples(
  pool: WorkerPool,
  { unmeasured, ...bound }: UnscoredSamples,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<PackedResult> {
  const { model, dataset, fixedBatch } = bound
  const fitted = job.isLayerwise
    ? await fitLayers(pool, model, choices, trainingSamples(bound, job), job, {
        behind: () => 'factors',
        checkpoint: await job.openCheckpoint(pool, model, bound),
      })
    : undefined
  const first = Array.from({ length: fixedBatch ?? 1 }, (_, i) => i % dataset.train.size)
  const { inputs } = await dataset.train.batch(first)
  const packed = await packFitted(pool, { model, choices, fitted, dataset }, job, inputs)
  return { ...packed, dataset, unmeasured }
}
