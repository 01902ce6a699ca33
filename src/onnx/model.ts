// An ONNX model as plain data. Reading and writing the protobuf form is read-model.ts and write-model.ts; nothing else
// knows it.
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'

/**
 * Name of an edge of the graph: a graph input, an initializer or a node output. '' stands for an omitted optional
 * input.
 */
export type ValueName = string

/**
 * The protobuf message a part was read from, carried along so that writing gives back what this program does not model
 * (doc strings, metadata, fields of newer ONNX versions). Opaque outside read-model.ts and write-model.ts.
 */
export type Source = { readonly opaque: unique symbol } | undefined

export interface Model {
  irVersion: number
  /** Operator set domain ('' is ai.onnx) -> version. */
  opsets: Map<string, number>
  graph: Graph
  source?: Source
}

export interface Graph {
  name: string
  /** In topological order. */
  nodes: Node[]
  /** True inputs only: initializers listed among the inputs (as IR version 3 demands) are left out when reading. */
  inputs: ValueInfo[]
  outputs: ValueInfo[]
  /** Constant values by name, those of `Constant` nodes included (they are lifted when reading). */
  initializers: Map<ValueName, Tensor>
  source?: Source
}

export interface Node {
  /** '' where the file gives none. */
  name: string
  opType: string
  /** '' is ai.onnx. */
  domain: string
  inputs: ValueName[]
  outputs: ValueName[]
  attributes: Attributes
  source?: Source
}

export type Attributes = Record<string, Attribute>

export type Attribute = (
  | { kind: 'float'; value: number }
  | { kind: 'int'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'tensor'; value: Tensor }
  | { kind: 'graph'; value: Graph }
  | { kind: 'floats'; value: readonly number[] }
  | { kind: 'ints'; value: readonly number[] }
  | { kind: 'strings'; value: readonly string[] }
  | { kind: 'graphs'; value: readonly Graph[] }
  | { kind: 'other' }
) & { source?: Source }

export interface ValueInfo {
  name: ValueName
  /** undefined for what is not a plain tensor (sequence, optional, map). */
  type: TensorType | undefined
  source?: Source
}

export interface TensorType {
  elementType: DataType
  /** A number, a symbolic name, or null for an unknown dimension; undefined when the rank is unknown. */
  dims: readonly (number | string | null)[] | undefined
}
