// How large a network is, in parameters.
import { type DataType, FLOAT_TYPES } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import { subgraphs } from './attributes.js'
import type { Graph } from './model.js'

const FLOATS = new Set<DataType>([...FLOAT_TYPES, 'bfloat16'])

/** Elements of all floating-point constants, those in the bodies of control flow included. */
export function countParameters(graph: Graph): number {
  const own = [...graph.initializers.values()].reduce(
    (sum, { type, dims }) => sum + (FLOATS.has(type) ? elementCount(dims) : 0),
    0,
  )
  return graph.nodes.flatMap(subgraphs).reduce((sum, body) => sum + countParameters(body), own)
}
