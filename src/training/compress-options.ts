// What a caller of compress can ask for. The defaults stand in compress-defaults.ts, which loads nothing heavy.
import type { ExternalData } from '../onnx/read-model.js'
import type { MethodName } from '../ternary/update-graph.js'
import type { Device } from '../runtime/device.js'
import type { Progress } from './records.js'
import type { RestPrecision } from './round-rest.js'

export interface CompressOptions {
  /** File name of the network, for messages and the report. */
  name: string
  /** Dataset: `mnist`, `cifar10`, `<name>:<folder>` or the path of a module. Absent: data-free fit, accuracy is not measured. */
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
  /** Methods to train beside it with the same options, for the report's comparison; `none` is full precision. Needs `data`. */
  compare: readonly MethodName[]
  /** How everything that is not ternary is stored. */
  rest: RestPrecision
  epochs: number
  /** Samples per training step. */
  batch: number
  learningRate: number
  /** Learning rate of Wp and Wn. */
  scaleLearningRate: number
  weightDecay: number
  /** Steps of linear warm-up. */
  warmup: number
  /** Weight of the distillation term, 0..1. */
  distill: number
  temperature: number
  augment: boolean
  seed: number
  /** Worker threads, each one replica; 0 = one per core, or one for another device than cpu. */
  threads: number
  /** What networks run on, for operators that it has. */
  device: Device
  /** Held-out training samples that choose the best epoch; at most a tenth of the training data. */
  validation: number
  onProgress?: (progress: Progress) => void
  signal?: AbortSignal
  /** Bytes of the network's external data files. */
  externalData?: ExternalData
  /** The network's bytes may be overwritten (see ReadOptions), which saves a copy of them. Default false. */
  overwrite?: boolean
}
