// Compressing without a dataset: ternary weights by the best fit, on samples that are made up.
import { checkResultRuns, checkRuns } from '../execution/check-runs.js'
import type { Model } from '../onnx/model.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { EngineDied } from '../runtime/engine-died.js'
import { packsExactly } from '../packed/unpack.js'
import { fitWithoutData } from '../ternary/fit-without-data.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { roundRest } from '../ternary/round-rest.js'
import type { CompressJob } from './compress-job.js'
import { packNetwork } from './pack-network.js'
import { isLayerwise, reconstructSynthetically } from './reconstruct-layers.js'
import type { PackedResult } from './packed-result.js'

/** @throws TtqError `model`, `unsupported`, `runtime` */
export async function packWithoutData(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<PackedResult> {
  const { options, connections } = job
  const ternary = new Set(choices.filter((choice) => choice.ternary).map(({ weight }) => weight))
  await checkRuns(pool.trial, model, connections.name, ternary)
  const fitted = isLayerwise(job) ? await reconstructSynthetically(pool, model, choices, job) : undefined
  job.warn(
    `no ${connections.nameOptions('data')}: the weights were fitted without training, and accuracy was not measured`,
  )
  job.phase('pack')
  const packed = fitted?.choices ?? choices
  const network = roundRest(fitted?.network ?? fitWithoutData(model, choices, options), packed, {
    rest: options.rest,
    ...(fitted && { exceptions: fitted.exceptions }),
  })
  const file = packNetwork(network, { method: options.method, name: connections.name })
  job.phase('verify')
  const fault = await checkResultRuns(pool.trial, model, network.model, connections.name)
  if (fault instanceof EngineDied)
    job.warn(`${fault.message} of the network on a made-up sample, before and after: it may die on real ones as well`)
  return {
    file,
    choices: packed,
    network,
    bitExact: packsExactly(file, network.model),
    ...(fitted && { reconstruction: fitted.report }),
  }
}
