// Two graphs in one.
import type { GraphBuilder } from './graph-builder.js'
import { mapSubgraphs } from './attributes.js'
import type { Graph, ValueName } from './model.js'

/**
 * Adds the nodes and initializers of a graph to what a builder has, under other names; its inputs and outputs are the
 * caller's.
 * @param named for every name of the graph, those in nested graphs included
 */
export function addGraph(b: GraphBuilder, graph: Graph, named: (name: ValueName) => ValueName): void {
  const renamed = (name: ValueName): ValueName => (name === '' ? '' : named(name))
  const whole = (nested: Graph): Graph => ({
    ...nested,
    inputs: nested.inputs.map((input) => ({ ...input, name: renamed(input.name) })),
    outputs: nested.outputs.map((output) => ({ ...output, name: renamed(output.name) })),
    initializers: new Map([...nested.initializers].map(([name, tensor]) => [renamed(name), tensor])),
    nodes: nested.nodes.map((node) => ({
      ...node,
      name: renamed(node.name),
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
      attributes: mapSubgraphs(node, whole),
    })),
  })
  const { nodes, initializers } = whole({ ...graph, inputs: [], outputs: [] })
  for (const [name, tensor] of initializers) b.initializers.set(name, tensor)
  for (const node of nodes) b.push(node)
}
