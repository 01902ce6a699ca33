// How far gradients come in a network: what stands in their way, and which parameters they do not get to for that.
import type { Graph, ValueName } from '../onnx/model.js'
import { usedValues } from '../onnx/graph-queries.js'
import { unsupportedNodes } from './differentiate.js'
import { expandOperators } from './expand-operators.js'
import { valuesBefore } from './path.js'
import type { Shape } from './rule.js'
import type { UnsupportedNode } from './unsupported.js'

interface ReachOptions {
  /** The parameters that are to learn; statistics that follow the data are none of them. */
  from: readonly ValueName[]
  /** The values that the loss is made of. */
  to: readonly ValueName[]
  /** Concrete shape of every value of the graph, as observed by running it. */
  shapes: ReadonlyMap<ValueName, Shape>
  /** The same of the graph once operators are written out. */
  observe: (graph: Graph) => Promise<ReadonlyMap<ValueName, Shape>>
}

/** A node that no gradient passes. */
export interface Obstacle extends UnsupportedNode {
  /** The values whose gradients would have to come through it, parameters and initializers among them. */
  before: ReadonlySet<ValueName>
}

export interface Reach {
  /** The graph with composite operators written out. */
  graph: Graph
  /** In graph order, all of them at once. */
  obstacles: readonly Obstacle[]
}

/**
 * Whatever has its gradient from a node that none passes would learn from a part of its influence alone: all of
 * `before` has to stay as it is. What then learns can be differentiated.
 */
export async function findReach(graph: Graph, { from, to, shapes, observe }: ReachOptions): Promise<Reach> {
  const { graph: expanded, refused } = expandOperators(graph, { from, to, shapes })
  const refusedNodes = new Map(refused.map(({ node, reason }) => [node, reason]))
  const isSame = expanded.nodes.every((node, i) => node === graph.nodes[i])
  const found = unsupportedNodes(expanded, from, to, isSame ? shapes : await observe(expanded))
  const reasons = new Map([...found.map(({ node, reason }) => [node, reason] as const), ...refusedNodes])
  const obstacles = expanded.nodes.flatMap((node): Obstacle[] => {
    const reason = reasons.get(node)
    return reason === undefined ? [] : [{ node, reason, before: valuesBefore(expanded, [...usedValues(node)]) }]
  })
  return { graph: expanded, obstacles }
}
