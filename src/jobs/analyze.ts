// Which layers of a network suffer from ternary weights: each is made ternary as compress without training does it, and
// measured alone.
import { openData } from './open-data.js'
import { type BoundNetwork, describeTask } from '../binding/bind-network.js'
import { outputDistance } from '../binding/output-distance.js'
import { checkRuns } from '../execution/check-runs.js'
import { fixInputs } from '../onnx/fix-inputs.js'
import { foldConstants } from '../binding/prepare-network.js'
import type { StoredDataset } from '../data/open-dataset.js'
import { TtqError } from '../errors/ttq-error.js'
import { WorkerPool } from '../execution/worker-pool.js'
import type { Model, ValueName } from '../onnx/model.js'
import { completeOptions } from '../options/complete-options.js'
import type { GivenOptions } from '../options/option-table.js'
import { explainNoTernaryLayer } from '../ternary/explain-no-ternary-layer.js'
import { fitWithoutData } from '../ternary/fit-without-data.js'
import { compareLayers, ternarySaves } from '../ternary/layer-costs.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { chooseLayers } from '../ternary/layers.js'
import { onlyLeading } from '../ternary/only-leading.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { VERSION } from '../version.js'
import type { AnalyzedLayer, AnalyzeReport } from './analyze-report.js'
import { bindData } from './bind-data.js'
import { CompressJob } from './compress-job.js'
import { type Connections, readNetwork, takeApart } from './connections.js'
import { fitLayers } from './fit-layers.js'
import { type FittingSamples, madeUpSamples, trainingSamples } from './fitting-samples.js'
import { describeMeasured } from './task-report.js'

/** Everything but the network's name has a default; without data, samples are made up. */
export type AnalyzeRequest = Connections & GivenOptions<'analyze'>

/** What layers are measured on. */
interface Measured {
  model: Model
  choices: readonly LayerChoice[]
  samples: FittingSamples
  /** Where the samples have labels or classes that the network's task is about. */
  scored: BoundNetwork | undefined
}

/**
 * Measures what each layer that compress would make ternary costs alone: on the outputs and, where the data have
 * classes, on the decisions.
 * @param bytes a serialized ONNX model
 * @throws TtqError `model`, `unsupported`, `data`, `usage`, `runtime`, `interrupted`
 */
export async function analyze(bytes: Uint8Array, request: AnalyzeRequest): Promise<AnalyzeReport> {
  const { given } = takeApart(request)
  const { data } = completeOptions('analyze', given, request.nameOptions)
  const job = new CompressJob({ ...request, ...(data !== undefined && { epochs: 0 }) })
  const { options, connections } = job
  const start = performance.now()
  job.phase('read')
  const read = fixInputs(readNetwork(bytes, connections).model, options.fixInput, connections.nameOptions('fixInput'))
  return await WorkerPool.use(options.threads, { signal: connections.signal }, async (pool) => {
    pool.start()
    let stored: StoredDataset | undefined
    try {
      const folded = await foldConstants(pool.trial, read)
      const chosen = chooseLayers(folded.graph, options, connections.nameOptions)
      if (!chosen.some((choice) => choice.ternary)) throw explainNoTernaryLayer(folded.graph, chosen)
      await checkRuns(pool.trial, folded, connections.name, new Set())
      if (data !== undefined) stored = await openData(data, options, { ...connections, onProgress: job.progress })
      job.phase('prepare')
      const measured =
        stored === undefined
          ? await onMadeUp(pool, folded, chosen, job)
          : await onData(pool, folded, chosen, stored, job)
      const { choices, samples, scored } = measured
      const found = await measure(pool, measured, job)
      return {
        schema: 'ttq-analyze/1',
        ttq: VERSION,
        model: connections.name,
        method: options.method,
        dataset: data ?? null,
        samples: samples.indices.length,
        data: samples.description,
        heldOut: samples.heldOut.length,
        task: scored === undefined ? null : describeMeasured(scored),
        baseline: scored === undefined ? null : { top1: found.baseline },
        distance: found.distance,
        layers: found.layers.sort((a, b) => b.distance - a.distance),
        kept: choices.flatMap(({ weight, reason }) => (reason === undefined ? [] : [{ name: weight, reason }])),
        warnings: [...job.warnings],
        elapsedMs: performance.now() - start,
      }
    } finally {
      await stored?.close?.()
    }
  })
}

async function onMadeUp(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<Measured> {
  const samples = await madeUpSamples(pool, model, choices, job)
  if (samples === undefined)
    throw new TtqError('unsupported', `${job.connections.name}: no samples can be made for its inputs`, {
      hint: `give some with ${job.connections.nameOptions('data')}: docs/datasets.md`,
    })
  return { model, choices, samples, scored: undefined }
}

async function onData(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  stored: StoredDataset,
  job: CompressJob,
): Promise<Measured> {
  const bound = await bindData(pool, model, stored, job)
  if ('unmeasured' in bound)
    return { model: bound.model, choices, samples: trainingSamples(bound, job), scored: undefined }
  job.note(`task: ${describeTask(bound)}`)
  return {
    model: bound.model,
    choices: onlyLeading(bound.model.graph, choices, bound.task.outputs),
    // Decisions need more samples than outputs do.
    samples: trainingSamples(bound, job, { most: job.options.samples }),
    scored: bound,
  }
}

async function measure(
  pool: WorkerPool,
  { model, choices, samples, scored }: Measured,
  job: CompressJob,
): Promise<{ distance: number | null; baseline: number | null; layers: AnalyzedLayer[] }> {
  const fitted = job.isLayerwise
    ? await fitLayers(pool, model, choices, samples, job, { behind: () => 'factors', checkpoint: undefined })
    : undefined
  const alone = fitted?.alone ?? eachAlone(model, choices, job)
  const weights = (fitted?.network ?? fitWithoutData(model, choices, job.options)).layers
  job.phase('analyze', samples.description)
  const { split, fixedBatch, heldOut } = samples
  const indices = heldOut.length > 0 ? heldOut : Array.from(samples.indices)
  const scores =
    scored &&
    (await compareLayers(pool, scored, indices, alone, (done, total) =>
      job.progress({ kind: 'evaluated', done, total }),
    ))
  const distances = new Map<ValueName, number>()
  for (const [name, changed] of alone) {
    if (scores === undefined) job.progress({ kind: 'evaluated', done: distances.size, total: alone.size })
    distances.set(name, (await outputDistance(pool, model, changed(), { split, indices, fixedBatch })) ?? NaN)
  }
  const whole = [...distances.values()].reduce((sum, distance) => sum + distance ** 2, 0)
  const layers = choices.flatMap((choice): AnalyzedLayer[] => {
    const distance = distances.get(choice.weight)
    if (distance === undefined) return []
    return [
      {
        name: choice.weight,
        op: choice.op,
        shape: choice.dims,
        error: fitted?.errors.get(choice.weight) ?? null,
        distance,
        share: whole > 0 ? distance ** 2 / whole : 0,
        divergence: scores?.costs.get(choice.weight)?.divergence ?? null,
        top1: scores?.costs.get(choice.weight)?.score ?? null,
        savedBytes: ternarySaves(choice, weights.get(choice.weight) as TernaryWeights, job.options.encoding),
      },
    ]
  })
  return { distance: fitted?.report.distance ?? null, baseline: scores?.baseline.score ?? null, layers }
}

// The weights of each layer by themselves.
function eachAlone(model: Model, choices: readonly LayerChoice[], job: CompressJob): Map<ValueName, () => Model> {
  const ternary = choices.filter((choice) => choice.ternary)
  return new Map(
    ternary.map(({ weight }) => [
      weight,
      () => {
        const only = choices.map((choice) => ({ ...choice, ternary: choice.weight === weight }))
        return fitWithoutData(model, only, job.options).model
      },
    ]),
  )
}
