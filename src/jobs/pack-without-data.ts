// Compressing without a dataset: ternary weights by the best fit, on samples that are made up.
import type { Model } from '../onnx/model.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { hasCode } from '../errors/ttq-error.js'
import { EngineDied } from '../runtime/engine-died.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { CompressJob } from './compress-job.js'
import { packFitted } from './pack-fitted.js'
import { fitLayers, type Reconstructed } from './fit-layers.js'
import { madeUpSamples } from './fitting-samples.js'
import type { PackedResult } from './packed-result.js'

/** @throws TtqError `model`, `unsupported`, `runtime` */
export async function packWithoutData(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<PackedResult> {
  const { connections } = job
  const fitted = job.isLayerwise ? await fitOnMadeUp(pool, model, choices, job) : undefined
  job.warn(
    `no ${connections.nameOptions('data')}: the weights were fitted without training, and accuracy was not measured`,
  )
  const packed = await packFitted(pool, { model, choices, fitted }, job)
  return { ...packed, unmeasured: `no ${connections.nameOptions('data')}` }
}

// undefined where no samples can be made on which the network runs.
async function fitOnMadeUp(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<Reconstructed | undefined> {
  job.phase('prepare')
  const checkpoint = await job.openCheckpoint(pool, model)
  try {
    const samples = await madeUpSamples(pool, model, choices, job)
    return samples && (await fitLayers(pool, model, choices, samples, job, { behind: () => 'factors', checkpoint }))
  } catch (cause) {
    if (!hasCode(cause, 'runtime')) throw cause
    // Whether the sample is to blame is found out with the result, but for what takes too long on any.
    if (cause instanceof EngineDied && !cause.spent) return undefined
    if (cause instanceof EngineDied) throw cause
    job.warn(`the network does not run on made-up samples (${cause.message}): each layer was fitted by itself`)
    return undefined
  }
}
