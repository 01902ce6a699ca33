// Compressing without a dataset: ternary weights by the best fit, on samples that are made up.
import { checkRuns } from '../execution/check-runs.js'
import type { Model } from '../onnx/model.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { CompressJob } from './compress-job.js'
import { packFitted } from './pack-fitted.js'
import { isLayerwise, reconstructSynthetically } from './reconstruct-layers.js'
import type { PackedResult } from './packed-result.js'

/** @throws TtqError `model`, `unsupported`, `runtime` */
export async function packWithoutData(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<PackedResult> {
  const { connections } = job
  const ternary = new Set(choices.filter((choice) => choice.ternary).map(({ weight }) => weight))
  await checkRuns(pool.trial, model, connections.name, ternary)
  const fitted = isLayerwise(job) ? await reconstructSynthetically(pool, model, choices, job) : undefined
  job.warn(
    `no ${connections.nameOptions('data')}: the weights were fitted without training, and accuracy was not measured`,
  )
  const packed = await packFitted(pool, { model, choices, fitted }, job)
  return { ...packed, unmeasured: `no ${connections.nameOptions('data')}` }
}
