// The input of a network that says which of its layers are used.
import { subgraphs } from '../onnx/attributes.js'
import { producers, valuesBehind } from '../onnx/graph-queries.js'
import { hasLayer } from '../onnx/hoist-constants.js'
import type { Graph, ValueName } from '../onnx/model.js'

/** The input that the condition of an If with layers in its branches is computed from, alone and beside others. */
export function choosingInput(graph: Graph): ValueName | undefined {
  const makers = producers(graph)
  const conditions = graph.nodes.flatMap((node) =>
    node.domain === '' && node.opType === 'If' && subgraphs(node).some(hasLayer) ? node.inputs.slice(0, 1) : [],
  )
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  if (inputs.size < 2) return undefined
  const behind = conditions.map((condition) => [...valuesBehind(condition, makers)].filter((name) => inputs.has(name)))
  return behind.find(({ length }) => length === 1)?.[0]
}
