// Layers whose weights a graph computes from other constants when it is loaded: packed codes behind nodes that unpack
// them, 16 bits behind a Cast.
import { producers, valuesBehind } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { isLayer, learnedPositions } from '../onnx/operators.js'
import { constantValues } from '../onnx/static-values.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import type { LayerChoice } from '../ternary/layer-choice.js'

/** Whether any layer's weight is computed from constants. */
export function computesWeights(graph: Graph): boolean {
  const constant = constantValues(graph)
  return graph.nodes.some(
    (node) =>
      isLayer(node) &&
      learnedPositions(node).some(([index, role]) => role === 'weight' && constant.has(node.inputs[index] ?? '')),
  )
}

/**
 * Bits per weight of the layers whose weights the graph computes: those of the constants behind them, each spread over
 * all the weights that come from it.
 */
export function computedBits(graph: Graph, layers: readonly LayerChoice[]): Map<ValueName, number> {
  const makers = producers(graph)
  const computed = layers.filter(({ weight }) => makers.has(weight))
  const sources = new Map(computed.map(({ weight }) => [weight, sourcesOf(weight, graph, makers)]))
  const served = new Map<ValueName, number>()
  for (const { weight, dims } of computed)
    for (const source of sources.get(weight) ?? []) served.set(source, (served.get(source) ?? 0) + elementCount(dims))
  const bitsOf = (source: ValueName): number => {
    const tensor = graph.initializers.get(source)
    if (tensor === undefined) return 0
    const own = elementCount(tensor.dims)
    // What comes from it beside weights of layers counts, too, as far as its elements tell.
    return (8 * byteLength(tensor.type, own)) / Math.max(1, own, served.get(source) ?? 0)
  }
  return new Map([...sources].map(([weight, own]) => [weight, own.reduce((sum, source) => sum + bitsOf(source), 0)]))
}

function sourcesOf(value: ValueName, { initializers }: Graph, makers: ReadonlyMap<ValueName, Node>): ValueName[] {
  return [...valuesBehind(value, makers)].filter((name) => initializers.has(name))
}
