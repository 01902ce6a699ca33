// How a network is trained, whatever becomes of its weights. Defaults stand in compress-defaults.ts and
// train-defaults.ts.
import type { OptimizerName } from '../optimizer/optimizers.js'
import type { Device } from '../runtime/device.js'
import type { ScheduleName } from '../training/schedule.js'

export interface TrainingOptions {
  epochs: number
  /** Samples per training step. */
  batch: number
  optimizer: OptimizerName
  /** Highest learning rate. */
  learningRate: number
  schedule: ScheduleName
  /** Where the schedule `step` drops the rate to a tenth: shares of the training, ascending, between 0 and 1. */
  drops: readonly number[]
  /** Steps of linear warm-up. */
  warmup: number
  weightDecay: number
  /** Share of each label that is spread evenly over all classes, 0 to below 1. */
  labelSmoothing: number
  /** Largest norm of the gradient of all parameters together; longer ones are scaled down to it. Absent: no limit. */
  clipNorm?: number
  augment: boolean
  seed: number
  /** Worker threads, each one replica; 0 = one per core, or one for another device than cpu. */
  threads: number
  /** What networks run on, for operators that it has. */
  device: Device
  /** Held-out training samples that choose the epoch to keep; at most a tenth of the training data. */
  validation: number
}
