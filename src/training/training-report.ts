// What a report says of a training: the options it ran with, and how it went.
import type { TfjsName } from '../options/choices.js'
import type { OptionsOf } from '../options/option-table.js'
import type { Metric } from '../tasks/task.js'

export interface EpochReport {
  epoch: number
  loss: number
  learningRate: number
  /** Percent of the held-out samples; null where training used no labels, or is judged by something else. */
  validationTop1: number | null
  /**
   * Percent of the held-out samples on which the original network decides the same: in the place of top-1 where
   * training used no labels.
   */
  validationAgreement?: number
  /** The same where the task is judged by something else: the metric's key, its name, unit and value. */
  validation?: Pick<Metric, 'key' | 'name' | 'unit'> & { value: number }
  /** Of each of the training's `ternaryLayers`, in their order, after this epoch. */
  ternary?: TernaryState
  elapsedMs: number
}

/** Layers as the network computes with them, one number each. */
export interface TernaryState {
  wp: readonly number[]
  wn: readonly number[]
  /** Share of zeros. */
  zeros: readonly number[]
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
  | 'augmentations'
  | 'mixup'
  | 'cutmix'
  | 'validation'
> {
  /** The following stand there where the network became ternary. */
  scaleLearningRate?: number
  scaleStart?: 'fit' | 'one'
  latentSteps?: 'plain' | 'he'
  distill?: number
  distillEnd?: number
  temperature?: number
  /** Their names. */
  teachers?: readonly string[]
}

/** What options that are bounds, or are settled by the data, have come to. */
export interface TrainingAsRun {
  /** Samples learned from, */
  training: number
  /** and those that the epoch was chosen by. */
  heldOut: number
  /** Steps over which the learning rate rose. */
  warmup: number
  /** How training images were changed, as `augmentations` says it; null where they were not. */
  augmentations: readonly string[] | null
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
  /** What computed; absent where it was ONNX Runtime. */
  engine?: TfjsName
  seed: number
  /** Epoch whose weights were kept, 1-based; 0: the start. */
  bestEpoch: number
  settings: TrainingSettings
  /** Absent in reports of earlier versions. */
  asRun?: TrainingAsRun
  /** The layers that `history[].ternary` is about; there where details were asked for. */
  ternaryLayers?: readonly string[]
  history: readonly EpochReport[]
}

/** How an epoch report says what the held-out samples gave. */
export function validationOf(
  { key, name, unit }: Metric,
  value: number,
): Pick<EpochReport, 'validationTop1' | 'validationAgreement' | 'validation'> {
  if (key === 'top1') return { validationTop1: value }
  if (key === 'agreement') return { validationTop1: null, validationAgreement: value }
  return { validationTop1: null, validation: { key, name, unit, value } }
}

/** What `validationOf` was given. */
export function epochScore({ validationTop1, validationAgreement, validation }: EpochReport): number {
  return validationTop1 ?? validationAgreement ?? validation?.value ?? NaN
}
