// The report of compress: plain data, schema `ttq-report/1`.
import type { PackedSummary } from '../packed/inspect-packed.js'
import type { RestorationReport } from '../ternary/restore-layers.js'
import type { TrainingReport } from '../training/training-report.js'
import type { UsedData, FirstKernels, HistogramReport, SamplesReport, TernaryKernels } from './details-report.js'
import type { OtherConstant } from './other-constants.js'
import type { RunReport } from './run-report.js'
import type { Measures, TaskReport } from './task-report.js'
import type { TeachersReport } from './teachers-report.js'

export interface LayerReport {
  /** The layer's weight initializer. */
  name: string
  /** Operator: Conv, ConvTranspose, Gemm or MatMul. */
  op: string
  shape: readonly number[]
  ternary: boolean
  /**
   * How the file holds the weights: `entropy`, `base3`, `ternary2`, `int8`, `float16`, or the network's own element
   * type.
   */
  stored: string
  /** Bits that a weight takes so, scales included. */
  bitsPerWeight: number
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
  /** The following where details were asked for. */
  histogram?: HistogramReport
  kernels?: TernaryKernels
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
  /** Their codes and scale pairs in the file. */
  ternaryPackedBytes: number
  /** ternaryFp32Bytes / ternaryPackedBytes. */
  ternaryRatio: number
  /** Bits that a ternary weight takes, scales included; null where there are none. */
  bitsPerWeight: number | null
  /**
   * Bits that it would take if the weights of a layer knew nothing of one another: the entropy of the shares of -, 0
   * and +; null where there are none.
   */
  entropy: number | null
  /** Numbers in the network's constants that are not ternary weights. */
  restValues: number
  /** The file without its ternary weights: these numbers, the graph, the tables. */
  restBytes: number
  /**
   * Bytes of each part of the file: its header, the directory of tensors, the graph, small tensors deflated together,
   * the others, and the digest.
   */
  parts: PackedSummary['sections']
}

/** Bytes that the file would have with a further option. */
export interface SmallerWays {
  /** With `--rest int8`; null where it is that already. */
  int8: number | null
  /** With `--ternary '*'`; null where that makes no further layer ternary, or a bound decides on the layers. */
  ternary: number | null
}

/** What was done layer by layer, without training. */
export interface ReconstructionReport {
  /** Samples that the layers were fitted on, and what they are. */
  samples: number
  data: string
  /**
   * Root mean square of the differences between the outputs, as percent of the original's, on `heldOut` further
   * samples; null where there are no outputs of floating-point numbers.
   */
  distance: number | null
  /** The same of each output, where there are several. */
  outputs?: readonly { name: string; distance: number | null }[]
  /** 0 where there is no further sample: the distance is on the one that the layers were fitted on. */
  heldOut: number
  /** Of each layer, in the order of the work: the share of its output's variance that it does not give. */
  layers: readonly { name: string; error: number }[]
  /** Where the distance, the loss of accuracy or the size was to stay within a bound: what was tried. */
  bound?: BoundReport
  elapsedMs: number
}

/** How a bound was tried to be held without training. */
export interface BoundReport {
  /** The option and its value: `--max-distance 5`. */
  why: string
  /** Percent that the outputs differ by with this layer alone ternary, or alone in 8 bits. */
  layers: readonly { name: string; ternary: number; int8: number }[]
  /** The first has all layers ternary. */
  rounds: readonly BoundRound[]
}

export interface BoundRound {
  /** Layers that are not ternary any more. */
  restored: number
  /** Percent. */
  distance: number | null
  /** Points of accuracy; null where it is not measured. */
  drop: number | null
  fileBytes: number
}

/** One method of a comparison, trained under the same options. */
export interface MethodReport {
  method: string
  /** Percent of the full test set, of the packed file read back; null without labels, or where the task is another. */
  top1: number | null
  /** The task's main metric, the same where that is top-1. */
  score: number | null
  /** How much worse than the original network; null where either is not known. */
  drop: number | null
  /** Share of zeros among the ternary weights; null where there are none. */
  sparsity: number | null
  fileBytes: number
  fileRatio: number
  bestEpoch: number
  /** Of training, packing and evaluation. */
  elapsedMs: number
}

export interface CompressReport {
  schema: 'ttq-report/1'
  /** Program version that wrote it. */
  ttq: string
  model: string
  /** Path of the .ttq file; null when written to stdout or not written. */
  output: string | null
  method: string
  /** What each option came to, by its name: what was given, and the defaults. */
  options: Readonly<Record<string, unknown>>
  /** How what is not ternary is stored: fp32 (nothing is rounded), fp16 or int8. */
  rest: string
  dataset: string | null
  preprocessing: string | null
  /** What was trained and measured; null where nothing was. */
  task: TaskReport | null
  /** The task's metrics (of a classifier top1, percent) on the full test set; null where they were not measured. */
  baseline: Measures | null
  compressed: Measures | null
  /** Why it was not, in a few words; null where it was. */
  unmeasured: string | null
  /**
   * Percent of the test samples on which the packed file and the original network decide the same; null without a
   * dataset or a trained original.
   */
  agreement: number | null
  /** How far the packed file is like the original network on the test samples, by the task's measures of that. */
  likeness: Measures | null
  /** What the test samples are, where the dataset has none of its own; null where it has. */
  testedOn: string | null
  recipe: string
  /** Whether training started from fresh random weights. */
  fromScratch: boolean
  /** Whether training used no labels. */
  unlabelled: boolean
  size: SizeReport
  layers: readonly LayerReport[]
  /**
   * Large constants of floating-point numbers that are no weights of layers, with the bytes that they take in the file.
   */
  others: readonly (OtherConstant & { bytes: number })[]
  /** What it would weigh by further options; absent where layers in full precision are not what makes it large. */
  smaller?: SmallerWays
  training: TrainingReport | null
  /** What it was trained to give, where not what the original gives. */
  teachers?: TeachersReport
  /** null where the network was trained, or each layer fitted by itself. */
  reconstruction: ReconstructionReport | null
  /** null where --max-drop was not given, held at once, or is only checked. */
  restoration: RestorationReport | null
  /** With --compare: all methods, the packed one first. */
  comparison?: readonly MethodReport[]
  /** Whether the file, read back, gives the trained network's outputs bit for bit. */
  verified: { bitExact: boolean }
  /** What the data are; absent without. */
  data?: UsedData
  /** The following where details were asked for, and there are any. */
  samples?: SamplesReport
  firstKernels?: FirstKernels
  warnings: readonly string[]
  elapsedMs: number
  /** Added by the command line. */
  run?: RunReport
}
