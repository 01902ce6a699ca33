// The training loop: batches to the replicas, learning rates, validation after each epoch, the best epoch kept.
import type { Split } from '../data/dataset.js'
import { randomSource, shuffledIndices } from '../data/random.js'
import { TtqError } from '../errors/ttq-error.js'
import type { ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { Feeds } from '../runtime/session.js'
import { float32 } from '../tensor/tensor.js'
import type { UpdateGraph } from '../ternary/parameters.js'
import { BARRIER_BYTES } from './barrier.js'
import { layOut, type Layout } from './layout.js'
import { LABELS_INPUT } from './loss-graph.js'
import type { EpochReport, Progress } from './records.js'
import type { Rates, ReplicaSetup, StepTimes } from './replica.js'
import { learningRate } from './schedule.js'
import type { TrainingGraph } from './training-graph.js'
import type { TrainingOptions } from './training-options.js'
import type { ReplicaPlan } from './replica-plan.js'
import type { Workers } from './worker-pool.js'

export interface TrainOptions
  extends Pick<TrainingOptions, 'epochs' | 'batch' | 'learningRate' | 'warmup' | 'schedule' | 'drops' | 'labelSmoothing' | 'clipNorm' | 'seed' | 'augment'> {
  /** Samples per step over all replicas; a multiple of their number. */
  batch: number
  classes: number
  /** Whether labels are left unread, and `validate` gives agreement with the original network instead of top-1. */
  unlabelled: boolean
  scaleLearningRate: number
  plan: ReplicaPlan
  /** Training samples to learn from; the held-out ones are left out of it. */
  indices: ArrayLike<number>
  /** Held-out top-1 (or agreement) of a snapshot, percent. */
  validate: (values: TrainedValues) => Promise<number>
  onProgress: (progress: Progress) => void
}

/** What training has made of the parameters. */
export interface TrainedValues {
  /** Effective value of every parameter, quantized where ternary. */
  values: ReadonlyMap<ValueName, Float32Array>
  /** State slots of the update graphs (latent weights, scales, momentum) by name. */
  state: ReadonlyMap<ValueName, Float32Array>
}

export interface TrainResult {
  best: TrainedValues
  bestEpoch: number
  steps: number
  replicas: number
  samplesPerSecond: number
  elapsedMs: number
  history: EpochReport[]
  /** Mean milliseconds per step of the first replica, and of the main thread making batches ready beside it. */
  times: StepTimes & { data: number }
}

/** Steps handed to the workers ahead of need, so that they never wait for data. */
const QUEUE = 2

/**
 * Trains on all of the workers, one replica each.
 * @param updates one update graph per worker, over the parameters it updates
 * @throws TtqError `training` when the loss is no longer finite
 */
export async function train(pool: Workers, graph: TrainingGraph, updates: readonly UpdateGraph[], split: Split, options: TrainOptions): Promise<TrainResult> {
  const layout = layOut(updates)
  await createReplicas(pool, graph, layout, options)
  const stepsPerEpoch = Math.floor(options.indices.length / options.batch)
  const steps = stepsPerEpoch * options.epochs
  const schedule = { kind: options.schedule, peak: options.learningRate, warmup: options.warmup, steps, drops: options.drops }
  const scaleSchedule = { ...schedule, peak: options.scaleLearningRate }
  const history: EpochReport[] = []
  const start = performance.now()
  let trainingMs = 0
  let dataMs = 0
  let best: { values: TrainedValues; score: number; epoch: number } | undefined
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    const order = shuffledIndices(options.indices.length, randomSource(options.seed, 'shuffle', epoch))
    const losses: Promise<number>[] = []
    const epochStart = performance.now()
    for (let i = 0; i < stepsPerEpoch; i++) {
      const step = (epoch - 1) * stepsPerEpoch + i
      const chosen = Array.from(order.subarray(i * options.batch, (i + 1) * options.batch), (at) => options.indices[at] as number)
      const rates = { learningRate: learningRate(schedule, step), scaleLearningRate: learningRate(scaleSchedule, step), step: step + 1 }
      const begin = performance.now()
      const batches = await shares(split, chosen, pool.size, options, step)
      dataMs += performance.now() - begin
      const loss = stepOnAll(pool, batches, rates)
      loss.catch(() => undefined)
      losses.push(loss)
      if (i >= QUEUE - 1) {
        const value = checkLoss(await (losses[i - QUEUE + 1] as Promise<number>), epoch, i - QUEUE + 2)
        const elapsedMs = trainingMs + performance.now() - epochStart
        const done = step - QUEUE + 2
        options.onProgress({
          kind: 'step', epoch, epochs: options.epochs, step: i - QUEUE + 2, steps: stepsPerEpoch, loss: value,
          samplesPerSecond: (done * options.batch * 1000) / elapsedMs, remainingMs: (elapsedMs / done) * (steps - done),
        })
      }
    }
    const all = await Promise.all(losses)
    all.forEach((loss, i) => checkLoss(loss, epoch, i + 1))
    trainingMs += performance.now() - epochStart
    const values = await snapshot(pool, layout)
    const score = await options.validate(values)
    if (best === undefined || score >= best.score) best = { values, score, epoch }
    const record: EpochReport = {
      epoch, loss: all.reduce((sum, loss) => sum + loss, 0) / all.length, learningRate: learningRate(schedule, epoch * stepsPerEpoch - 1),
      ...(options.unlabelled ? { validationTop1: null, validationAgreement: score } : { validationTop1: score }), elapsedMs: performance.now() - start,
    }
    history.push(record)
    options.onProgress({ kind: 'epoch', epochs: options.epochs, best: best.epoch === epoch, ...record })
  }
  if (best === undefined) throw new Error('internal: training without an epoch')
  const times = (await pool.callAll('times', () => null))[0] as StepTimes
  return {
    best: best.values, bestEpoch: best.epoch, steps, replicas: pool.size, samplesPerSecond: (steps * options.batch * 1000) / trainingMs, elapsedMs: performance.now() - start, history,
    times: { gradient: times.gradient / steps, reduce: times.reduce / steps, update: times.update / steps, wait: times.wait / steps, data: dataMs / steps },
  }
}

async function createReplicas(pool: Workers, graph: TrainingGraph, layout: Layout, { clipNorm, plan }: Pick<TrainOptions, 'clipNorm' | 'plan'>): Promise<void> {
  const bytes = layout.size * Float32Array.BYTES_PER_ELEMENT
  const shared = {
    barrier: new SharedArrayBuffer(BARRIER_BYTES),
    gradients: layout.shards.map(() => new SharedArrayBuffer(layout.shards.length === 1 ? 0 : bytes)),
    parameters: new SharedArrayBuffer(bytes),
    squares: new SharedArrayBuffer(layout.shards.length * Float64Array.BYTES_PER_ELEMENT),
  }
  const start = new Float32Array(shared.parameters)
  const gradientModel = writeModel(graph.model)
  const setups = layout.shards.map(({ update, offset }, rank): ReplicaSetup => {
    let end = offset
    for (const block of update.blocks) {
      start.set(block.initialValue, end)
      end += block.size
    }
    return {
      rank, threads: plan.threads, frugal: plan.frugal, gradientModel, loss: graph.loss, placements: layout.placements, shared, ...(clipNorm === undefined ? {} : { clipNorm }),
      gradientNames: layout.placements.map(({ name }) => graph.gradients.get(name) as string),
      shard: {
        model: writeModel(update.model), scalars: update.scalars, state: update.state, offset, size: end - offset,
        blocks: update.blocks.map(({ role, gradient, value, size, dims }) => ({ role, gradient, value, size, dims })),
      },
    }
  })
  await pool.callAll('createReplica', (worker) => setups[worker] as ReplicaSetup)
}

// Each replica's share of the batch, ready to be fed. Augmentation draws from one stream per step, in the samples' order.
async function shares(split: Split, chosen: readonly number[], replicas: number, options: TrainOptions, step: number): Promise<Feeds[]> {
  const random = randomSource(options.seed, 'augment', step)
  const size = options.batch / replicas
  const feeds: Feeds[] = []
  for (let rank = 0; rank < replicas; rank++) {
    const indices = chosen.slice(rank * size, (rank + 1) * size)
    const { inputs, labels } = options.augment ? await split.batch(indices, random) : await split.batch(indices)
    feeds.push({ ...inputs, [LABELS_INPUT]: targets(labels, size, options) })
  }
  return feeds
}

// One row per sample: its class, smoothed (Szegedy et al. 2016, arXiv 1512.00567, section 7). Without labels, nothing reads them.
function targets(labels: Int32Array, samples: number, { classes, labelSmoothing, unlabelled }: TrainOptions): Feeds[string] {
  const rows = new Float32Array(samples * classes)
  if (unlabelled) return float32([samples, classes], rows)
  if (labels.length === 0) throw new TtqError('data', 'dataset: a training batch has no labels, expected one class per sample as in the first batch')
  rows.fill(labelSmoothing / classes)
  labels.forEach((label, i) => { rows[i * classes + label] = 1 - labelSmoothing + labelSmoothing / classes })
  return float32([samples, classes], rows)
}

async function stepOnAll(pool: Workers, batches: readonly Feeds[], rates: Rates): Promise<number> {
  const losses = await pool.callAll('step', (worker) => ({ batch: batches[worker] as Feeds, rates }))
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
}

function checkLoss(loss: number, epoch: number, step: number): number {
  if (Number.isFinite(loss)) return loss
  throw new TtqError('training', `training: the loss is ${loss} at epoch ${epoch}, step ${step}, expected a finite number`, {
    hint: 'a lower --lr or a longer --warmup keeps training from diverging', facts: { epoch, step },
  })
}

async function snapshot(pool: Workers, layout: Layout): Promise<TrainedValues> {
  const parts = await pool.callAll('snapshot', () => null)
  const flat = new Float32Array(layout.size)
  parts.forEach(({ values }, rank) => { flat.set(values, layout.shards[rank]?.offset) })
  return {
    values: new Map(layout.placements.map(({ name, offset, size }) => [name, flat.slice(offset, offset + size)])),
    state: new Map(parts.flatMap(({ state }) => Object.entries(state))),
  }
}
