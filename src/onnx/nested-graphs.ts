// Questions about a graph and all graphs nested in it.
import { subgraphs } from './attributes.js'
import type { Graph, Node, ValueName } from './model.js'

/** The graph itself first, then those in the bodies of its nodes, and in theirs. */
export function* walkGraphs(graph: Graph): Generator<Graph> {
  yield graph
  for (const node of graph.nodes) for (const nested of subgraphs(node)) yield* walkGraphs(nested)
}

/** Value -> the nodes that have it as an input, each once, whatever graph they are in. */
export function directUsers(graph: Graph): Map<ValueName, Node[]> {
  const users = new Map<ValueName, Node[]>()
  for (const { nodes } of walkGraphs(graph))
    for (const node of nodes)
      for (const input of new Set(node.inputs.filter((name) => name !== ''))) {
        const known = users.get(input)
        if (known === undefined) users.set(input, [node])
        else known.push(node)
      }
  return users
}
