// What the graph itself says about a value's rank and element type, without running it. A guess from declarations and a
// few operators: enough to convert old operators neatly, no shape inference.
import type { DataType } from '../tensor/data-type.js'
import { dataTypeOfOnnx } from '../tensor/data-type.js'
import { attribute } from './attributes.js'
import type { Graph, Node, TensorType, ValueName } from './model.js'
import { operatorOf } from './operators.js'

export interface ValueFacts {
  /** Number of dimensions, or undefined when the graph does not tell. */
  readonly rank: (value: ValueName) => number | undefined
  /** Element type, or undefined when the graph does not tell. */
  readonly elementType: (value: ValueName) => DataType | undefined
}

/** @param producer value -> the node that computes it (see producers) */
export function valueFacts(graph: Graph, producer: ReadonlyMap<ValueName, Node>): ValueFacts {
  const declared = new Map<ValueName, TensorType | undefined>(
    [...graph.inputs, ...graph.outputs].map(({ name, type }) => [name, type]),
  )
  const rank = (value: ValueName): number | undefined => {
    const known = graph.initializers.get(value)?.dims.length ?? declared.get(value)?.dims?.length
    const node = producer.get(value)
    if (known !== undefined || node === undefined) return known
    if (node.opType === 'Reshape') return graph.initializers.get(node.inputs[1] ?? '')?.dims[0]
    const told = operatorOf(node).rank
    return told === 'of input' ? rank(node.inputs[0] ?? '') : told
  }
  const elementType = (value: ValueName): DataType | undefined => {
    const known = graph.initializers.get(value)?.type ?? declared.get(value)?.elementType
    const node = producer.get(value)
    return known !== undefined || node === undefined || node.domain !== '' ? known : resultType(node, elementType)
  }
  return { rank, elementType }
}

/** Element type of a node's first result, from those of its inputs; undefined when neither tells. */
export function resultType(node: Node, elementType: (value: ValueName) => DataType | undefined): DataType | undefined {
  const { result, typeOf = 0 } = operatorOf(node)
  if (result === 'unknown') return undefined
  if (result === 'attribute to') return dataTypeOfOnnx(attribute(node, 'to', 'int', 0))
  return result ?? elementType(node.inputs[typeOf] ?? '')
}
