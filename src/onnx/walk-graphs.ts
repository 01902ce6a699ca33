// A graph and all graphs nested in it.
import { subgraphs } from './attributes.js'
import type { Graph } from './model.js'

/** The graph itself first, then those in the bodies of its nodes, and in theirs. */
export function* walkGraphs(graph: Graph): Generator<Graph> {
  yield graph
  for (const node of graph.nodes) for (const nested of subgraphs(node)) yield* walkGraphs(nested)
}
