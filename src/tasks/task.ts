// What a network is trained and judged for, as a value: everything that training, evaluation and comparison need to
// know of targets and scores. Everything else handles samples and graphs, and asks the task.
import type { Batch } from '../data/dataset.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { Graph, ValueName } from '../onnx/model.js'
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'

export interface Task {
  readonly name: string
  /**
   * Finds what the task is about among a network's outputs.
   * @param observed the outputs' types where known, and the shapes of values for a batch of `batch` samples
   * @throws NotScorable when the network has no such output
   */
  findOutputs(graph: Graph, observed: ObservedValues, batch: number): TaskOutputs
  /** The input of the loss graph that holds the targets of `batch` samples. */
  targetInput(batch: number): { elementType: DataType; dims: readonly number[] }
  /** What is fed there. @throws TtqError `data` when the samples have no targets */
  targets(batch: Batch, samples: number, options: TargetOptions): Tensor
  /** Writes the loss of a student: its distance from the targets, from a teacher, or both. @returns one number */
  addLoss(builder: GraphBuilder, values: LossValues, options: LossOptions): ValueName
  /** Scores of some samples, to be added up by `evaluation`. */
  score(output: Tensor, batch: Batch, samples: number): Scored
  /** @param parts in the order of the samples */
  evaluation(parts: readonly Scored[]): Evaluation
  /** What an epoch of training without targets is chosen by: how far one evaluation is like another, percent. */
  agreement(a: Evaluation, b: Evaluation): number
  /** What the second has lost against the first, in the points that maxDrop counts. */
  drop(original: Evaluation, changed: Evaluation): number
  /** Mean distance of two networks' outputs on the same samples. */
  divergence(expected: Tensor, actual: Tensor, samples: number): number
  /** Whether this is no better than what a network gives that has learned nothing. */
  isAtChance(evaluation: Evaluation): boolean
}

export interface ObservedValues {
  shapes: ReadonlyMap<ValueName, readonly number[]>
}

export interface TaskOutputs {
  /** The graph output that decides. */
  output: ValueName
  /** The value that the loss is made of: before a final softmax, where the network has one; else `output`. */
  logits: ValueName
  /** Whether `logits` are float32; the loss is computed in it. */
  isFloat32: boolean
  /** Further outputs that the task could be about; the first one in the graph is taken. */
  others: readonly ValueName[]
}

interface TargetOptions {
  /** Share of each label that is spread evenly over all classes. */
  labelSmoothing: number
  /** Whether nothing reads the targets. */
  unlabelled: boolean
}

export interface LossValues {
  student: ValueName
  /** Absent where `distill` is 0. */
  teacher: ValueName | undefined
  targets: ValueName
}

export interface LossOptions {
  batch: number
  /** Weight of the distillation term, 0..1; the distance from the targets has the rest. */
  distill: number
  /** Softmax temperature T of the distillation term. */
  temperature: number
}

/** What `score` counted. */
export interface Scored {
  decisions: readonly number[]
  labelled: number
  correct: number
  lossSum: number
  /** Places of the samples whose scores decide nothing, because they are not finite. */
  notFinite: readonly number[]
  /** The scores themselves. */
  bytes: Uint8Array
}

export interface Evaluation {
  /**
   * What the task counts, higher is better, percent: of a classifier, top-1. null where there are samples without a
   * target.
   */
  score: number | null
  /** Mean cross-entropy of the softmax of the scores, nats; null where there are samples without a label. */
  loss: number | null
  samples: number
  /** Class with the highest score, per sample; -1 where the scores decide nothing. */
  decisions: Int32Array
  /** Samples whose scores are not finite, by their place among the samples. */
  notFinite: readonly number[]
  /** SHA-256 over all scores in the samples' order: equal exactly when two networks' outputs are equal bit for bit. */
  digest: string
}
