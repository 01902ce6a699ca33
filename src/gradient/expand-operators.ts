// Composite operators written out as standard ones that have gradient rules of their own: the form that training
// differentiates. The network that is packed keeps them as they are.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { producers, valueNames } from '../onnx/graph-queries.js'
import type { Graph, ValueName } from '../onnx/model.js'
import { valueFacts } from '../onnx/value-facts.js'
import { findPath } from './path.js'
import type { Shape } from './rule.js'
import { expansionOf, limitOf } from './rule-table.js'
import { defineIn, scopeOf } from './scope.js'
import { unlessRefused, type UnsupportedNode } from './unsupported.js'

interface ExpandOptions {
  /** Values whose gradients are wanted. */
  from: readonly ValueName[]
  /** The values that are differentiated. */
  to: readonly ValueName[]
  /** Concrete shape of every value of the graph, as observed by running it. */
  shapes: ReadonlyMap<ValueName, Shape>
}

/**
 * The graph with every node on the way from parameters to loss that the rule table has an expansion for written out.
 * It computes the same, in the operators of opset 18; values keep their names. Nodes that their expansion does not
 * cover stay.
 * @returns also those whose shapes or constants the expansion cannot take
 */
export function expandOperators(
  graph: Graph,
  { from, to, shapes }: ExpandOptions,
): { graph: Graph; refused: readonly UnsupportedNode[] } {
  const path = findPath(graph, from, to)
  const b = new GraphBuilder([...valueNames(graph), ...graph.nodes.map(({ name }) => name)])
  const { elementType } = valueFacts(graph, producers(graph))
  const refused: UnsupportedNode[] = []
  for (const node of graph.nodes) {
    const expansion = path.nodes.has(node) && limitOf(node) === undefined ? expansionOf(node) : undefined
    if (expansion === undefined) {
      b.push(node)
      continue
    }
    const shape = (value: ValueName): Shape => {
      const found = shapes.get(value) ?? graph.initializers.get(value)?.dims
      if (found === undefined) throw new Error(`internal: expandOperators: the shape of "${value}" was not observed`)
      return found
    }
    const before = b.nodes.length
    unlessRefused(
      () => {
        expansion.expand(node, { ...scopeOf(b, graph, node, shape), define: defineIn(b), elementType })
      },
      (nodes) => {
        b.nodes.splice(before, b.nodes.length, node)
        refused.push(...nodes)
      },
    )
  }
  const initializers = new Map([...graph.initializers, ...b.initializers])
  return { graph: { ...graph, nodes: b.nodes, initializers }, refused }
}
