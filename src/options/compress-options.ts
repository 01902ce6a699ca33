// What a caller of compress can ask for. The defaults stand in compress-defaults.ts, which loads nothing heavy.
import type { ExternalData } from '../onnx/read-model.js'
import type { MethodName } from '../methods/methods.js'
import type { Progress } from '../training/progress.js'
import type { RestPrecision } from '../ternary/round-rest.js'
import type { CheckpointOptions } from '../training/run-checkpoint.js'
import type { TrainingOptions } from './training-options.js'

/** Sets of defaults; what they say stands in recipes.ts. */
export type RecipeName = 'default' | 'paper'

export interface CompressOptions extends TrainingOptions {
  /** File name of the network, for messages and the report. */
  name: string
  /**
   * Dataset: `mnist`, `cifar10`, `<name>:<folder>` or the path of a module. Absent: data-free fit, accuracy is not
   * measured.
   */
  data?: string
  /** Per channel, on pixels scaled to 0..1 (or 0..255 with `scale` 255). Absent: the usual ones are tried. */
  mean?: readonly number[]
  std?: readonly number[]
  scale?: 1 | 255
  /** Threshold as a fraction of max|w|, constant for all layers. */
  threshold?: number
  /** Share of zeros, constant for all layers. Without either, each layer starts from its best L2 fit. */
  sparsity?: number
  /** Glob patterns of layers to keep in full precision, and to make ternary against the default. */
  keep: readonly string[]
  ternary: readonly string[]
  renormalize: 'auto' | 'on' | 'off'
  method: MethodName
  /**
   * Methods to train beside it with the same options, for the report's comparison; `none` is full precision. Needs
   * `data`.
   */
  compare: readonly MethodName[]
  /** How everything that is not ternary is stored. */
  rest: RestPrecision
  /** Where the options that are not given come from. */
  recipe: RecipeName
  /** Start from fresh random weights (He, of `seed`) instead of the file's. */
  fromScratch: boolean
  /**
   * Train on the samples alone, by distillation from the original network; so is trained, too, where there are no
   * labels.
   */
  unlabelled: boolean
  /** Wp and Wn before the first step: what fits the weights best, or 1 where a batch norm follows the layer. */
  scaleStart: 'fit' | 'one'
  /**
   * The learning rate of latent weights: the one that everything else has, or times what makes steps as large as those
   * of He-initialised full-precision weights (he-steps.ts).
   */
  latentSteps: 'plain' | 'he'
  /** Refuse data whose test samples have no labels, for callers that are about accuracy. */
  needsAccuracy: boolean
  /** Learning rate of Wp and Wn. */
  scaleLearningRate: number
  /** Weight of the distillation term, 0..1. */
  distill: number
  temperature: number
  /** Points that top-1 on the test set may fall by; without labels, percent of the decisions that may change. */
  maxDrop?: number
  /** What to do when it falls by more: return the most harmful layers to 8 bits, or nothing. */
  maxDropAction: 'restore' | 'fail'
  /** Where the training is kept while it goes on, so that it can be resumed after a stop. */
  checkpoint?: CheckpointOptions
  onProgress?: (progress: Progress) => void
  signal?: AbortSignal
  /** Bytes of the network's external data files. */
  externalData?: ExternalData
  /** The network's bytes may be overwritten (see ReadOptions), which saves a copy of them. Default false. */
  overwrite?: boolean
}
