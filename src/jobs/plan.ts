// The plan before the work: what compress would do with a network and data, what the file would weigh, how long a
// training would take. Nothing is kept of the few steps that are taken to know.
import { describeTask } from '../binding/bind-network.js'
import { evaluate } from '../binding/evaluate.js'
import { WorkerPool } from '../execution/worker-pool.js'
import type { Dataset } from '../data/dataset.js'
import { hasCode } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { Weighted } from '../tasks/weighted.js'
import { byteLength, type FloatType } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { OPTIONS } from '../options/option-table.js'
import { ternaryBytes } from '../packed/choose-forms.js'
import { PRESETS } from '../options/presets.js'
import { fineTune, prepareFineTuning } from '../ternary/fine-tune.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { chooseLayers } from '../ternary/layers.js'
import { predictedNetwork } from '../ternary/predicted-network.js'
import { type LayerStatistics, layerStatistics } from '../ternary/layer-statistics.js'
import { roundRest } from '../ternary/round-rest.js'
import type { TernaryLayer, TernaryNetwork } from '../ternary/ternary-network.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { VERSION } from '../version.js'
import { bindData } from './bind-data.js'
import { CompressJob, type CompressOptions, type CompressRequest } from './compress-job.js'
import { chooseToCompress, readToCompress } from './prepare-compression.js'
import { prepareScored } from './prepare-scored.js'
import { describeSize } from './describe-network.js'
import { boundOf } from './fit-within-bound.js'
import { fewSamples, type FittingSamples, madeUpSamples, shareOut, trainingSamples } from './fitting-samples.js'
import { describeParts, openData } from './open-data.js'
import { type PackedNetwork, packNetwork } from './pack-network.js'
import type { PlannedTime, PlanReport } from './plan-report.js'
import type { TrainingPlan } from './prepare-training.js'
import { startsFromLayers } from './starts-from-layers.js'
import type { TeachersReport } from './teachers-report.js'
import { type ToFit, trialFit, type TrialFit, timeOfFit } from './trial-fit.js'

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
    const around: Around = {
      onnxBytes,
      dataset: planned?.dataset,
      way: isTrained ? 'trained' : 'fitted',
      seen: planned?.seen ?? (await seenOnMadeUp(pool, model, choices, job)),
      codeShare: planned?.trial === undefined ? 1 : codeShare(model, planned.trial, planned, job),
    }
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

const some = (samples: FittingSamples, count: number): FittingSamples => ({
  ...samples,
  indices: Array.from(samples.indices).slice(0, count),
})

async function seenOn(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  samples: FittingSamples,
): Promise<LayerStatistics> {
  return await layerStatistics(pool, model, choices, some(samples, LOOKED_AT))
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

/**
 * How far a trial is trusted: a layer that is fitted by itself knows nothing of what those before it lose. Half of what
 * it says brings trained ResNet-20, ResNet-56 and a small network of other layers within a percent.
 */
const TRUSTED = 0.5

// How many bytes codes take in the file, of those that made up codes take.
function codeShare(model: Model, trial: TrialFit, { seen, choices }: WithData, { options }: CompressJob): number {
  const fitted = choices.filter(({ weight }) => trial.codes.has(weight))
  const made = predictedNetwork(model, fitted, options, 'fitted', seen).layers
  const bytesOf = (of: (weight: ValueName) => Int8Array): number =>
    fitted.reduce((sum, { weight, dims }) => {
      const { type } = model.graph.initializers.get(weight) as Tensor<FloatType>
      return sum + ternaryBytes({ type, dims, weights: { codes: of(weight), wp: 1, wn: 1 } }, options.encoding)
    }, 0)
  const share =
    bytesOf((weight) => trial.codes.get(weight) as Int8Array) /
    bytesOf((weight) => (made.get(weight) as TernaryLayer).codes)
  return Number.isFinite(share) ? share ** TRUSTED : 1
}

interface WithData {
  /** What the layers give on training samples. */
  seen: LayerStatistics
  /** undefined where nothing is trained, no layer is fitted, or it would take minutes. */
  trial: TrialFit | undefined
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
      return {
        seen,
        trial: undefined,
        choices,
        blocked: null,
        teachers: null,
        data: found,
        time: null,
        dataset: bound.dataset,
      }
    }
    const { choices: leading, plan: training, teachers } = await prepareScored(pool, bound, stored, choices, job)
    const { time, heldOut, trial } =
      training === undefined
        ? { time: null, heldOut: 0, trial: undefined }
        : await timed(pool, training, teachers?.networks, job)
    const learned = time === null ? fittedSizes(train.size, job) : { training: train.size - heldOut, heldOut }
    const sizes = { ...learned, test: bound.dataset.test.size }
    return {
      seen: await seenOn(pool, bound.model, choices, trainingSamples(bound, job)),
      trial,
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
): Promise<{ time: PlannedTime; heldOut: number; trial: TrialFit | undefined }> {
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
  const { frozen } = planned
  const layers = choices.filter(({ ternary, weight }) => ternary || frozen.has(weight))
  const behind: ToFit['behind'] = ({ weight }) => (frozen.has(weight) ? 'factors' : 'norm')
  const samples = trainingSamples(bound, job)
  const toFit: ToFit = { model: bound.model, layers, behind }
  const trial = fitsLayers
    ? await trialFit(pool, toFit, samples, job, 'time')
    : job.isLayerwise && !options.fromScratch
      ? await trialFit(pool, toFit, some(samples, fewSamples(bound.model.graph)), job, 'size')
      : undefined
  const fitMs =
    trial === undefined || !fitsLayers
      ? null
      : timeOfFit(layers, trial, (1000 * samples.indices.length) / samplesPerSecond)
  const totalMs = (fitMs ?? 0) + epochs * epochMs + measured
  const time = { epochs, stepsPerEpoch, stepMs, samplesPerSecond, epochMs, fitsLayers, fitMs, totalMs }
  return { time, heldOut: heldOut.length, trial }
}

/** What the file is of, and what it will say of its data. */
interface Around {
  onnxBytes: number
  dataset: Dataset | undefined
  /** What codes come of: those of a training that starts from fitted layers stay near them. */
  way: 'trained' | 'fitted'
  /** What the layers give; undefined: numbers are drawn. */
  seen: LayerStatistics | undefined
  /** What codes take in the file, of what is predicted by weights alone. */
  codeShare: number
}

// By a network that is packed as the result will be.
function predict(
  model: Model,
  choices: readonly LayerChoice[],
  around: Around,
  job: CompressJob,
): Pick<PlanReport, 'predicted' | 'layers'> {
  const { network, packed, fileBytes } = predictedFile(model, choices, around, job)
  const { ternaryWeights, bitsPerWeight } = describeSize(around.onnxBytes, packed, network)
  const share = around.codeShare
  return {
    predicted: {
      fileBytes,
      fileRatio: around.onnxBytes / fileBytes,
      ternaryWeights,
      bitsPerWeight: bitsPerWeight === null ? null : share * bitsPerWeight,
    },
    layers: choices.map(({ weight, op, dims, elementType, ternary, reason }) => ({
      name: weight,
      op,
      shape: dims,
      onnxBytes: byteLength(elementType, elementCount(dims)),
      fileBytes: Math.round(
        (ternary ? share : 1) * (packed.sizes.get(weight)?.bytes ?? byteLength(elementType, elementCount(dims))),
      ),
      ternary,
      ...(reason === undefined ? {} : { reason }),
    })),
  }
}

// How small each makes it; what accuracy it costs shows when it is done.
function presets(model: Model, around: Around, job: CompressJob): PlanReport['presets'] {
  return (['small', 'balanced'] as const).map((name) => {
    const options = { ...job.options, ...PRESETS[name] }
    const { fileBytes } = predictedFile(model, chooseLayers(model.graph, options), around, job, options)
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
  { dataset, way, seen, codeShare: share }: Around,
  { connections: { name }, options: own }: CompressJob,
  options: CompressOptions = own,
): { network: TernaryNetwork; packed: PackedNetwork; fileBytes: number } {
  const network = roundRest(predictedNetwork(model, choices, options, way, seen), choices, { rest: options.rest })
  const origin = { method: options.method, name, ...(dataset && { dataset }) }
  const packed = packNetwork(network, origin, options)
  const codes = [...network.layers.keys()].reduce((sum, name) => sum + (packed.sizes.get(name)?.bytes ?? 0), 0)
  return { network, packed, fileBytes: Math.round(packed.file.length - (1 - share) * codes) }
}
