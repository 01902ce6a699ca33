// What a report says of a training: the options it ran with, and how it went.
import type { OptionsOf } from '../options/option-table.js'

export interface EpochReport {
  epoch: number
  loss: number
  learningRate: number
  /** Percent of the held-out samples; null where training used no labels. */
  validationTop1: number | null
  /**
   * Percent of the held-out samples on which the original network decides the same: in the place of top-1 where
   * training used no labels.
   */
  validationAgreement?: number
  elapsedMs: number
}

/** The options that training ran with, as they came out of what was given, recipe and defaults. */
export interface TrainingSettings extends Pick<
  OptionsOf<'train'>,
  | 'batch'
  | 'optimizer'
  | 'learningRate'
  | 'schedule'
  | 'drops'
  | 'warmup'
  | 'weightDecay'
  | 'labelSmoothing'
  | 'clipNorm'
  | 'augment'
  | 'validation'
> {
  /** The following stand there where the network became ternary. */
  scaleLearningRate?: number
  scaleStart?: 'fit' | 'one'
  latentSteps?: 'plain' | 'he'
  distill?: number
  temperature?: number
}

export interface TrainingReport {
  epochs: number
  steps: number
  /** Images (samples) per second over the training steps alone. */
  samplesPerSecond: number
  elapsedMs: number
  replicas: number
  /** What ran the gradient graph. */
  device: string
  seed: number
  /** Epoch whose weights were packed, 1-based. */
  bestEpoch: number
  settings: TrainingSettings
  history: readonly EpochReport[]
}
