// The end of a compression whose accuracy is not measured: what was fitted, layer by layer or each by itself, is packed
// and run once.
import type { Dataset } from '../data/dataset.js'
import { checkResultRuns } from '../execution/check-runs.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { isTooLargeToRun } from '../onnx/too-large-to-run.js'
import type { Model } from '../onnx/model.js'
import { packsExactly } from '../packed/unpack.js'
import { EngineDied } from '../runtime/engine-died.js'
import type { Feeds } from '../runtime/engine.js'
import { fitWithoutData } from '../ternary/fit-without-data.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { roundRest } from '../ternary/round-rest.js'
import type { CompressJob } from './compress-job.js'
import type { Reconstructed } from './fit-layers.js'
import { packNetwork } from './pack-network.js'
import type { PackedResult } from './packed-result.js'
import { restFor } from './rest-for.js'

interface Fitted {
  /** The original. */
  model: Model
  choices: readonly LayerChoice[]
  /** undefined: each layer is fitted by itself. */
  fitted: Reconstructed | undefined
  dataset?: Dataset
}

/** @param sample that the result is run on. Default: one is made up */
export async function packFitted(
  pool: WorkerPool,
  { model, choices, fitted, dataset }: Fitted,
  job: CompressJob,
  sample?: Feeds,
): Promise<PackedResult> {
  const { options, connections } = job
  job.phase('pack')
  const packed = fitted?.choices ?? choices
  const ternary = fitted?.network ?? fitWithoutData(model, choices, options)
  const rest = restFor(model, ternary, job)
  const network = roundRest(ternary, packed, { rest, ...(fitted && { exceptions: fitted.exceptions }) })
  const origin = { method: options.method, name: connections.name, ...(dataset && { dataset }) }
  const { file, model: stored, sizes } = packNetwork(network, origin, options)
  job.phase('verify')
  const fault = isTooLargeToRun(model)
    ? undefined
    : await checkResultRuns(pool.trial, model, network.model, connections.name, sample)
  if (fault instanceof EngineDied)
    job.warn(`${fault.message} of the network on a made-up sample, before and after: it may die on real ones as well`)
  return {
    file,
    sizes,
    choices: packed,
    network,
    rest,
    bitExact: await packsExactly(file, stored),
    ...(fitted && { reconstruction: fitted.report }),
  }
}
