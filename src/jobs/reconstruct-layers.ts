// Compressing layer by layer: which samples, and what the report says of it.
import type { BoundSamples } from '../binding/bind-samples.js'
import { outputDistance } from '../binding/output-distance.js'
import { mostSamples, type SampleValues, sampleValues, syntheticSamples } from '../binding/synthetic-samples.js'
import { randomSource, shuffledIndices } from '../data/random.js'
import { ofOneShape } from '../data/one-shape.js'
import { hasCode } from '../errors/ttq-error.js'
import { EngineDied } from '../runtime/engine-died.js'
import { withLoaded } from '../runtime/engine.js'
import { writeModel } from '../onnx/write-model.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { RestPrecision } from '../options/choices.js'
import { tensorOutputs } from '../onnx/graph-queries.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { guessInputs } from '../ternary/guess-inputs.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { Samples } from '../ternary/paired-networks.js'
import type { AloneDistance } from '../ternary/layer-forms.js'
import { roundRest } from '../ternary/round-rest.js'
import { type Reconstruction, reconstruct } from '../ternary/reconstruct.js'
import type { Behind } from '../ternary/settle-layer.js'
import type { CompressJob } from './compress-job.js'
import { boundOf, fitWithinBound, type Measured, type Mixture } from './fit-within-bound.js'
import { packNetwork } from './pack-network.js'
import type { ReconstructionReport } from './compress-report.js'

/** Samples that nothing is fitted on, to compare the outputs on; of few samples a tenth. */
const HELD_OUT = 64

/** Of them, those that single layers are compared on. */
const COSTED = 32

export interface Reconstructed extends Reconstruction {
  report: ReconstructionReport
  /** With fewer ternary layers where a bound asks for it, */
  choices: readonly LayerChoice[]
  /** and how the others are stored. */
  exceptions: ReadonlyMap<ValueName, RestPrecision>
}

/** Whether the options leave the choice of codes to the fit of whole layers. */
export function isLayerwise(job: CompressJob): boolean {
  const { method, renormalize } = job.options
  return method === 'ttq' && renormalize !== 'off' && !job.isGiven('threshold') && !job.isGiven('sparsity')
}

/**
 * Without data: on samples that are made up.
 * @returns undefined where none can be made on which the network runs
 */
export async function reconstructSynthetically(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<Reconstructed | undefined> {
  const { options } = job
  job.phase('prepare')
  const values = sampleValues(model.graph)
  const wanted = job.isGiven('samples') ? options.samples : samplesFor(values, options.samples)
  const most = mostSamples(values)
  if (most < 2) {
    job.warn('the inputs are too large to make samples of: each layer was fitted by itself')
    return undefined
  }
  const { fitted: count, heldOut: others } = shareOut(Math.min(wanted + HELD_OUT, most), wanted)
  if (count < wanted) job.warn(`inputs of this size are made up ${count} times, not ${wanted}`)
  const ways = syntheticSamples(model.graph, { ...options, count: count + others })
  if (ways.length === 0) return undefined
  try {
    const { split, fixedBatch, description } = await guessInputs(pool.trial, model, choices, ways)
    const first = Array.from({ length: fixedBatch ?? 1 }, (_, i) => i % split.size)
    const { inputs } = await split.batch(first)
    await withLoaded(pool.trial, writeModel(model), { threads: 1, optimization: 'basic' }, (graph) =>
      graph.run(inputs, tensorOutputs(model.graph)),
    )
    const indices = Array.from({ length: count }, (_, i) => i)
    const heldOut = Array.from({ length: others }, (_, i) => count + i)
    return await reconstructOn(
      pool,
      model,
      choices,
      { split, indices, fixedBatch },
      { heldOut, description, behind: 'factors' },
      job,
    )
  } catch (cause) {
    if (!hasCode(cause, 'runtime')) throw cause
    // Whether the sample is to blame is found out with the result.
    if (cause instanceof EngineDied) return undefined
    job.warn(`the network does not run on made-up samples (${cause.message}): each layer was fitted by itself`)
    return undefined
  }
}

/** Values of a sample, for which the default number of samples is meant; of larger ones fewer say as much. */
const SMALL_SAMPLE = 3 * 64 * 64
const FEWEST_SAMPLES = 256

function samplesFor({ sample }: SampleValues, most: number): number {
  return Math.min(most, Math.max(FEWEST_SAMPLES, Math.floor((most * SMALL_SAMPLE) / Math.max(1, sample))))
}

/** Whether training starts from layers fitted one by one. */
export function startsFitted(job: CompressJob): boolean {
  const { fromScratch, latentStart } = job.options
  return latentStart === 'layers' && isLayerwise(job) && !fromScratch
}

/** How many of so many training samples layers are fitted on, and how many others are held out: one at least of each. */
export function shareOut(size: number, samples: number): { fitted: number; heldOut: number } {
  const heldOut = Math.min(HELD_OUT, Math.max(size - samples, Math.ceil(size / 10)), size - 1)
  return { fitted: Math.min(samples, size - heldOut), heldOut }
}

/** Points of accuracy that a network has lost. */
type Lost = (changed: Model) => Promise<number>

/** On training samples, of which nothing but the inputs is used. */
export async function reconstructFrom(
  pool: WorkerPool,
  { model, dataset, fixedBatch }: BoundSamples,
  choices: readonly LayerChoice[],
  job: CompressJob,
  { behind, lost }: { behind: Behind; lost?: Lost },
): Promise<Reconstructed> {
  const { train } = dataset
  const order = Array.from(shuffledIndices(train.size, randomSource(job.options.seed, 'samples')))
  const count = shareOut(train.size, job.options.samples)
  const indices = order.slice(0, count.fitted)
  const heldOut = order.slice(count.fitted, count.fitted + count.heldOut)
  const description = `training sample${indices.length === 1 ? '' : 's'}, ${dataset.preprocessing}`
  return await reconstructOn(
    pool,
    model,
    choices,
    { split: ofOneShape(train, dataset.name), indices, fixedBatch },
    { heldOut, description, behind, ...(lost && { lost }) },
    job,
  )
}

async function reconstructOn(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  samples: Samples,
  {
    heldOut,
    description,
    behind,
    lost,
  }: { heldOut: readonly number[]; description: string; behind: Behind; lost?: Lost },
  job: CompressJob,
): Promise<Reconstructed> {
  const start = performance.now()
  const { split, fixedBatch } = samples
  // A single sample is all that there is.
  const compared = heldOut.length > 0 ? heldOut : Array.from(samples.indices)
  const isBounded = boundOf(job) !== undefined
  const fit = async ({ choices: chosen, exceptions }: Mixture, detail = description): Promise<Fitted> => {
    job.phase('reconstruct', detail)
    const done = await reconstruct(pool, model, chosen, samples, {
      ...job.options,
      behind,
      onProgress: (layers, total) => {
        job.progress({ kind: 'evaluated', done: layers, total })
      },
    })
    const stored = roundRest(done.network, chosen, { rest: job.options.rest, exceptions })
    const distance = await outputDistance(pool, model, stored.model, { split, indices: compared, fixedBatch })
    const { method } = job.options
    const packed = isBounded ? packNetwork(stored, { method, name: job.connections.name }, job.options) : undefined
    return {
      ...done,
      choices: chosen,
      exceptions,
      distance,
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
  if (Number.isNaN(fitted.distance))
    job.warn(`the network, or the packed one, gives NaN or Infinity on some of the samples (${description})`)
  return {
    ...fitted,
    report: {
      samples: samples.indices.length,
      data: description,
      distance: Number.isNaN(fitted.distance) ? null : fitted.distance,
      heldOut: heldOut.length,
      layers: [...fitted.errors].map(([name, error]) => ({ name, error })),
      ...(bound && { bound }),
      elapsedMs: performance.now() - start,
    },
  }
}

interface Fitted extends Omit<Reconstructed, 'report'>, Measured {}
