// What the two ways of compressing hand to the report.
import type { Dataset } from '../data/dataset.js'
import type { Evaluation } from '../tasks/task.js'
import type { MethodName } from '../options/choices.js'
import type { PackedNetwork } from './pack-network.js'
import type { ReconstructionReport } from './compress-report.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { RestorationReport } from '../ternary/restore-layers.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import type { TrainingReport } from '../training/training-report.js'

export interface PackedResult {
  file: Uint8Array
  sizes: PackedNetwork['sizes']
  /** As packed. */
  choices: readonly LayerChoice[]
  network: TernaryNetwork
  bitExact: boolean
  dataset?: Dataset
  baseline?: Evaluation
  compressed?: Evaluation
  agreement?: number
  /** Why accuracy was not measured, in a few words; absent where the labels themselves tell. */
  unmeasured?: string
  training?: TrainingReport
  restoration?: RestorationReport
  reconstruction?: ReconstructionReport
  /** All methods of a comparison, the packed one first. */
  compared?: readonly TrainedMethod[]
}

export interface TrainedMethod extends PackedResult {
  method: MethodName
  compressed: Evaluation
  training: TrainingReport
  elapsedMs: number
}
