// Which nodes of a graph lie between parameters and loss, and which values need a gradient there.
import { madeValues, usedValues } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { isDifferentiable } from './rule-table.js'

export interface Path {
  /** In topological order. */
  nodes: ReadonlySet<Node>
  /** Values that depend on a parameter and that the loss depends on. */
  needed: ReadonlySet<ValueName>
}

/**
 * Dependence by values only, those that bodies of control flow use included: it ends at operators through which no
 * gradient flows.
 */
export function findPath(graph: Graph, from: readonly ValueName[], to: readonly ValueName[]): Path {
  const dependent = valuesBehind(graph, from)
  const leading = valuesBefore(graph, to)
  const needed = new Set([...dependent].filter((value) => leading.has(value)))
  const nodes = graph.nodes.filter(
    (node) =>
      isDifferentiable(node) &&
      [...usedValues(node)].some((value) => needed.has(value)) &&
      node.outputs.some((output) => leading.has(output)),
  )
  return { nodes: new Set(nodes), needed }
}

function valuesBehind(graph: Graph, from: readonly ValueName[]): Set<ValueName> {
  const found = new Set(from)
  for (const node of graph.nodes)
    if (isDifferentiable(node) && [...usedValues(node)].some((value) => found.has(value)))
      addAll(found, madeValues(node))
  return found
}

/** The values that gradients would come to from these, themselves included. */
export function valuesBefore(graph: Graph, to: readonly ValueName[]): Set<ValueName> {
  const found = new Set(to)
  for (const node of graph.nodes.toReversed())
    if (isDifferentiable(node) && node.outputs.some((output) => found.has(output))) addAll(found, usedValues(node))
  return found
}

function addAll(set: Set<ValueName>, values: Iterable<ValueName>): void {
  for (const value of values) set.add(value)
}
