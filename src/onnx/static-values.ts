// Which values of a graph do not depend on the data that runs through it. Nothing is computed here.
import { subgraphs } from './attributes.js'
import type { Graph, Node, ValueName } from './model.js'
import { operatorOf } from './operators.js'

/**
 * Names of the node outputs that are computed from initializers alone, by deterministic ai.onnx operators outside of
 * control flow. In graph order.
 */
export function constantValues(graph: Graph): Set<ValueName> {
  return follow(graph, false)
}

/**
 * Names of the node outputs that depend only on initializers and on the shapes of values (Shape, Size, and what is
 * computed from these): they are fixed once the shapes of the graph inputs are. Includes constantValues. In graph
 * order. Shapes that depend on data (after NonZero, control flow, operators of other domains) do not count as fixed.
 */
export function staticValues(graph: Graph): Set<ValueName> {
  return follow(graph, true)
}

function follow(graph: Graph, withShapes: boolean): Set<ValueName> {
  const fixed = new Set<ValueName>(['', ...graph.initializers.keys()])
  const shaped = new Set<ValueName>([...fixed, ...graph.inputs.map((input) => input.name)])
  const result = new Set<ValueName>()
  for (const node of graph.nodes) {
    if (!isPure(node)) continue
    const shapesFixed = node.inputs.every((input) => shaped.has(input))
    const isFixed =
      node.inputs.every((input) => fixed.has(input)) ||
      (withShapes && operatorOf(node).shapeOnly === true && shapesFixed)
    for (const output of node.outputs) {
      if (output === '') continue
      if (isFixed) {
        fixed.add(output)
        result.add(output)
      }
      if (isFixed || (shapesFixed && hasFixedShape(node, fixed))) shaped.add(output)
    }
  }
  return result
}

function isPure(node: Node): boolean {
  const { random, notTensor } = operatorOf(node)
  return node.domain === '' && subgraphs(node).length === 0 && random !== true && notTensor !== true
}

function hasFixedShape(node: Node, fixed: ReadonlySet<ValueName>): boolean {
  const { shapeFrom = [] } = operatorOf(node)
  return shapeFrom !== 'any input' && shapeFrom.every((index) => fixed.has(node.inputs[index] ?? ''))
}
