// Constants that are computed twice in the same way, or not changed at all by what computes them: exporters write the
// weight that two layers share behind a node for each.
import { subgraphs } from './attributes.js'
import { usedValues } from './graph-queries.js'
import type { Attributes, Graph, Node, ValueName } from './model.js'
import { isUnchanging } from './rearrangements.js'
import { constantValues } from './static-values.js'

/** The graph in which each computed constant is computed once; nodes that are not needed any more stay. */
export function mergeConstants(graph: Graph): Graph {
  const constant = constantValues(graph)
  // Names that are seen from outside, or from nested graphs, stay.
  const fixed = new Set(graph.outputs.map(({ name }) => name))
  for (const node of graph.nodes)
    if (subgraphs(node).length > 0)
      for (const value of usedValues(node)) if (!node.inputs.includes(value)) fixed.add(value)
  const same = new Map<ValueName, ValueName>()
  const known = new Map<string, Node>()
  const nodes = graph.nodes.map((original) => {
    const node = original.inputs.some((input) => same.has(input))
      ? { ...original, inputs: original.inputs.map((input) => same.get(input) ?? input) }
      : original
    if (!node.outputs.every((output) => constant.has(output) && !fixed.has(output))) return node
    const [input] = node.inputs
    if (input !== undefined && isUnchanging(node, graph.initializers)) {
      same.set(node.outputs[0] as ValueName, input)
      return node
    }
    const key = keyOf(node)
    const earlier = key === undefined ? undefined : known.get(key)
    if (earlier === undefined) {
      if (key !== undefined) known.set(key, node)
      return node
    }
    node.outputs.forEach((output, i) => same.set(output, earlier.outputs[i] as ValueName))
    return node
  })
  return same.size === 0 ? graph : { ...graph, nodes }
}

// What a node computes, as text; undefined where it does not say so in a few words.
function keyOf({ opType, domain, inputs, outputs, attributes }: Node): string | undefined {
  const plain = plainAttributes(attributes)
  return plain && JSON.stringify([opType, domain, inputs, outputs.length, plain])
}

function plainAttributes(attributes: Attributes): unknown[] | undefined {
  const entries = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
  const isPlain = entries.every(([, { kind }]) =>
    ['int', 'ints', 'float', 'floats', 'string', 'strings'].includes(kind),
  )
  return isPlain
    ? entries.map(([name, attribute]) => [name, attribute.kind, (attribute as unknown as { value: unknown }).value])
    : undefined
}
