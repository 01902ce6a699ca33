// What a legal graph is: every value is defined once, and before it is used.
import { TtqError } from '../errors/ttq-error.js'
import { describeNode, subgraphs } from './attributes.js'
import type { Graph, Node, ValueName } from './model.js'

/** Names that can be seen from a place: its own graph's so far, and those of the graphs around it. */
interface Scope {
  names: Set<ValueName>
  outer: Scope | undefined
}

/**
 * Checks a graph and the graphs nested in it. Only names: operators, types and shapes are ONNX Runtime's to judge.
 * @param where how messages call the model
 * @throws TtqError `model` when a value is defined twice, used before its definition, or never defined
 * Source: https://onnx.ai/onnx/repo-docs/IR.html#graphs
 */
export function checkGraph(graph: Graph, where = 'onnx', outer?: Scope): void {
  const scope: Scope = { names: new Set(), outer }
  const define = (name: ValueName): void => {
    if (scope.names.has(name))
      throw new TtqError('model', `${where}: value "${name}" is defined twice`, { facts: { value: name } })
    scope.names.add(name)
  }
  for (const input of graph.inputs) define(input.name)
  for (const name of graph.initializers.keys()) define(name)
  for (const node of graph.nodes) {
    for (const input of node.inputs)
      if (input !== '' && !isVisible(input, scope)) throw undefinedInput(node, input, graph, where)
    for (const subgraph of subgraphs(node)) checkGraph(subgraph, where, scope)
    for (const output of node.outputs) if (output !== '') define(output)
  }
  for (const { name } of graph.outputs) {
    if (!isVisible(name, scope)) {
      throw new TtqError('model', `${where}: graph output "${name}" is not computed by any node`, {
        facts: { value: name },
      })
    }
  }
}

function isVisible(name: ValueName, scope: Scope): boolean {
  return scope.names.has(name) || (scope.outer !== undefined && isVisible(name, scope.outer))
}

function undefinedInput(node: Node, input: ValueName, graph: Graph, where: string): TtqError {
  const later = graph.nodes.find((candidate) => candidate.outputs.includes(input))
  const found =
    later === undefined
      ? `is not defined anywhere`
      : `is computed later, by ${describeNode(later)}, in a circle; expected nodes that do not need one another`
  return new TtqError('model', `${where}: ${describeNode(node)}: input "${input}" ${found}`, {
    facts: { node: node.name, value: input },
  })
}
