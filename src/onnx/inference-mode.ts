// Networks that were exported in the middle of training: a batch norm that takes the statistics of whatever batch
// comes, a dropout that drops. What such a network says of a sample depends on the others, or on chance.
// https://onnx.ai/onnx/operators/onnx__BatchNormalization.html, https://onnx.ai/onnx/operators/onnx__Dropout.html
import { attribute, attributes } from './attributes.js'
import { consumers } from './graph-queries.js'
import type { Graph, Node } from './model.js'

const TRAINING_MODE_INPUT = 2

/**
 * The graph as it works after training: batch norms take their running statistics, dropouts pass everything on. A batch
 * norm whose new statistics are used stays: it is there to train.
 * @returns also the nodes that were changed, as they were
 */
export function inferenceMode(graph: Graph): { graph: Graph; changed: readonly Node[] } {
  const used = consumers(graph)
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const isUsed = (value: string): boolean => outputs.has(value) || (used.get(value) ?? []).length > 0
  const changed: Node[] = []
  const nodes = graph.nodes.map((node) => {
    const plain = node.domain === '' ? plainForm(node, graph, isUsed) : undefined
    if (plain !== undefined) changed.push(node)
    return plain ?? node
  })
  return changed.length === 0 ? { graph, changed } : { graph: { ...graph, nodes }, changed }
}

function plainForm(node: Node, graph: Graph, isUsed: (value: string) => boolean): Node | undefined {
  if (node.opType === 'BatchNormalization') {
    if (attribute(node, 'training_mode', 'int', 0) === 0 || node.outputs.slice(1).some(isUsed)) return undefined
    return {
      ...node,
      outputs: node.outputs.slice(0, 1),
      attributes: { ...node.attributes, ...attributes({ training_mode: 0 }) },
    }
  }
  const mode = graph.initializers.get(node.inputs[TRAINING_MODE_INPUT] ?? '')
  if (node.opType !== 'Dropout' || mode?.type !== 'bool' || Number(mode.data[0]) === 0) return undefined
  return { ...node, inputs: node.inputs.slice(0, TRAINING_MODE_INPUT) }
}
