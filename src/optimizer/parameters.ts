// Which values of a network are trained, and how: the contract between the update graph and whoever runs it.
import type { Model, ValueName } from '../onnx/model.js'

/**
 * - `weight`: full precision, weight decay applies
 * - `vector`: full precision, no weight decay (biases, normalisation scales and shifts)
 * - `statistic`: running mean and variance; its "gradient" is its new value
 */
export type ParameterRole = 'weight' | 'vector' | 'statistic'

export interface Parameter {
  name: ValueName
  dims: readonly number[]
  role: ParameterRole
  /** Value before training, in full precision, as many as dims say. */
  initial: Float32Array
}

/** One tensor that the update graph reads and writes anew each step. */
export interface StateSlot {
  /** Graph input; the new value is the graph output `<name>_next`. */
  name: ValueName
  dims: readonly number[]
  initial: Float32Array
}

/** An update graph and how to drive it: feed scalars, state and gradients; take new state and new parameter values. */
export interface UpdateGraph {
  model: Model
  /**
   * Scalar float32 inputs of shape [] that change from step to step; which of them exist depends on rules and
   * optimizer.
   */
  scalars: readonly UpdateScalar[]
  state: readonly StateSlot[]
  /**
   * Blocks of consecutive parameters: each block has one gradient input and one value output over all its elements.
   * A parameter with a rule of its own is a block of its own; most others are joined by role.
   */
  blocks: readonly UpdateBlock[]
}

/**
 * Scalar inputs of the update graph: learning rates of the latent and full-precision weights, of Wp and Wn, and the
 * 1-based step number.
 */
export type UpdateScalar = 'learningRate' | 'scaleLearningRate' | 'step'

export interface UpdateBlock {
  role: ParameterRole
  parameters: readonly Parameter[]
  size: number
  /** Of gradient and value: [size], or where that is long [pieces, size / pieces]. */
  dims: readonly number[]
  /** Graph input: mean gradient over the replicas (statistic: mean new value). */
  gradient: ValueName
  /** Graph output: what the gradient graph is fed next. */
  value: ValueName
  /** The value before the first step, [size]: where a rule quantizes, the quantized start. */
  initialValue: Float32Array
}
