// The plan before the work: what compress would do with a network and data, what the file would weigh, how long a
// training would take. Nothing is kept of the few steps that are taken to know.
import { type BoundNetwork, describeTask } from '../binding/bind-network.js'
import { isMirrored } from '../binding/bind-teacher.js'
import { evaluate } from '../binding/evaluate.js'
import { WorkerPool } from '../execution/worker-pool.js'
import { requireEngine } from '../runtime/engines.js'
import type { Dataset } from '../data/dataset.js'
import { hasCode } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { Weighted } from '../tasks/weighted.js'
import { OPTIONS } from '../options/option-table.js'
import { fineTune, prepareFineTuning } from '../ternary/fine-tune.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import { type LayerStatistics, layerStatistics } from '../ternary/layer-statistics.js'
import { EngineDied } from '../runtime/engine-died.js'
import { requireDevice } from '../runtime/offered-devices.js'
import { VERSION } from '../version.js'
import { bindData } from './bind-data.js'
import { CompressJob, type CompressRequest } from './compress-job.js'
import { chooseToCompress, readToCompress } from './prepare-compression.js'
import { prepareScored } from './prepare-scored.js'
import { boundOf } from './fit-within-bound.js'
import { fewSamples, type FittingSamples, madeUpSamples, shareOut, trainingSamples } from './fitting-samples.js'
import { describeParts, openData } from './open-data.js'
import type { PlannedTime, PlanReport } from './plan-report.js'
import { type Around, predictFile, predictPresets, sharesOf } from './predicted-file.js'
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
  const engine = await requireEngine(options.engine, connections.nameOptions)
  const settings = { signal: connections.signal, device: options.device, engine }
  return await WorkerPool.use(options.threads, settings, async (pool) => {
    const { folded: model, choices } = await chooseToCompress(pool, read, job)
    job.phase('prepare')
    const planned = options.data === undefined ? undefined : await planWithData(pool, model, choices, options.data, job)
    const final = planned?.choices ?? choices
    const isTrained = (planned?.time ?? null) !== null
    const { seen, trial } = planned ?? (await lookAtMadeUp(pool, model, choices, job))
    warnOfValues(final, seen, job)
    const around: Around = {
      onnxBytes,
      dataset: planned?.dataset,
      way: planned?.time?.fitsLayers === false ? 'trained' : 'fitted',
      isTrained,
      seen,
      codeShare: trial === undefined ? () => 1 : sharesOf(model, trial, { choices: final, seen, isTrained }, job),
    }
    return {
      schema: 'ttq-plan/1',
      ttq: VERSION,
      model: connections.name,
      dataset: options.data ?? null,
      onnxBytes,
      ...predictFile(model, final, around, job),
      presets: job.isGiven('preset') ? [] : predictPresets(model, around, job),
      bound: boundOf(job)?.why ?? null,
      recipes: planned?.recipes ?? [],
      way: isTrained ? 'training' : job.isLayerwise ? 'layer by layer' : 'by the weights alone',
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

interface LookedAt {
  /** What the layers give; undefined where the network does not run on samples that are made up. */
  seen: LayerStatistics | undefined
  /** undefined where codes are not as the weights alone say, no layer is fitted, or it would take minutes. */
  trial: TrialFit | undefined
}

// As compress makes samples up; where the network does not run on them, numbers are drawn.
async function lookAtMadeUp(
  pool: WorkerPool,
  model: Model,
  choices: readonly LayerChoice[],
  job: CompressJob,
): Promise<LookedAt> {
  const nothing = { seen: undefined, trial: undefined }
  if (!job.isLayerwise) return nothing
  const { name, nameOptions } = job.connections
  const { inputSize, sizeWeight } = job.options
  const count = sizeWeight > 0 ? Math.max(LOOKED_AT, fewSamples(model.graph)) : LOOKED_AT
  const few = new CompressJob({ name, nameOptions, samples: count, ...(inputSize !== undefined && { inputSize }) })
  try {
    const samples = await madeUpSamples(pool, model, choices, few)
    return samples === undefined ? nothing : await lookAt(pool, { model, choices, samples }, job)
  } catch (cause) {
    if (!hasCode(cause, 'runtime') || (cause instanceof EngineDied && cause.spent)) throw cause
    return nothing
  }
}

// Of layers that are fitted and not trained. What a bit may cost changes the codes, and is seen by a trial alone.
async function lookAt(
  pool: WorkerPool,
  { model, choices, samples }: { model: Model; choices: readonly LayerChoice[]; samples: FittingSamples },
  job: CompressJob,
): Promise<LookedAt & { seen: LayerStatistics }> {
  const toFit: ToFit = { model, layers: choices.filter(({ ternary }) => ternary), behind: () => 'factors' }
  const trial =
    job.isLayerwise && job.options.sizeWeight > 0
      ? await trialFit(pool, toFit, some(samples, fewSamples(model.graph)), job, 'sizes')
      : undefined
  return { seen: await seenOn(pool, model, choices, samples), trial }
}

// As compress warns of outputs; layers whose weights are no numbers may be kept.
function warnOfValues(choices: readonly LayerChoice[], seen: LayerStatistics | undefined, job: CompressJob): void {
  const odd = choices.find(({ outputs }) => {
    const { mean = [], variance = [] } = seen?.get(outputs[0] as ValueName) ?? {}
    return ![...Array.from(mean), ...Array.from(variance)].every(Number.isFinite)
  })
  if (odd !== undefined) job.warn(`layer "${odd.weight}" gives NaN or Infinity on some of the samples`)
}

interface WithData extends LookedAt {
  choices: readonly LayerChoice[]
  blocked: string | null
  teachers: TeachersReport | null
  recipes: PlanReport['recipes']
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
      const looked = await lookAt(pool, { model: bound.model, choices, samples: trainingSamples(bound, job) }, job)
      return {
        ...looked,
        choices,
        blocked: null,
        teachers: null,
        data: found,
        time: null,
        recipes: [],
        dataset: bound.dataset,
      }
    }
    const { choices: leading, plan: training, teachers } = await prepareScored(pool, bound, stored, choices, job)
    const samples = trainingSamples(bound, job)
    const looksAt = { model: bound.model, choices: leading, samples }
    const { time, heldOut, ...looked } =
      training === undefined
        ? { time: null, heldOut: 0, ...(await lookAt(pool, looksAt, job)) }
        : {
            ...(await timed(pool, training, teachers?.networks, job)),
            seen: await seenOn(pool, bound.model, choices, samples),
          }
    const learned = time === null ? fittedSizes(train.size, job) : { training: train.size - heldOut, heldOut }
    const sizes = { ...learned, test: bound.dataset.test.size }
    return {
      ...looked,
      dataset: bound.dataset,
      choices: leading,
      blocked: training?.blocked ?? null,
      teachers: teachers?.report ?? null,
      data: { ...described, task: describeTask(bound), ...sizes },
      time,
      recipes: time === null ? [] : await recipesOf(bound, time, job),
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
    const split = { training: again, heldOut: heldOut.subarray(0, JUDGED) }
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

/** Held-out samples that a trial of a few steps is judged by: of one, many tasks have no score. */
const JUDGED = 64

/** A step that learns from a mirrored teacher, by one that does not (docs/experiments.md#a-mirrored-teacher). */
const MIRRORED_STEP = 1.17

// How long each would take, where neither is said; none of `paper`, which nobody takes for its time.
async function recipesOf(bound: BoundNetwork, time: PlannedTime, job: CompressJob): Promise<PlanReport['recipes']> {
  if (job.isGiven('recipe') || job.isGiven('epochs')) return []
  const { options } = job
  const { quick, thorough } = OPTIONS.epochs.default
  const isTaught = !job.isGiven('teachers') && options.distill > 0 && options.augment && (await isMirrored(bound))
  const asked = [
    ...(options.fromScratch ? [] : [{ name: 'quick', epochs: quick, step: isTaught ? MIRRORED_STEP : 1 }]),
    { name: 'default', epochs: time.epochs, step: 1 },
    { name: 'thorough', epochs: thorough, step: 1 },
  ]
  const fixed = time.totalMs - (time.fitMs ?? 0) - time.epochs * time.epochMs
  return asked.map(({ name, epochs, step }) => {
    const fitsLayers = startsFromLayers(bound, { options: { ...options, epochs }, isLayerwise: job.isLayerwise })
    const fitMs = fitsLayers ? (time.fitMs ?? 0) : 0
    return { name, epochs, fitsLayers, totalMs: fixed + fitMs + step * epochs * time.epochMs }
  })
}
