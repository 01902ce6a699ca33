// The plan before the work: what compress would do with a network and data, what the file would weigh, how long a
// training would take. Nothing is kept of the few steps that are taken to know.
import { describeTask } from '../binding/bind-network.js'
import { evaluate } from '../binding/evaluate.js'
import { WorkerPool } from '../execution/worker-pool.js'
import type { CalibrationSamples } from '../binding/channel-statistics.js'
import type { Dataset } from '../data/dataset.js'
import { hasCode } from '../errors/ttq-error.js'
import type { Model } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { Weighted } from '../tasks/weighted.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import { OPTIONS } from '../options/option-table.js'
import { PRESETS } from '../options/presets.js'
import { fineTune, prepareFineTuning } from '../ternary/fine-tune.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { chooseLayers } from '../ternary/layers.js'
import { predictedNetwork } from '../ternary/predicted-network.js'
import { type LayerStatistics, layerStatistics } from '../ternary/layer-statistics.js'
import { roundRest } from '../ternary/round-rest.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { VERSION } from '../version.js'
import { bindData } from './bind-data.js'
import { CompressJob, type CompressOptions, type CompressRequest } from './compress-job.js'
import { chooseToCompress, readToCompress } from './prepare-compression.js'
import { prepareScored } from './prepare-scored.js'
import { describeSize } from './describe-network.js'
import { boundOf } from './fit-within-bound.js'
import { madeUpSamples, shareOut, trainingSamples } from './fitting-samples.js'
import { describeParts, openData } from './open-data.js'
import { type PackedNetwork, packNetwork } from './pack-network.js'
import type { PlannedTime, PlanReport } from './plan-report.js'
import type { TrainingPlan } from './prepare-training.js'
import { startsFromLayers } from './starts-from-layers.js'
import type { TeachersReport } from './teachers-report.js'
import { timeFit } from './time-fit.js'

/**
 * @param bytes a serialized ONNX model
 * @param request as compress takes it
 * @throws TtqError of any code but `output`: all that compress would say before its long work
 */
export async function plan(bytes: Uint8Array, request: CompressRequest): Promise<PlanReport> {
  const job = new CompressJob(request)
  const { options, connections } = job
  const start = performance.now()
  const { model: read, onnxBytes } = readToCompress(bytes, job)
  return await WorkerPool.use([options.threads, connections.signal, options.device], async (pool) => {
    const { folded: model, choices } = await chooseToCompress(pool, read, job)
    job.phase('prepare')
    const planned = options.data === undefined ? undefined : await planWithData(pool, model, choices, options.data, job)
    const final = planned?.choices ?? choices
    const isTrained = planned?.time?.fitsLayers === false
    const seen = planned?.seen ?? (await seenOnMadeUp(pool, model, choices, job))
    const around: Around = { onnxBytes, dataset: planned?.dataset, way: isTrained ? 'trained' : 'fitted', seen }
    return {
      schema: 'ttq-plan/1',
      ttq: VERSION,
      model: connections.name,
      dataset: options.data ?? null,
      onnxBytes,
      ...predict(model, final, around, job),
      presets: job.isGiven('preset') ? [] : presets(model, around, job),
      bound: boundOf(job)?.why ?? null,
      recipes: recipes(planned?.time ?? null, job),
      way: (planned?.time ?? null) !== null ? 'training' : job.isLayerwise ? 'layer by layer' : 'by the weights alone',
      blocked: planned?.blocked ?? null,
      ...(planned?.teachers && { teachers: planned.teachers }),
      data: planned?.data ?? null,
      time: planned?.time ?? null,
      warnings: [...job.warnings],
      elapsedMs: performance.now() - start,
    }
  })
}

/** Samples that the layers are looked at on, for numbers like those that the file will hold. */
const LOOKED_AT = 32

async function seenOn(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  { split, indices, fixedBatch }: CalibrationSamples,
): Promise<LayerStatistics> {
  return await layerStatistics(pool, model, choices, {
    split,
    indices: Array.from(indices).slice(0, LOOKED_AT),
    fixedBatch,
  })
}

// As compress makes samples up; where the network does not run on them, numbers are drawn.
async function seenOnMadeUp(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  { options, connections, isLayerwise }: CompressJob,
): Promise<LayerStatistics | undefined> {
  if (!isLayerwise) return undefined
  const { name, nameOptions } = connections
  const { inputSize } = options
  const few = new CompressJob({ name, nameOptions, samples: LOOKED_AT, ...(inputSize !== undefined && { inputSize }) })
  try {
    const samples = await madeUpSamples(pool, model, choices, few)
    return samples && (await seenOn(pool, model, choices, samples))
  } catch (cause) {
    if (!hasCode(cause, 'runtime')) throw cause
    return undefined
  }
}

interface WithData {
  /** What the layers give on training samples. */
  seen: LayerStatistics
  choices: readonly LayerChoice[]
  blocked: string | null
  teachers: TeachersReport | null
  data: NonNullable<PlanReport['data']>
  time: PlannedTime | null
  dataset: Dataset
}

async function planWithData(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  data: string,
  job: CompressJob,
): Promise<WithData> {
  const { options, connections } = job
  await requireDevice(options.device)
  const stored = await openData(data, options, { ...connections, onProgress: job.progress })
  try {
    const bound = await bindData(pool, model, stored, job)
    const described = { described: describeParts(stored), preprocessing: bound.dataset.preprocessing }
    const { train, test } = bound.dataset
    if ('unmeasured' in bound) {
      const sizes = { ...fittedSizes(train.size, job), test: test?.size ?? 0 }
      const found = { ...described, task: null, ...sizes }
      const seen = await seenOn(pool, bound.model, choices, trainingSamples(bound, job))
      return { seen, choices, blocked: null, teachers: null, data: found, time: null, dataset: bound.dataset }
    }
    const { choices: leading, plan: training, teachers } = await prepareScored(pool, bound, stored, choices, job)
    const { time, heldOut } =
      training === undefined ? { time: null, heldOut: 0 } : await timed(pool, training, teachers?.networks, job)
    const learned = time === null ? fittedSizes(train.size, job) : { training: train.size - heldOut, heldOut }
    const sizes = { ...learned, test: bound.dataset.test.size }
    return {
      seen: await seenOn(pool, bound.model, choices, trainingSamples(bound, job)),
      dataset: bound.dataset,
      choices: leading,
      blocked: training?.blocked ?? null,
      teachers: teachers?.report ?? null,
      data: { ...described, task: describeTask(bound), ...sizes },
      time,
    }
  } finally {
    await stored.close?.()
  }
}

// Of layers that are fitted one by one, as compress shares samples out.
function fittedSizes(size: number, { options: { samples } }: CompressJob): { training: number; heldOut: number } {
  const { fitted, heldOut } = shareOut(size, samples)
  return { training: fitted, heldOut }
}

/** Steps that are taken at first, and as many as take a few seconds where those are short. */
const STEPS = { first: 6, most: 120 }
const SECONDS = 3
/** The share of them that is not counted: the first ones are slower. */
const WARM = 1 / 3
/** Samples that a network is run on. */
const RUN = 256

async function timed(
  pool: WorkerPool,
  planned: TrainingPlan,
  learnsFrom: readonly Weighted<Model>[] | undefined,
  job: CompressJob,
): Promise<{ time: PlannedTime; heldOut: number }> {
  const { bound, choices } = planned
  const { options } = job
  const tuning = await prepareFineTuning(pool, bound, choices, options)
  const { training, heldOut } = tuning.split
  const batch = Math.min(options.batch, training.length)
  const stepTime = async (count: number): Promise<number> => {
    const ends: number[] = []
    // Of few samples the same ones again, or there would be nothing to measure.
    const again = Uint32Array.from({ length: count * batch }, (_, i) => training[i % training.length] as number)
    const split = { training: again, heldOut: heldOut.subarray(0, 1) }
    const once = { ...options, batch, epochs: 1, warmup: 0 }
    await fineTune(pool, bound, { ...tuning, split }, choices, once, {
      learnsFrom,
      onProgress: (progress) => {
        if (progress.kind === 'step') ends.push(performance.now())
      },
    })
    const from = Math.min(Math.floor(WARM * ends.length), ends.length - 2)
    return ((ends.at(-1) as number) - (ends[from] as number)) / (ends.length - 1 - from)
  }
  const first = await stepTime(STEPS.first)
  const more = Math.min(STEPS.most, Math.floor((1000 * SECONDS) / first))
  const stepMs = more > STEPS.first ? await stepTime(more) : first
  const { test } = bound.dataset
  const indices = Array.from({ length: Math.min(RUN, test.size) }, (_, i) => i)
  const judged = { task: bound.task, fixedBatch: bound.fixedBatch, indices }
  const network = writeModel(bound.model)
  await evaluate(pool, network, test, { ...judged, indices: indices.slice(0, 8) })
  const start = performance.now()
  await evaluate(pool, network, test, judged)
  const samplesPerSecond = (indices.length * 1000) / (performance.now() - start)
  const stepsPerEpoch = Math.max(1, Math.floor(training.length / batch))
  const epochMs = stepsPerEpoch * stepMs + (1000 * heldOut.length) / samplesPerSecond
  const measured = (2 * 1000 * test.size) / samplesPerSecond
  const { epochs } = options
  const fitsLayers = startsFromLayers(bound, job)
  const fitMs = fitsLayers ? await timeFit(pool, planned, samplesPerSecond, job) : null
  const totalMs = (fitMs ?? 0) + epochs * epochMs + measured
  const time = { epochs, stepsPerEpoch, stepMs, samplesPerSecond, epochMs, fitsLayers, fitMs, totalMs }
  return { time, heldOut: heldOut.length }
}

/** What the file is of, and what it will say of its data. */
interface Around {
  onnxBytes: number
  dataset: Dataset | undefined
  /** What codes come of: those of a training that starts from fitted layers stay near them. */
  way: 'trained' | 'fitted'
  /** What the layers give; undefined: numbers are drawn. */
  seen: LayerStatistics | undefined
}

// By a network that is packed as the result will be.
function predict(
  model: Model,
  choices: readonly LayerChoice[],
  around: Around,
  job: CompressJob,
): Pick<PlanReport, 'predicted' | 'layers'> {
  const { network, packed } = predictedFile(model, choices, around, job)
  const { fileBytes, fileRatio, ternaryWeights, bitsPerWeight } = describeSize(around.onnxBytes, packed, network)
  return {
    predicted: { fileBytes, fileRatio, ternaryWeights, bitsPerWeight },
    layers: choices.map(({ weight, op, dims, elementType, ternary, reason }) => ({
      name: weight,
      op,
      shape: dims,
      onnxBytes: byteLength(elementType, elementCount(dims)),
      fileBytes: packed.sizes.get(weight)?.bytes ?? byteLength(elementType, elementCount(dims)),
      ternary,
      ...(reason === undefined ? {} : { reason }),
    })),
  }
}

// How small each makes it; what accuracy it costs shows when it is done.
function presets(model: Model, around: Around, job: CompressJob): PlanReport['presets'] {
  return (['small', 'balanced'] as const).map((name) => {
    const options = { ...job.options, ...PRESETS[name] }
    const { packed } = predictedFile(model, chooseLayers(model.graph, options), around, job, options)
    const fileBytes = packed.file.length
    return { name, fileBytes, fileRatio: around.onnxBytes / fileBytes }
  })
}

// How long each would take, where neither is said; none of `paper`, which nobody takes for its time.
function recipes(time: PlannedTime | null, job: CompressJob): PlanReport['recipes'] {
  if (time === null || job.isGiven('recipe') || job.isGiven('epochs')) return []
  const { quick, thorough } = OPTIONS.epochs.default
  const asked = [
    ...(job.isLayerwise && !job.options.fromScratch ? [{ name: 'quick', epochs: quick }] : []),
    { name: 'default', epochs: time.epochs },
    { name: 'thorough', epochs: thorough },
  ]
  return asked.map(({ name, epochs }) => ({
    name,
    epochs,
    totalMs: time.totalMs + (epochs - time.epochs) * time.epochMs,
  }))
}

function predictedFile(
  model: Model,
  choices: readonly LayerChoice[],
  { dataset, way, seen }: Around,
  { connections: { name }, options: own }: CompressJob,
  options: CompressOptions = own,
): { network: TernaryNetwork; packed: PackedNetwork } {
  const network = roundRest(predictedNetwork(model, choices, options, way, seen), choices, { rest: options.rest })
  const origin = { method: options.method, name, ...(dataset && { dataset }) }
  return { network, packed: packNetwork(network, origin, options) }
}
