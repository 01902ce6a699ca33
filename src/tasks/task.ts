// What a network is trained and judged for, as a value: everything that training, evaluation and comparison need to
// know of labels and outputs. Everything else handles samples and graphs, and asks the task.
import type { Labels } from '../data/dataset.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { Graph, ValueName } from '../onnx/model.js'
import type { TaskName } from '../options/choices.js'
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import type { ClassScores } from './class-scores.js'
import type { Weighted } from './weighted.js'

/** A task of one network: it knows which outputs it is about, and their form. */
export interface Task {
  readonly name: TaskName
  /** What it is about, in words: `10 classes`. */
  readonly about: string
  /** The graph outputs that are trained and measured. All outputs are handed over in this order. */
  readonly outputs: readonly ValueName[]
  /** Further outputs that it could be about; the first one in the graph is taken. */
  readonly others: readonly ValueName[]
  /** What outputs are measured by against labels, the main one first; empty where the task has no use for them. */
  readonly metrics: readonly MetricRule[]
  /** How far outputs are like the original network's, the main one first; one is called `divergence`. */
  readonly likeness: readonly MetricRule[]
  /** The values that the loss is made of, all of floating-point numbers: before a final softmax, where there is one. */
  lossValues(graph: Graph, shapes: Shapes): readonly LossValue[]
  /** What is wrong with labels; undefined where nothing is. */
  checkLabels(labels: Labels, samples: number): LabelFault | undefined
  /** The inputs of the loss graph that hold the targets of so many samples, */
  targetInputs(samples: number): readonly TargetInput[]
  /** and what is fed there. @param labels that there are, and are right */
  targets(labels: Labels, samples: number, options: TargetOptions): readonly Tensor[]
  /** Writes the loss of a student: its distance from the targets, from its teachers, or both. @returns one number */
  addLoss(builder: GraphBuilder, values: LossInputs, options: LossOptions): ValueName
  /** The samples whose outputs are no numbers that say something, by their place. */
  undecided(outputs: readonly Tensor[], samples: number): readonly number[]
  /** Counts that `metrics` are made of. @param outputs of so many samples, perhaps with more behind them */
  score(outputs: readonly Tensor[], labels: Labels, samples: number): Tally
  /** Counts that `likeness` is made of. */
  compare(expected: readonly Tensor[], found: readonly Tensor[], samples: number): Tally
  /** Of a task with one decision per sample: the scores that it is made by, one row per sample. */
  readonly scores?: (outputs: readonly Tensor[], samples: number) => ClassScores
  /** What a network that has learned nothing gives by the main metric, or more; undefined where nobody knows. */
  readonly chance?: number
}

/** A number that networks are compared by. */
export interface Metric {
  /** In reports: `top1`. */
  readonly key: string
  /** As people call it: `top-1`. */
  readonly name: string
  readonly unit: '%' | 'nats' | 'dB' | ''
  readonly better: 'higher' | 'lower'
  /** It is a share of the samples, so that its standard error follows from their number. */
  readonly ofSamples?: true
}

export interface MetricRule extends Metric {
  of(tally: Tally): number
}

/** Numbers that add up over batches of samples, and lists that are put one behind the other, in the samples' order. */
export interface Tally {
  readonly sums: Readonly<Record<string, ArrayLike<number>>>
  readonly lists?: Readonly<Record<string, Float32Array>>
}

/** Of a batch of samples. */
export type Shapes = ReadonlyMap<ValueName, readonly number[]>

export interface LossValue {
  readonly value: ValueName
  /** Of a batch. */
  readonly dims: readonly number[]
  /** Whether it is float32; the loss is computed in it. */
  readonly isFloat32: boolean
  /** Whether it holds probabilities, because nothing stands before the softmax (or sigmoid) in the same order. */
  readonly isProbabilities: boolean
  /** How its scores are compared, where a task has values of several kinds: the axis of a softmax, or a sigmoid. */
  readonly by?: { readonly softmax: number } | 'sigmoid'
}

export interface TargetInput {
  readonly elementType: DataType
  readonly dims: readonly number[]
}

export interface LabelFault {
  /** The sample's place in the batch, */
  readonly sample: number
  /** `label 7, expected 0..3`. */
  readonly problem: string
}

interface TargetOptions {
  /** Share of each label that is spread evenly over all classes. */
  labelSmoothing: number
}

/** A value in the loss graph, in float32. */
export type LossInput = Omit<LossValue, 'isFloat32'>

export interface LossInputs {
  student: readonly LossInput[]
  /** The values of each network to learn from, in the student's order and shapes; absent where `distill` is 0. */
  teachers: readonly Weighted<readonly LossInput[]>[] | undefined
  /** One per target input; absent where `distill` is 1. */
  targets: readonly ValueName[] | undefined
  /** What the first teacher gives for one batch, to see how large outputs are; absent where there is no teacher. */
  observed: readonly Tensor[] | undefined
}

export interface LossOptions {
  batch: number
  /** Weight of the distillation term, 0..1; the distance from the targets has the rest. */
  distill: number
  /** Softmax temperature T of the distillation term. */
  temperature: number
}
