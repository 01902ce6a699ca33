// What a report says of a training: the options it ran with, and how it went.
import type { CompressOptions } from '../options/compress-options.js'
import type { TrainingReport, TrainingSettings } from './training-report.js'
import type { TrainResult } from './train.js'
import type { TrainingOptions } from '../options/training-options.js'
import type { WorkerPool } from '../execution/worker-pool.js'

/** Options that say how a network is trained, in the order in which a report has them, */
const SETTINGS = [
  'batch',
  'optimizer',
  'learningRate',
  'schedule',
  'drops',
  'warmup',
  'weightDecay',
  'labelSmoothing',
  'clipNorm',
  'augment',
  'validation',
] as const satisfies readonly (keyof TrainingOptions)[]
/** and how it becomes ternary. */
const TERNARY_SETTINGS = [
  'scaleLearningRate',
  'scaleStart',
  'latentSteps',
  'distill',
  'temperature',
] as const satisfies readonly (keyof CompressOptions)[]

/** A training to ternary weights. */
export function describeTraining(
  options: CompressOptions,
  result: TrainResult,
  pool: Pick<WorkerPool, 'device'>,
): TrainingReport {
  return describe(options, picked(options, [...SETTINGS, ...TERNARY_SETTINGS]), result, pool)
}

/** A training of the network as it is, whatever else the options say. */
export function describeFullPrecisionTraining(
  options: TrainingOptions,
  result: TrainResult,
  pool: Pick<WorkerPool, 'device'>,
): TrainingReport {
  return describe(options, picked(options, SETTINGS), result, pool)
}

function describe(
  options: TrainingOptions,
  settings: TrainingSettings,
  result: TrainResult,
  { device }: Pick<WorkerPool, 'device'>,
): TrainingReport {
  return {
    epochs: options.epochs,
    steps: result.steps,
    samplesPerSecond: result.samplesPerSecond,
    elapsedMs: result.elapsedMs,
    replicas: result.replicas,
    device,
    seed: options.seed,
    bestEpoch: result.bestEpoch,
    settings,
    history: result.history,
  }
}

function picked<Options>(options: Options, names: readonly (keyof Options)[]): TrainingSettings {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as unknown as TrainingSettings
}
