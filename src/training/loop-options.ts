// What the training loop has to be told, beside the networks.
import type { ReplicaPlan } from '../execution/replica-plan.js'
import type { OptionsOf } from '../options/option-table.js'
import type { Task } from '../tasks/task.js'
import type { Progress } from './progress.js'
import type { TrainingCheckpoint } from './run-checkpoint.js'
import type { TrainedValues } from './trained-values.js'
import type { EpochReport } from './training-report.js'

/** Where a training is: the epoch, and how many of its steps are done; epoch 0 is before the first step. */
export interface StepPlace {
  epoch: number
  step: number
}

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
  | 'mixup'
  | 'cutmix'
> {
  /** Samples per step over all replicas; a multiple of their number, and of `piece` for each of them. */
  batch: number
  /** Samples that the gradient graph takes at once. */
  piece: number
  task: Task
  /** Whether labels are left unread, and `validate` compares with the original network instead of labels. */
  unlabelled: boolean
  /** Whether the channels of images come last. */
  isNhwc: boolean
  /** Whether the loss reads labels. */
  withTargets: boolean
  /** The weight of distillation in the first and the last step, where it is fed with every batch. */
  distillCourse?: { from: number; to: number } | undefined
  scaleLearningRate: number
  /** Whether what training starts from may be what is kept in the end: not so for random weights. */
  startCounts: boolean
  plan: ReplicaPlan
  /** Training samples to learn from, and those held out to choose the best epoch by. */
  indices: ArrayLike<number>
  heldOut: ArrayLike<number>
  /** How the samples of a training batch are changed, in words; undefined where they are no images. */
  augmentedBy?: readonly string[] | undefined
  /** The main metric of a snapshot (or what it is like the original by) on the held-out samples. */
  validate: (values: TrainedValues, at: StepPlace) => Promise<number>
  /** What is noted of each epoch, besides. */
  observe?: (values: TrainedValues) => Pick<EpochReport, 'ternary'>
  onProgress: (progress: Progress) => void
  /** Values and state slots to start from in the place of the update graphs' own. */
  start?: TrainedValues
  /** Where the training's position is kept after every epoch and when it is interrupted; goes before `start`. */
  recovery?: TrainingCheckpoint
}
