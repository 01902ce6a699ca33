// What an optimizer is: a builder of ONNX nodes for one update of one tensor. Which tensors are updated, and with which
// rates, is not decided here.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'

/** One tensor to update. */
export interface OptimizerStep {
  /** What the state slots' names start with: `<prefix>momentum` and so on. */
  prefix: string
  dims: readonly number[]
  /** Current value, shape dims. */
  value: ValueName
  /** Gradient of the loss, shape dims; weight decay not included. */
  gradient: ValueName
  /** Scalar float32. */
  learningRate: ValueName
  /** Coefficient of the weight decay; 0 for none. */
  weightDecay: number
  /** Name that the next value gets. */
  next: ValueName
  /** The 1-based number of the step, scalar float32; declared as a graph input at the first call. */
  stepNumber: () => ValueName
}

/** State that starts as zeros: graph input `name`, new value graph output `<name>_next`. */
interface OptimizerSlot {
  name: ValueName
  dims: readonly number[]
}

export interface Optimizer {
  /** Whether a step grows with the gradient; else it has the size of the learning rate. */
  followsGradientSize: boolean
  /**
   * Emits the nodes that compute `step.next`, declares the inputs and outputs of the state they need, and returns that
   * state.
   */
  update: (graph: GraphBuilder, step: OptimizerStep) => OptimizerSlot[]
}

/**
 * Declares a state slot of a step: its input and its output, which the caller still has to compute under the name
 * `<slot>_next`.
 */
export function declareSlot(graph: GraphBuilder, step: OptimizerStep, kind: string): OptimizerSlot {
  const name = graph.input(`${step.prefix}${kind}`, 'float32', step.dims)
  graph.output(nextOf(name), 'float32', step.dims)
  return { name, dims: step.dims }
}

/** Name of the graph output with a state slot's new value. */
export function nextOf(slot: ValueName): ValueName {
  return `${slot}_next`
}
