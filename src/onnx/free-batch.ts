// Networks exported for one batch size -> networks for any.
import type { Tensor } from '../tensor/tensor.js'
import { attribute } from './attributes.js'
import { cloneGraph, valueNames } from './graph-queries.js'
import { GraphBuilder } from './graph-builder.js'
import type { Graph, Model, ValueInfo } from './model.js'
import { forgetShapes } from './source.js'
import { constantValues } from './static-values.js'

const SYMBOL = 'batch'

/**
 * A copy of the model whose fixed batch dimension is symbolic; the model itself when its first input has no fixed first
 * dimension.
 *
 * It frees the first dimension of all inputs and outputs where it is the batch size of the first input, and rewrites
 * the target of every Reshape of data whose constant target begins with the batch size: [1,256] becomes [-1,256], and
 * [1,-1] becomes [0,-1]. It cannot see a batch size inside a product ([heads * batch, ...]), in another place than the
 * first, in Resize sizes, or in constants that the data is joined with (initial states). A caller therefore has to try
 * the result with several samples.
 */
export function freeBatch(model: Model): Model {
  const batch = model.graph.inputs[0]?.type?.dims?.[0]
  if (typeof batch !== 'number') return model
  const graph = forgetShapes(cloneGraph(model.graph))
  for (const info of [...graph.inputs, ...graph.outputs]) freeFirstDim(info, batch)
  freeReshapes(graph, batch)
  return { ...model, graph }
}

function freeFirstDim(info: ValueInfo, batch: number): void {
  if (info.type?.dims?.[0] === batch) info.type = { ...info.type, dims: [SYMBOL, ...info.type.dims.slice(1)] }
}

function freeReshapes(graph: Graph, batch: number): void {
  const builder = new GraphBuilder(valueNames(graph))
  const constant = constantValues(graph)
  for (const node of graph.nodes) {
    if (node.opType !== 'Reshape' || node.domain !== '') continue
    const [data = '', shape = ''] = node.inputs
    if (graph.initializers.has(data) || constant.has(data)) continue
    const target = graph.initializers.get(shape)
    const free = target && freeTarget(target, batch, attribute(node, 'allowzero', 'int', 0) === 1)
    if (free === undefined) continue
    node.inputs = [data, builder.constant(free, `${shape}_${SYMBOL}`)]
    delete node.attributes['allowzero']
  }
  for (const [name, tensor] of builder.initializers) graph.initializers.set(name, tensor)
}

// 0 copies the input's dimension, unless allowzero takes that meaning away; without a 0 in the target, allowzero means
// nothing.
function freeTarget(target: Tensor, batch: number, allowZero: boolean): Tensor | undefined {
  const dims = [...(target.data as BigInt64Array)]
  if (dims[0] !== BigInt(batch) || (allowZero && dims.includes(0n))) return undefined
  return { ...target, data: BigInt64Array.from([dims.includes(-1n) ? 0n : -1n, ...dims.slice(1)]) }
}
