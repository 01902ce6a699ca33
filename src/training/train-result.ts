// What a training comes to: the best epoch's values, and how long everything took.
import type { StepTimes } from '../execution/replica.js'
import type { TrainingPosition } from './checkpoint.js'
import type { LoopOptions } from './loop-options.js'
import type { TrainedValues } from './trained-values.js'
import { warmupSteps } from './schedule.js'
import type { EpochReport, TrainingAsRun } from './training-report.js'

export interface TrainResult {
  best: TrainedValues
  bestEpoch: number
  /** What `validate` gives for it. */
  bestScore: number
  steps: number
  replicas: number
  samplesPerSecond: number
  elapsedMs: number
  history: EpochReport[]
  asRun: TrainingAsRun
  /**
   * Mean milliseconds per step of the first replica, and of the main thread making batches ready beside it, over the
   * steps since the training was resumed.
   */
  times: StepTimes & { data: number }
}

type ResultOptions = Pick<
  LoopOptions,
  'epochs' | 'batch' | 'indices' | 'plan' | 'heldOut' | 'warmup' | 'augment' | 'augmentedBy'
>

/** What options that are bounds come to for so many samples. */
export function asRun({
  epochs,
  batch,
  indices,
  heldOut,
  warmup,
  augment,
  augmentedBy,
}: Omit<ResultOptions, 'plan'>): TrainingAsRun {
  return {
    training: indices.length,
    heldOut: heldOut.length,
    warmup: warmupSteps({ warmup, steps: stepsPerEpoch({ indices, batch }) * epochs }),
    augmentations: augment && augmentedBy !== undefined && augmentedBy.length > 0 ? augmentedBy : null,
  }
}

/** Of fewer samples than one batch of a network that takes no smaller one, some are seen twice. */
export function stepsPerEpoch({ indices, batch }: Pick<LoopOptions, 'indices' | 'batch'>): number {
  return Math.max(1, Math.floor(indices.length / batch))
}

/** The result of a training that was done when its checkpoint was made. */
export function finishedTraining(position: TrainingPosition, options: ResultOptions): TrainResult {
  return trainResult(position, options, 0, { gradient: 0, reduce: 0, update: 0, wait: 0, data: 0 })
}

/** @param timedSteps the steps that `times` are the sums over */
export function trainResult(
  { best, history, trainingMs, elapsedMs }: Pick<TrainingPosition, 'best' | 'history' | 'trainingMs' | 'elapsedMs'>,
  options: ResultOptions,
  timedSteps: number,
  times: TrainResult['times'],
): TrainResult {
  if (best === null) throw new Error('internal: training without an epoch')
  const { epochs, batch, indices, plan } = options
  const steps = Math.floor(indices.length / batch) * epochs
  const perStep = (ms: number): number => ms / Math.max(1, timedSteps)
  return {
    best: best.values,
    bestEpoch: best.epoch,
    bestScore: best.score,
    steps,
    replicas: plan.replicas * plan.ranks,
    samplesPerSecond: (steps * batch * 1000) / trainingMs,
    elapsedMs,
    history: [...history],
    asRun: asRun(options),
    times: {
      gradient: perStep(times.gradient),
      reduce: perStep(times.reduce),
      update: perStep(times.update),
      wait: perStep(times.wait),
      data: perStep(times.data),
    },
  }
}
