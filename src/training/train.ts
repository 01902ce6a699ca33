// The training loop: batches to the replicas, learning rates, validation after each epoch, the best epoch kept; where a
// training stands, so that it can go on after a stop.
import type { Split } from '../data/dataset.js'
import { randomSource, shuffledIndices } from '../data/random.js'
import { TtqError } from '../errors/ttq-error.js'
import { writeModel } from '../onnx/write-model.js'
import type { Feeds } from '../runtime/session.js'
import type { UpdateGraph } from '../optimizer/parameters.js'
import { BARRIER_BYTES } from '../execution/barrier.js'
import type { BestEpoch, TrainingPosition } from './checkpoint.js'
import { isKept } from './kept-epoch.js'
import { layOut, type Layout } from '../execution/layout.js'
import { TARGETS_INPUT } from './loss-graph.js'
import type { Progress } from './progress.js'
import type { EpochReport } from './training-report.js'
import type { Rates, ReplicaSetup, StepTimes } from '../execution/replica.js'
import type { TrainingCheckpoint } from './run-checkpoint.js'
import { learningRate } from './schedule.js'
import type { TrainedValues } from './trained-values.js'
import type { TrainingGraph } from './training-graph.js'
import type { OptionsOf } from '../options/option-table.js'
import type { Task } from '../tasks/task.js'
import type { ReplicaPlan } from '../execution/replica-plan.js'
import type { Workers } from '../execution/worker-pool.js'

export interface LoopOptions extends Pick<
  OptionsOf<'train'>,
  | 'epochs'
  | 'batch'
  | 'learningRate'
  | 'warmup'
  | 'schedule'
  | 'drops'
  | 'labelSmoothing'
  | 'clipNorm'
  | 'seed'
  | 'augment'
> {
  /** Samples per step over all replicas; a multiple of their number. */
  batch: number
  task: Task
  /** Whether labels are left unread, and `validate` gives agreement with the original network instead of top-1. */
  unlabelled: boolean
  scaleLearningRate: number
  plan: ReplicaPlan
  /** Training samples to learn from, and those held out to choose the best epoch by. */
  indices: ArrayLike<number>
  heldOut: ArrayLike<number>
  /** Held-out top-1 (or agreement) of a snapshot, percent. */
  validate: (values: TrainedValues) => Promise<number>
  onProgress: (progress: Progress) => void
  /** Values and state slots to start from in the place of the update graphs' own. */
  start?: TrainedValues
  /** Where the training's position is kept after every epoch and when it is interrupted; goes before `start`. */
  recovery?: TrainingCheckpoint
}

export interface TrainResult {
  best: TrainedValues
  bestEpoch: number
  /** Held-out top-1 (or agreement) of it, percent. */
  bestScore: number
  steps: number
  replicas: number
  samplesPerSecond: number
  elapsedMs: number
  history: EpochReport[]
  /**
   * Mean milliseconds per step of the first replica, and of the main thread making batches ready beside it, over the
   * steps since the training was resumed.
   */
  times: StepTimes & { data: number }
}

/** Steps handed to the workers ahead of need, so that they never wait for data. */
const QUEUE = 2

/** A loss this many times the first one (or 1, if that is less) is on its way to infinity. */
const DIVERGED = 1000

/**
 * Trains on all of the workers, one replica each.
 * @param buildUpdates one update graph per worker, over the parameters it updates; what they start with is as large as
 * the network and let go of
 * @throws TtqError `training` when training diverges; `interrupted`, with a checkpoint only after the steps under way
 */
export async function train(
  pool: Workers,
  graph: TrainingGraph,
  buildUpdates: () => readonly UpdateGraph[],
  split: Split,
  options: LoopOptions,
): Promise<TrainResult> {
  const { recovery } = options
  const resumed = recovery?.resumed
  const places = await createReplicas(pool, graph, layOut(buildUpdates()), options, resumed?.now ?? options.start)
  const stepsPerEpoch = Math.floor(options.indices.length / options.batch)
  const steps = stepsPerEpoch * options.epochs
  const schedule = {
    kind: options.schedule,
    peak: options.learningRate,
    warmup: options.warmup,
    steps,
    drops: options.drops,
  }
  const scaleSchedule = { ...schedule, peak: options.scaleLearningRate }
  const history = [...(resumed?.history ?? [])]
  const start = performance.now() - (resumed?.elapsedMs ?? 0)
  let trainingMs = resumed?.trainingMs ?? 0
  let best: BestEpoch | null = resumed?.best ?? null
  let stepsHere = 0
  let dataMs = 0
  const save = (at: Pick<TrainingPosition, 'epoch' | 'step' | 'lossSum' | 'now'>): void => {
    recovery?.save({ ...at, best, history: [...history], trainingMs, elapsedMs: performance.now() - start })
  }
  const checkLoss = lossCheck(options)
  for (let epoch = resumed?.epoch ?? 1; epoch <= options.epochs; epoch++) {
    const order = shuffledIndices(options.indices.length, randomSource(options.seed, 'shuffle', epoch))
    const before = epoch === resumed?.epoch ? resumed : { step: 0, lossSum: 0 }
    const losses: Promise<number>[] = []
    const epochStart = performance.now()
    if (recovery !== undefined) pool.postponeInterruption()
    for (let i = before.step; i < stepsPerEpoch && !pool.interrupted; i++) {
      const step = (epoch - 1) * stepsPerEpoch + i
      const chosen = Array.from(
        order.subarray(i * options.batch, (i + 1) * options.batch),
        (at) => options.indices[at] as number,
      )
      const rates = {
        learningRate: learningRate(schedule, step),
        scaleLearningRate: learningRate(scaleSchedule, step),
        step: step + 1,
      }
      const begin = performance.now()
      const batches = await shares(split, chosen, pool.size, options, step)
      dataMs += performance.now() - begin
      const loss = stepOnAll(pool, batches, rates)
      loss.catch(() => undefined)
      losses.push(loss)
      if (losses.length >= QUEUE) {
        const value = checkLoss(await (losses[losses.length - QUEUE] as Promise<number>), epoch, i - QUEUE + 2)
        // Since the training was resumed: what the machine did before that may not hold now.
        const elapsedMs = trainingMs - (resumed?.trainingMs ?? 0) + performance.now() - epochStart
        const doneHere = stepsHere + losses.length - QUEUE + 1
        const left = steps - (step - QUEUE + 2)
        options.onProgress({
          kind: 'step',
          epoch,
          epochs: options.epochs,
          step: i - QUEUE + 2,
          steps: stepsPerEpoch,
          loss: value,
          samplesPerSecond: (doneHere * options.batch * 1000) / elapsedMs,
          remainingMs: (elapsedMs / doneHere) * left,
        })
      }
    }
    const all = await Promise.all(losses)
    all.forEach((loss, i) => checkLoss(loss, epoch, before.step + i + 1))
    trainingMs += performance.now() - epochStart
    stepsHere += all.length
    const now = await snapshot(pool, places)
    const position = {
      epoch,
      step: before.step + all.length,
      lossSum: all.reduce((sum, loss) => sum + loss, before.lossSum),
      now,
    }
    checkValues(now, position, options)
    const score = await orSaved(
      async () => {
        pool.allowInterruption()
        return await options.validate(now)
      },
      () => {
        save(position)
      },
    )
    if (best === null || isKept(score, history.map(scoreOf), options.heldOut.length))
      best = { values: now, score, epoch }
    const record: EpochReport = {
      epoch,
      loss: position.lossSum / stepsPerEpoch,
      learningRate: learningRate(schedule, epoch * stepsPerEpoch - 1),
      ...(options.unlabelled ? { validationTop1: null, validationAgreement: score } : { validationTop1: score }),
      elapsedMs: performance.now() - start,
    }
    history.push(record)
    save({ epoch: epoch + 1, step: 0, lossSum: 0, now: epoch === options.epochs ? best.values : now })
    options.onProgress({ kind: 'epoch', epochs: options.epochs, best: best.epoch === epoch, ...record })
  }
  const times = (await pool.callAll('times', () => null))[0] as StepTimes
  return trainResult({ best, history, trainingMs, elapsedMs: performance.now() - start }, options, stepsHere, {
    ...times,
    data: dataMs,
  })
}

function scoreOf({ validationTop1, validationAgreement }: EpochReport): number {
  return validationTop1 ?? validationAgreement ?? 0
}

/** The result of a training that was done when its checkpoint was made. */
export function finishedTraining(
  position: TrainingPosition,
  options: Pick<LoopOptions, 'epochs' | 'batch' | 'indices' | 'plan'>,
): TrainResult {
  return trainResult(position, options, 0, { gradient: 0, reduce: 0, update: 0, wait: 0, data: 0 })
}

function trainResult(
  { best, history, trainingMs, elapsedMs }: Pick<TrainingPosition, 'best' | 'history' | 'trainingMs' | 'elapsedMs'>,
  { epochs, batch, indices, plan }: Pick<LoopOptions, 'epochs' | 'batch' | 'indices' | 'plan'>,
  timedSteps: number,
  times: TrainResult['times'],
): TrainResult {
  if (best === null) throw new Error('internal: training without an epoch')
  const steps = Math.floor(indices.length / batch) * epochs
  const perStep = (ms: number): number => ms / Math.max(1, timedSteps)
  return {
    best: best.values,
    bestEpoch: best.epoch,
    bestScore: best.score,
    steps,
    replicas: plan.replicas,
    samplesPerSecond: (steps * batch * 1000) / trainingMs,
    elapsedMs,
    history: [...history],
    times: {
      gradient: perStep(times.gradient),
      reduce: perStep(times.reduce),
      update: perStep(times.update),
      wait: perStep(times.wait),
      data: perStep(times.data),
    },
  }
}

// Work between two checkpoints: should it fail or be interrupted, nothing before it is lost.
async function orSaved<T>(work: () => Promise<T>, save: () => void): Promise<T> {
  try {
    return await work()
  } catch (error) {
    save()
    throw error
  }
}

/** Where the parameters lie, and each replica's shard begins. */
interface Places {
  placements: Layout['placements']
  shardOffsets: readonly number[]
}

async function createReplicas(
  pool: Workers,
  graph: TrainingGraph,
  layout: Layout,
  { clipNorm, plan }: Pick<LoopOptions, 'clipNorm' | 'plan'>,
  from?: TrainedValues,
): Promise<Places> {
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
      rank,
      threads: plan.threads,
      frugal: plan.frugal,
      gradientModel,
      loss: graph.loss,
      placements: layout.placements,
      shared,
      ...(clipNorm === undefined ? {} : { clipNorm }),
      gradientNames: layout.placements.map(({ name }) => graph.gradients.get(name) as string),
      shard: {
        model: writeModel(update.model),
        scalars: update.scalars,
        offset,
        state: update.state.map((slot) => ({ ...slot, initial: from?.state.get(slot.name) ?? slot.initial })),
        size: end - offset,
        blocks: update.blocks.map(({ role, gradient, value, size, dims }) => ({ role, gradient, value, size, dims })),
      },
    }
  })
  for (const { name, offset } of layout.placements) start.set(from?.values.get(name) ?? [], offset)
  await pool.callAll('createReplica', (worker) => setups[worker] as ReplicaSetup)
  return { placements: layout.placements, shardOffsets: layout.shards.map(({ offset }) => offset) }
}

// Each replica's share of the batch, ready to be fed. Augmentation draws from one stream per step, in the samples'
// order.
async function shares(
  split: Split,
  chosen: readonly number[],
  replicas: number,
  options: LoopOptions,
  step: number,
): Promise<Feeds[]> {
  const random = randomSource(options.seed, 'augment', step)
  const size = options.batch / replicas
  const feeds: Feeds[] = []
  for (let rank = 0; rank < replicas; rank++) {
    const indices = chosen.slice(rank * size, (rank + 1) * size)
    const batch = options.augment ? await split.batch(indices, random) : await split.batch(indices)
    feeds.push({ ...batch.inputs, [TARGETS_INPUT]: options.task.targets(batch, size, options) })
  }
  return feeds
}

async function stepOnAll(pool: Workers, batches: readonly Feeds[], rates: Rates): Promise<number> {
  const losses = await pool.callAll('step', (worker) => ({ batch: batches[worker] as Feeds, rates }))
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
}

// Takes the losses in any order, the first one first.
function lossCheck(options: LoopOptions): (loss: number, epoch: number, step: number) => number {
  let limit: number | undefined
  return (loss, epoch, step) => {
    limit ??= DIVERGED * Math.max(1, loss)
    if (loss < limit) return loss
    const expected = Number.isFinite(loss) ? `less than ${DIVERGED} times the first one` : 'a finite number'
    throw diverged(`the loss is ${loss}`, expected, { epoch, step }, options)
  }
}

// A loss is that of the values before its step: the last step's are seen here.
function checkValues(
  { values }: TrainedValues,
  { epoch, step }: { epoch: number; step: number },
  options: LoopOptions,
): void {
  for (const [name, value] of values) {
    if (!value.every(Number.isFinite))
      throw diverged(`"${name}" has values that are not finite`, 'finite ones', { epoch, step }, options)
  }
}

function diverged(
  found: string,
  expected: string,
  at: { epoch: number; step: number },
  { recovery }: LoopOptions,
): TtqError {
  recovery?.diverged(at)
  return new TtqError('training', `training: ${found} at epoch ${at.epoch}, step ${at.step}, expected ${expected}`, {
    hint: 'a lower --learning-rate or a longer --warmup keeps training from diverging',
    facts: at,
  })
}

async function snapshot(pool: Workers, { placements, shardOffsets }: Places): Promise<TrainedValues> {
  const parts = await pool.callAll('snapshot', () => null)
  const valuesOf = ({ offset, size }: Places['placements'][number]): Float32Array => {
    const rank = shardOffsets.findLastIndex((start) => start <= offset)
    const start = offset - (shardOffsets[rank] as number)
    return (parts[rank]?.values as Float32Array).subarray(start, start + size)
  }
  return {
    values: new Map(placements.map((place) => [place.name, valuesOf(place)])),
    state: new Map(parts.flatMap(({ state }) => Object.entries(state))),
  }
}
