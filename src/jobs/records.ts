// What compress, train and evaluate tell their callers: progress while they run, one report at the end. Plain data,
// schema `ttq-report/1`.
import type { TrainingOptions } from '../options/training-options.js'

/** Sent while the work goes on. */
export type Progress =
  | {
      kind: 'phase'
      name: 'read' | 'prepare' | 'baseline' | 'train' | 'analyze' | 'pack' | 'verify' | 'evaluate'
      detail?: string
    }
  | { kind: 'warning'; message: string }
  | {
      kind: 'step'
      epoch: number
      epochs: number
      step: number
      steps: number
      loss: number
      samplesPerSecond: number
      remainingMs: number
    }
  | ({ kind: 'epoch'; epochs: number; best: boolean } & Omit<EpochReport, 'learningRate'>)
  | { kind: 'evaluated'; done: number; total: number }

export interface LayerReport {
  /** The layer's weight initializer. */
  name: string
  /** Operator: Conv, Gemm or MatMul. */
  op: string
  shape: readonly number[]
  ternary: boolean
  /** How the file holds the weights: `ternary2`, `int8`, `float16`, or the network's own element type. */
  stored: string
  /**
   * Why a layer stays full precision: 'first layer', 'last layer', '--keep <pattern>', ...; absent for ternary layers.
   */
  reason?: string
  /** The following are null for full-precision layers. */
  wp: number | null
  wn: number | null
  /** Threshold as a fraction of max|latent weight|. */
  threshold: number | null
  /** Counts of weights; zeros + positives + negatives = product of shape. */
  zeros: number | null
  positives: number | null
  negatives: number | null
}

export interface SizeReport {
  /** Size of the ONNX model, external data included. */
  onnxBytes: number
  /** Size of the .ttq file. */
  fileBytes: number
  /** onnxBytes / fileBytes. */
  fileRatio: number
  /** Number of weights that are ternary. */
  ternaryWeights: number
  ternaryFp32Bytes: number
  /** 2-bit codes and scale pairs. */
  ternaryPackedBytes: number
  /** ternaryFp32Bytes / ternaryPackedBytes. */
  ternaryRatio: number
  /** Numbers in the network's constants that are not ternary weights. */
  restValues: number
  /** The file without its ternary weights: these numbers, the graph, the tables. */
  restBytes: number
}

/** One method of a comparison, trained under the same options. */
export interface MethodReport {
  method: string
  /** Percent of the full test set, of the packed file read back; null where that has no labels. */
  top1: number | null
  /** Points below the original network; null where either accuracy is not known. */
  drop: number | null
  /** Share of zeros among the ternary weights; null where there are none. */
  sparsity: number | null
  fileBytes: number
  fileRatio: number
  bestEpoch: number
  /** Of training, packing and evaluation. */
  elapsedMs: number
}

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
export interface TrainingSettings extends Omit<TrainingOptions, 'epochs' | 'threads' | 'device' | 'seed'> {
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

/** How --max-drop was tried to be held. */
export interface RestorationReport {
  /** Before the first round: percent of the held-out samples classified right, points of test accuracy lost. */
  allTernary: { heldOutScore: number; drop: number; fileBytes: number }
  /** The order in which layers return to 8 bits: divergence (nats, each alone) per byte saved, falling. */
  ranking: readonly { name: string; divergence: number; savedBytes: number }[]
  rounds: readonly RestorationRound[]
}

/** One training with fewer ternary layers. */
export interface RestorationRound {
  /** Layers that are no longer ternary: trained in full precision, stored as int8. */
  restored: readonly string[]
  heldOutScore: number
  /** Measured on the test set. */
  drop: number
  fileBytes: number
  training: TrainingReport
}

export interface CompressReport {
  schema: 'ttq-report/1'
  /** Program version that wrote it. */
  ttq: string
  model: string
  /** Path of the .ttq file; null when written to stdout or not written. */
  output: string | null
  method: string
  /** How what is not ternary was asked to be stored: fp32, fp16 or int8. */
  rest: string
  dataset: string | null
  preprocessing: string | null
  /** null where no dataset was given: accuracy was not measured. Percent of the full test set. */
  baseline: { top1: number } | null
  compressed: { top1: number } | null
  /**
   * Percent of the test samples on which the packed file and the original network decide the same; null without a
   * dataset or a trained original.
   */
  agreement: number | null
  recipe: string
  /** Whether training started from fresh random weights. */
  fromScratch: boolean
  /** Whether training used no labels. */
  unlabelled: boolean
  size: SizeReport
  layers: readonly LayerReport[]
  training: TrainingReport | null
  /** null where --max-drop was not given, held at once, or is only checked. */
  restoration: RestorationReport | null
  /** With --compare: all methods, the packed one first. */
  comparison?: readonly MethodReport[]
  /** Whether the file, read back, gives the trained network's outputs bit for bit. */
  verified: { bitExact: boolean }
  warnings: readonly string[]
  elapsedMs: number
}

/** One compression of a sweep. */
export interface SweepPoint {
  /** What was asked for: one of them, the other is null. */
  threshold: number | null
  targetSparsity: number | null
  /** Share of zeros among the ternary weights, as it came out. */
  sparsity: number
  /** Percent of the full test set, of the packed file read back. */
  top1: number
  /** Points below the original network. */
  drop: number
  ternaryBytes: number
  fileBytes: number
  fileRatio: number
  bestEpoch: number
  elapsedMs: number
}

export interface SweepReport {
  schema: 'ttq-sweep/1'
  ttq: string
  model: string
  rest: string
  dataset: string
  preprocessing: string | null
  baseline: { top1: number }
  onnxBytes: number
  /** In the order of the values given. */
  points: readonly SweepPoint[]
  warnings: readonly string[]
  elapsedMs: number
}

export interface TrainReport {
  schema: 'ttq-train/1'
  /** Program version that wrote it. */
  ttq: string
  model: string
  /** Path of the ONNX file; null when written to stdout or not written. */
  output: string | null
  dataset: string
  preprocessing: string
  /** Whether training started from fresh random weights; `before` is then measured with those. */
  fromScratch: boolean
  /** Percent of the full test set, before and after training. */
  before: { top1: number }
  after: { top1: number }
  /** Size of the trained network. */
  onnxBytes: number
  training: TrainingReport
  warnings: readonly string[]
  elapsedMs: number
}

export interface EvaluateReport {
  schema: 'ttq-evaluate/1'
  model: string
  dataset: string
  preprocessing: string
  device: string
  /** Percent of the full test set. */
  top1: number
  samples: number
  samplesPerSecond: number
  elapsedMs: number
}
