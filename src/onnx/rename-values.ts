// A graph whose values are called otherwise.
import { mapSubgraphs } from './attributes.js'
import type { Graph, ValueInfo, ValueName } from './model.js'
import { forgetShapes } from './source.js'

/**
 * The graph and the graphs nested in it with other names of values; nodes have none then, and intermediate values no
 * declared shapes.
 * @param names old -> new name; values not among them keep theirs
 */
export function renameValues(graph: Graph, names: ReadonlyMap<ValueName, ValueName>): Graph {
  const nameOf = (name: ValueName): ValueName => names.get(name) ?? name
  const valueOf = (value: ValueInfo): ValueInfo => ({ ...value, name: nameOf(value.name) })
  return {
    ...forgetShapes(graph),
    nodes: graph.nodes.map((node) => ({
      ...node,
      name: '',
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
      attributes: mapSubgraphs(node, (nested) => renameValues(nested, names)),
    })),
    inputs: graph.inputs.map(valueOf),
    outputs: graph.outputs.map(valueOf),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [nameOf(name), tensor])),
  }
}
