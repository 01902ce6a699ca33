// Layers fitted one by one on some samples, within a bound where one is asked for.
import { outputDistance, type OutputDistances, outputDistances } from '../binding/output-distance.js'
import { notFiniteResult } from '../execution/check-runs.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { RestPrecision } from '../options/choices.js'
import { FittedLayers } from '../ternary/fitted-layers.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { AloneDistance } from '../ternary/layer-forms.js'
import { type Reconstruction, reconstruct } from '../ternary/reconstruct.js'
import { roundRest } from '../ternary/round-rest.js'
import type { Behind } from '../ternary/settle-layer.js'
import type { RunCheckpoint } from '../training/run-checkpoint.js'
import type { CompressJob } from './compress-job.js'
import type { ReconstructionReport } from './compress-report.js'
import { boundOf, fitWithinBound, type Measured, type Mixture } from './fit-within-bound.js'
import type { FittingSamples } from './fitting-samples.js'
import { packNetwork } from './pack-network.js'
import { restFor } from './rest-for.js'

export interface Reconstructed extends Reconstruction {
  report: ReconstructionReport
  /** With fewer ternary layers where a bound asks for it, */
  choices: readonly LayerChoice[]
  /** and how the others are stored. */
  exceptions: ReadonlyMap<ValueName, RestPrecision>
}

interface Fitting {
  /** What stands behind a layer afterwards. */
  behind: (choice: LayerChoice) => Behind
  /** Points of accuracy that a network has lost; absent where nobody asks. */
  lost?: (changed: Model) => Promise<number>
  /** Where the layers that are fitted are kept. */
  checkpoint: RunCheckpoint | undefined
}

/** Fewer samples than this are warned of. */
const FEWEST = 4

/** Held-out samples that single layers are compared on. */
const COSTED = 32

/** @throws TtqError `data`, `model`, `runtime`, `interrupted` */
export async function fitLayers(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  samples: FittingSamples,
  job: CompressJob,
  { behind, lost, checkpoint }: Fitting,
): Promise<Reconstructed> {
  const start = performance.now()
  const { split, fixedBatch, heldOut, description, dataset } = samples
  // A single sample is all that there is.
  const compared = heldOut.length > 0 ? heldOut : Array.from(samples.indices)
  const isBounded = boundOf(job) !== undefined
  if (samples.indices.length < FEWEST)
    job.warn(`layers are fitted on ${samples.indices.length} of the samples: so few say little of what others are like`)
  const fits = new FittedLayers(checkpoint?.parts, (part) => checkpoint?.add(part))
  const fit = async ({ choices: chosen, exceptions }: Mixture, detail = description): Promise<Fitted> => {
    job.phase('reconstruct', detail)
    const done = await reconstruct(pool, model, chosen, samples, {
      ...job.options,
      behind,
      fits,
      onProgress: (layers, total) => {
        job.progress({ kind: 'evaluated', done: layers, total })
      },
    })
    const stored = roundRest(done.network, chosen, { rest: restFor(model, done.network, job), exceptions })
    const compare = { split, indices: compared, fixedBatch }
    const { distance, outputs } = await outputDistances(pool, model, stored.model, compare)
    // With all that the file will say, or a bound on its size would be broken by that.
    const origin = { method: job.options.method, name: job.connections.name, ...(dataset && { dataset }) }
    const packed = isBounded ? packNetwork(stored, origin, job.options) : undefined
    return {
      ...done,
      choices: chosen,
      exceptions,
      distance,
      outputs,
      drop: isBounded ? ((await lost?.(stored.model)) ?? null) : null,
      fileBytes: packed?.file.length ?? 0,
      sizes: packed?.sizes ?? new Map(),
    }
  }
  const costs = async (all: Fitted): Promise<Map<ValueName, AloneDistance>> => {
    job.phase('analyze')
    const found = new Map<ValueName, AloneDistance>()
    const few = { split, indices: compared.slice(0, COSTED), fixedBatch }
    const distanceOf = async (changed: Model): Promise<number> => (await outputDistance(pool, model, changed, few)) ?? 0
    for (const [name, alone] of all.alone) {
      job.progress({ kind: 'evaluated', done: found.size, total: all.alone.size })
      const int8 = roundRest({ model, layers: new Map() }, choices, {
        rest: 'fp32',
        exceptions: new Map([[name, 'int8']]),
      })
      found.set(name, { ternary: await distanceOf(alone()), int8: await distanceOf(int8.model) })
    }
    return found
  }
  const { fitted, bound } = await fitWithinBound<Fitted>(choices, job, { fit, costs })
  if (Number.isNaN(fitted.distance)) {
    const own = await outputDistance(pool, model, model, { split, indices: compared, fixedBatch })
    if (!Number.isNaN(own)) throw notFiniteResult(job.connections.name, `some of the samples (${description})`)
    job.warn(`the network gives NaN or Infinity on some of the samples (${description})`)
  }
  return {
    ...fitted,
    report: {
      samples: samples.indices.length,
      data: description,
      distance: Number.isNaN(fitted.distance) ? null : fitted.distance,
      ...(fitted.outputs.length > 0 && { outputs: fitted.outputs.map(finiteOrNull) }),
      heldOut: heldOut.length,
      layers: [...fitted.errors].map(([name, error]) => ({ name, error })),
      ...(bound && { bound }),
      elapsedMs: performance.now() - start,
    },
  }
}

interface Fitted extends Omit<Reconstructed, 'report'>, Measured, Pick<OutputDistances, 'outputs'> {}

function finiteOrNull({ name, distance }: OutputDistances['outputs'][number]): {
  name: string
  distance: number | null
} {
  return { name, distance: Number.isFinite(distance) ? distance : null }
}
