// What the two ways of compressing hand to the report.
import type { BoundNetwork } from '../binding/bind-network.js'
import type { Dataset } from '../data/dataset.js'
import type { Evaluation } from '../tasks/evaluation.js'
import type { ValueName } from '../onnx/model.js'
import type { Verdicts } from '../tasks/verdicts.js'
import type { MethodName, RestPrecision } from '../options/choices.js'
import type { PackedNetwork } from './pack-network.js'
import type { ReconstructionReport } from './compress-report.js'
import type { LayerDetails } from './describe-details.js'
import type { UsedData, FirstKernels, SamplesReport } from './details-report.js'
import type { Measures } from './task-report.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { RestorationReport } from '../ternary/restore-layers.js'
import type { TernaryNetwork } from '../ternary/ternary-network.js'
import type { TeachersReport } from './teachers-report.js'
import type { TrainingReport } from '../training/training-report.js'

export interface PackedResult {
  file: Uint8Array
  sizes: PackedNetwork['sizes']
  /** As packed. */
  choices: readonly LayerChoice[]
  network: TernaryNetwork
  /** How what is not ternary is stored, where not as the options say. */
  rest?: RestPrecision
  bitExact: boolean
  dataset?: Dataset
  /** What was trained and measured, where something was. */
  measured?: Pick<BoundNetwork, 'task' | 'leftOut' | 'testedOn'>
  baseline?: Evaluation
  compressed?: Evaluation
  agreement?: number
  /** How far the packed network is like the original, by the task's measures. */
  likeness?: Measures
  /** What the file decides for each test sample, where details are asked for, */
  verdicts?: Verdicts | undefined
  /** and what the report says of that. */
  samples?: SamplesReport
  data?: UsedData
  /** Of ternary layers, and the first layer's kernels. */
  layerDetails?: ReadonlyMap<ValueName, LayerDetails>
  firstKernels?: FirstKernels | undefined
  /** Why accuracy was not measured, in a few words; absent where the labels themselves tell. */
  unmeasured?: string
  /** What training learned from, where not from the network itself. */
  teachers?: TeachersReport
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
