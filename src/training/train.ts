// The training loop: batches to the replicas, learning rates, validation after each epoch, the best epoch kept; where a
// training stands, so that it can go on after a stop.
import type { Batch, Split } from '../data/dataset.js'
import { randomSource, shuffledIndices } from '../data/random.js'
import type { Feeds } from '../runtime/engine.js'
import type { UpdateGraph } from '../optimizer/parameters.js'
import type { BestEpoch, TrainingPosition } from './checkpoint.js'
import { bestScore, isKept } from './best-epoch.js'
import type { LoopOptions } from './loop-options.js'
import { layOut } from '../execution/flat-parameters.js'
import { ReplicaGroup, type StepResult } from '../execution/replica-group.js'
import { hasLabels } from '../data/labels.js'
import { hasCode, TtqError } from '../errors/ttq-error.js'
import { judgedBy } from '../tasks/evaluation.js'
import { DISTILL_INPUT, targetsInput } from './loss-graph.js'
import { mixes, mixSamples, skipMixing } from './mix-samples.js'
import { type EpochReport, epochScore, validationOf } from './training-report.js'
import { checkValues, lossCheck } from './divergence.js'
import { stepsPerEpoch, trainResult, type TrainResult } from './train-result.js'
import { alongLine, learningRate } from './schedule.js'
import type { TrainingGraph } from './training-graph.js'
import type { Ranks } from '../execution/ranks.js'
import type { Workers } from '../execution/worker-pool.js'
import { float32, type Tensor } from '../tensor/tensor.js'

/**
 * Milliseconds of training within an epoch after which its position is kept, for runs that are killed without a word.
 */
const KEPT_EVERY_MS = 600_000

/** Steps handed to the workers ahead of need, so that they never wait for data. */
const QUEUE = 2

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
  const { ranks } = pool
  const replicas = await ReplicaGroup.create(pool, graph, layOut(buildUpdates()), {
    plan: options.plan,
    clipNorm: options.clipNorm,
    from: resumed?.now ?? options.start,
  })
  const epochSteps = stepsPerEpoch(options)
  const steps = epochSteps * options.epochs
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
  const startAt = resumed === undefined && options.startCounts ? await scoredStart(replicas, options) : undefined
  const startScore = resumed?.startScore ?? startAt?.score ?? null
  let best: BestEpoch | null = resumed?.best ?? startAt ?? null
  let stepsHere = 0
  let dataMs = 0
  let keptAt = performance.now()
  /** The last step of which rank 0 may have said, before all kept their position, that it is time to. */
  let keptStep = -1
  const save = (at: Pick<TrainingPosition, 'epoch' | 'step' | 'lossSum' | 'now'>, epochMs = 0): void => {
    keptAt = performance.now()
    recovery?.save({
      ...at,
      startScore,
      best,
      history: [...history],
      trainingMs: trainingMs + epochMs,
      elapsedMs: keptAt - start,
    })
  }
  const checkLoss = lossCheck(options)
  const metric = judgedBy(options.task, options.unlabelled)
  for (let epoch = resumed?.epoch ?? 1; epoch <= options.epochs; epoch++) {
    const order = shuffledIndices(options.indices.length, randomSource(options.seed, 'shuffle', epoch))
    const before = epoch === resumed?.epoch ? resumed : { step: 0, lossSum: 0 }
    const losses: Promise<StepResult>[] = []
    const epochStart = performance.now()
    if (recovery !== undefined) pool.postponeInterruption()
    for (let i = before.step; i < epochSteps && !pool.interrupted; i++) {
      const step = (epoch - 1) * epochSteps + i
      const chosen = Array.from(
        { length: options.batch },
        (_, at) => options.indices[order[(i * options.batch + at) % order.length] as number] as number,
      )
      const rates = {
        learningRate: learningRate(schedule, step),
        scaleLearningRate: learningRate(scaleSchedule, step),
        step: step + 1,
      }
      const begin = performance.now()
      let batches
      try {
        batches = await shares(split, chosen, { own: pool.size, ranks }, options, { step, steps })
      } catch (error) {
        // Loaders stop at once; what the steps before have come to is kept.
        if (recovery !== undefined && pool.interrupted) break
        throw error
      }
      dataMs += performance.now() - begin
      const loss = replicas.step(batches, rates, performance.now() - keptAt > KEPT_EVERY_MS)
      loss.catch(() => undefined)
      losses.push(loss)
      let isDue = ranks.count === 1 && performance.now() - keptAt > KEPT_EVERY_MS
      if (losses.length >= QUEUE) {
        const result = await (losses[losses.length - QUEUE] as Promise<StepResult>)
        const value = checkLoss(result.loss, epoch, i - QUEUE + 2)
        // All ranks hear of the same step and hand out no more than the same: clocks and signals differ.
        if (ranks.count > 1) {
          if (result.stopBy !== undefined) ranks.stop(result.stopBy)
          isDue = result.isDue && step - QUEUE + 1 > keptStep
        }
        // Since the training was resumed: what the machine did before that may not hold now.
        const elapsedMs = trainingMs - (resumed?.trainingMs ?? 0) + performance.now() - epochStart
        const doneHere = stepsHere + losses.length - QUEUE + 1
        const left = steps - (step - QUEUE + 2)
        options.onProgress({
          kind: 'step',
          epoch,
          epochs: options.epochs,
          step: i - QUEUE + 2,
          steps: epochSteps,
          loss: value,
          samplesPerSecond: (doneHere * options.batch * 1000) / elapsedMs,
          remainingMs: (elapsedMs / doneHere) * left,
        })
      }
      if (recovery !== undefined && isDue) {
        keptStep = step
        const sofar = (await Promise.all(losses)).reduce((sum, { loss: each }) => sum + each, before.lossSum)
        const at = { epoch, step: i + 1, lossSum: sofar, now: await replicas.snapshot() }
        checkValues(at.now, at, options)
        save(at, performance.now() - epochStart)
      }
    }
    const all = await Promise.all(losses)
    all.forEach(({ loss }, i) => checkLoss(loss, epoch, before.step + i + 1))
    const stopBy = all.find((each) => each.stopBy !== undefined)?.stopBy
    if (stopBy !== undefined) ranks.stop(stopBy)
    trainingMs += performance.now() - epochStart
    stepsHere += all.length
    const now = await replicas.snapshot()
    const position = {
      epoch,
      step: before.step + all.length,
      lossSum: all.reduce((sum, { loss }) => sum + loss, before.lossSum),
      now,
    }
    checkValues(now, position, options)
    const score = await orSaved(
      async () => {
        pool.allowInterruption()
        return await options.validate(now, position)
      },
      () => {
        save(position)
      },
    )
    const earlier = [...(startScore === null ? [] : [startScore]), ...history.map(epochScore)]
    if (best === null || isKept(score, earlier, options.heldOut.length, metric)) best = { values: now, score, epoch }
    const record: EpochReport = {
      epoch,
      loss: position.lossSum / epochSteps,
      learningRate: learningRate(schedule, epoch * epochSteps - 1),
      ...validationOf(metric, score),
      ...options.observe?.(now),
      elapsedMs: performance.now() - start,
    }
    history.push(record)
    save({ epoch: epoch + 1, step: 0, lossSum: 0, now: epoch === options.epochs ? best.values : now })
    const highest = bestScore([score, ...earlier], metric) as number
    options.onProgress({
      kind: 'epoch',
      epochs: options.epochs,
      best: best.epoch === epoch,
      bestScore: highest,
      ...record,
    })
  }
  if (best?.epoch === 0) {
    const { name, unit } = metric
    const shown = `${best.score.toFixed(unit === '%' ? 2 : 4)}${unit === '' ? '' : ` ${unit}`}`
    const message = `no epoch was better than the start (${
      metric.ofSamples === true ? `${shown} of the held-out samples` : `${name} ${shown} on the held-out samples`
    }), which is kept`
    options.onProgress({ kind: 'warning', message })
  }
  const times = await replicas.times()
  return trainResult({ best, history, trainingMs, elapsedMs: performance.now() - start }, options, stepsHere, {
    ...times,
    data: dataMs,
  })
}

// What the training starts from, as if it were an epoch: a training may end worse than it began.
async function scoredStart(replicas: ReplicaGroup, { validate }: LoopOptions): Promise<BestEpoch> {
  const values = await replicas.snapshot()
  return { values, score: await validate(values, { epoch: 0, step: 0 }), epoch: 0 }
}

// Work between two checkpoints: should it fail or be interrupted, nothing before it is lost. From where training has
// diverged nobody goes on: the position before stays the last one.
async function orSaved<T>(work: () => Promise<T>, save: () => void): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!hasCode(error, 'training')) save()
    throw error
  }
}

// The shares of this rank's replicas in the batch, ready to be fed in pieces. Augmentation draws from one stream per
// step, in the samples' order; what other ranks read is drawn here, too, and not read.
async function shares(
  split: Split,
  chosen: readonly number[],
  { own, ranks }: { own: number; ranks: Pick<Ranks, 'rank' | 'count'> },
  options: LoopOptions,
  { step, steps }: { step: number; steps: number },
): Promise<Feeds[][]> {
  const random = randomSource(options.seed, 'augment', step)
  const size = options.batch / (own * ranks.count)
  const feeds = Array.from({ length: own }, (): Feeds[] => [])
  const { distillCourse: course } = options
  const distill = course && { [DISTILL_INPUT]: float32([], [alongLine(course.from, course.to, step, steps)]) }
  for (let start = 0; start < options.batch; start += options.piece) {
    const replica = Math.floor(start / size) - own * ranks.rank
    const indices = chosen.slice(start, start + options.piece)
    if (feeds[replica] === undefined) {
      if (options.augment) split.skip?.(indices.length, random)
      if (mixes(options)) skipMixing(indices.length, options, random)
      continue
    }
    const batch = options.augment ? await split.batch(indices, random) : await split.batch(indices)
    const targets = options.withTargets ? targetsOf(batch, indices, options) : []
    const plain = { inputs: batch.inputs, targets }
    const mixed = mixes(options) ? mixSamples(plain, indices.length, options, random) : plain
    feeds[replica]?.push({
      ...mixed.inputs,
      ...Object.fromEntries(mixed.targets.map((tensor, place) => [targetsInput(place), tensor])),
      ...distill,
    })
  }
  return feeds
}

function targetsOf(
  { labels }: Batch,
  indices: readonly number[],
  { task, labelSmoothing }: LoopOptions,
): readonly Tensor[] {
  if (!hasLabels(labels))
    throw new TtqError(
      'data',
      `dataset: the batch of training samples ${indices.slice(0, 2).join(', ')}, ... has no labels, expected some as ` +
        'the first samples have',
      { hint: 'give labels for all samples, or for none', facts: { samples: indices } },
    )
  return task.targets(labels, indices.length, { labelSmoothing })
}
