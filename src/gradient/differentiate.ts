// Reverse-mode differentiation of an ONNX graph: the driver, once for all rules.
import type { Graph, ValueName } from '../onnx/model.js'

export interface DifferentiateOptions {
  /** Scalar (or one-element) value to differentiate. */
  loss: ValueName
  /** Values whose gradients are wanted: graph inputs (parameters fed at run time) or initializers. */
  withRespectTo: readonly ValueName[]
  /** Concrete shape of every value of the graph, as observed by running it. */
  shapes: ReadonlyMap<ValueName, readonly number[]>
}

export interface GradientGraph {
  /** Forward and backward pass; the outputs are those of the given graph followed by the gradients. */
  graph: Graph
  /** Parameter -> name of its gradient, an output of `graph` with the parameter's shape. */
  gradients: ReadonlyMap<ValueName, ValueName>
}

export declare function differentiate(graph: Graph, options: DifferentiateOptions): GradientGraph
