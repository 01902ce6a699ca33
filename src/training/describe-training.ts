// What a report says of a training: the options it ran with, and how it went.
import type { CompressOptions } from './compress-options.js'
import type { TrainingReport, TrainingSettings } from './records.js'
import type { TrainResult } from './train.js'
import type { TrainingOptions } from './training-options.js'
import type { WorkerPool } from './worker-pool.js'

/** Options that say how a network is trained, in the order in which a report has them. */
const SETTINGS = [
  'batch', 'optimizer', 'learningRate', 'scaleLearningRate', 'schedule', 'drops', 'warmup', 'weightDecay', 'labelSmoothing', 'clipNorm', 'scaleStart', 'distill',
  'temperature', 'augment', 'validation',
] as const satisfies readonly (keyof CompressOptions)[]

type Options = TrainingOptions & Partial<CompressOptions>

export function describeTraining(options: Options, result: TrainResult, { device }: Pick<WorkerPool, 'device'>): TrainingReport {
  return {
    epochs: options.epochs, steps: result.steps, samplesPerSecond: result.samplesPerSecond, elapsedMs: result.elapsedMs,
    replicas: result.replicas, device, seed: options.seed, bestEpoch: result.bestEpoch, settings: settingsOf(options), history: result.history,
  }
}

function settingsOf(options: Options): TrainingSettings {
  const given = SETTINGS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]] as const)
  return Object.fromEntries(given) as unknown as TrainingSettings
}
