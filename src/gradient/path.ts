// Which nodes of a graph lie between parameters and loss, and which values need a gradient there.
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { isDifferentiable } from './rule-table.js'

export interface Path {
  /** In topological order. */
  nodes: ReadonlySet<Node>
  /** Values that depend on a parameter and that the loss depends on. */
  needed: ReadonlySet<ValueName>
}

/** Dependence by values only: it ends at operators through which no gradient flows. */
export function findPath(graph: Graph, from: readonly ValueName[], to: ValueName): Path {
  const dependent = new Set(from)
  for (const node of graph.nodes) {
    if (isDifferentiable(node) && node.inputs.some((input) => dependent.has(input))) addAll(dependent, node.outputs)
  }
  const leading = new Set([to])
  for (const node of [...graph.nodes].reverse()) {
    if (isDifferentiable(node) && node.outputs.some((output) => leading.has(output))) addAll(leading, node.inputs)
  }
  dependent.delete('')
  leading.delete('')
  const needed = new Set([...dependent].filter((value) => leading.has(value)))
  const nodes = graph.nodes.filter(
    (node) =>
      isDifferentiable(node) &&
      node.inputs.some((input) => needed.has(input)) &&
      node.outputs.some((output) => leading.has(output)),
  )
  return { nodes: new Set(nodes), needed }
}

function addAll(set: Set<ValueName>, values: readonly ValueName[]): void {
  for (const value of values) set.add(value)
}
