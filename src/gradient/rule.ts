// What a differentiation rule is. The rules themselves stand in rules/, the table in rule-table.ts, the driver in
// differentiate.ts.
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Attributes, Node, ValueName } from '../onnx/model.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'

export type Shape = readonly number[]

/** What both passes of a rule may ask and emit. */
export interface Scope {
  /** Writes nodes of the backward (or replaced forward) pass: `g.emit('Mul', [a, b])`. */
  readonly emit: GraphBuilder['emit']
  readonly emitMany: GraphBuilder['emitMany']
  readonly constant: (tensor: Tensor, name?: string) => ValueName
  /** A float32 scalar constant. */
  scalar(value: number): ValueName
  /** A one-dimensional int64 constant: axes, shapes, pads. */
  ints(values: readonly number[]): ValueName
  /** The value in another shape; the value itself where `from` is that shape already. */
  reshape(value: ValueName, from: Shape, to: Shape): ValueName
  /** Concrete shape of a forward value, as observed when the network ran. */
  shape(value: ValueName): Shape
  /** The value itself where it is an initializer of the graph (axes, pads, shapes), else undefined. */
  constantValue(value: ValueName): Tensor | undefined
  /** Stops with an error of the kind `unsupported` that names the node: what shapes or constants alone can tell. */
  refuse(reason: string): never
}

/** What a rule may ask and emit while the driver differentiates one node. */
export interface RuleScope extends Scope {
  /** Gradient of the loss with respect to the node's output `index` (default 0); a zero constant where none flows. */
  gradient(index?: number): ValueName
  /**
   * Whether the gradient with respect to input `index` is needed at all; rules skip work for inputs where it is not.
   */
  needs(index: number): boolean
  /** Something the rule's own forward emission left for its backward (`save` there), e.g. batch mean and variance. */
  saved(key: string): ValueName
}

/** What takes a node's place in the forward pass. */
interface ReplacingScope extends Scope {
  /**
   * Adds a node whose outputs carry the given names (every output of the node that is replaced, and is used, must be
   * defined so).
   */
  define(opType: string, inputs: readonly ValueName[], outputs: readonly ValueName[], attributes?: Attributes): void
}

/** Scope of an expansion. */
export interface ExpansionScope extends ReplacingScope {
  /** Element type of a forward value, where the graph tells. */
  elementType(value: ValueName): DataType | undefined
}

/** Scope of a rule's forward emission: with a memory for the backward pass. */
export interface ForwardScope extends ReplacingScope {
  save(key: string, value: ValueName): void
}

/**
 * The backward pass of one operator: emits nodes and returns one gradient per input of the node, null where none flows.
 */
export type BackwardRule = (node: Node, g: RuleScope) => (ValueName | null)[]

export interface GradientRule {
  backward: BackwardRule
  /**
   * The gradients returned have the shape of the node's first output; the driver sums each back to its input's shape.
   */
  broadcasts?: true
  /**
   * Replaces the node in the forward pass where the backward pass needs more than its outputs (MaxPool's indices, batch
   * statistics).
   */
  forward?: (node: Node, g: ForwardScope) => void
  /** What of this very node the rule cannot differentiate, e.g. `storage_order 1`; undefined where all is well. */
  limit?: (node: Node) => string | undefined
  /** The same in general, what shapes and constants may forbid included, for the list of operators in docs. */
  except?: string
}

/**
 * An operator that is a composition of others: it is written out as operators that have rules of their own before the
 * graph is differentiated.
 */
export interface Expansion {
  expand: (node: Node, g: ExpansionScope) => void
  /** As of rules. */
  limit?: (node: Node) => string | undefined
  except?: string
}

/** No gradient flows through this operator, by definition (Shape, Greater, ArgMax, ...). */
export const NOT_DIFFERENTIABLE = Symbol('not differentiable')

/** Operators missing from the table are unsupported. */
export type RuleTable = Readonly<Record<string, GradientRule | BackwardRule | Expansion | typeof NOT_DIFFERENTIABLE>>
