// An If whose condition is known is the branch that it takes.
// https://onnx.ai/onnx/operators/onnx__If.html
import type { Tensor } from '../tensor/tensor.js'
import { addGraph } from './add-graph.js'
import { attribute, mapSubgraphs, subgraphs } from './attributes.js'
import { GraphBuilder } from './graph-builder.js'
import { capturedValues, valueNames } from './graph-queries.js'
import type { Graph, Node, ValueName } from './model.js'

/** The If nodes of a graph, those in nested graphs not included. */
export function branchings({ nodes }: Graph): Node[] {
  return nodes.filter(({ domain, opType }) => domain === '' && opType === 'If')
}

/**
 * The graph with each If whose condition is known, in nested graphs too, in the form of the branch that is taken; the
 * graph itself where there is none. Values of the branch get names of their own.
 * @param conditions what is known of values, beside the graph's initializers
 */
export function inlineBranches(graph: Graph, conditions: ReadonlyMap<ValueName, Tensor> = new Map()): Graph {
  return new Inliner(graph, conditions).graph(graph, new Map(graph.initializers))
}

class Inliner {
  private readonly taken: Set<ValueName>

  constructor(
    whole: Graph,
    private readonly conditions: ReadonlyMap<ValueName, Tensor>,
  ) {
    this.taken = valueNames(whole)
  }

  // Nested graphs know the constants of those around them.
  graph(graph: Graph, constants: ReadonlyMap<ValueName, Tensor>): Graph {
    if (!graph.nodes.some((node) => subgraphs(node).length > 0)) return graph
    const own = new Map([...constants, ...graph.initializers])
    const b = new GraphBuilder(this.taken)
    let changed = false
    for (const node of graph.nodes) {
      const attributes = mapSubgraphs(node, (nested) => this.graph(nested, own))
      const isNew = subgraphs({ ...node, attributes }).some((nested, i) => nested !== subgraphs(node)[i])
      const inner = isNew ? { ...node, attributes } : node
      const branch = takenBranch(inner, own, this.conditions)
      changed ||= isNew || branch !== undefined
      if (branch === undefined) b.push(inner)
      else this.inline(b, inner, branch)
    }
    if (!changed) return graph
    return { ...graph, nodes: b.nodes, initializers: new Map([...graph.initializers, ...b.initializers]) }
  }

  private inline(b: GraphBuilder, node: Node, branch: Graph): void {
    const outer = capturedValues(branch)
    const names = new Map<ValueName, ValueName>()
    branch.outputs.forEach(({ name }, i) => {
      const output = node.outputs[i] ?? ''
      if (output !== '' && !outer.has(name) && !branch.initializers.has(name) && !names.has(name))
        names.set(name, output)
    })
    addGraph(b, branch, (name) => {
      if (outer.has(name)) return name
      const known = names.get(name)
      if (known !== undefined) return known
      const fresh = b.fresh(`${node.name || (node.outputs[0] ?? '')}/${name}`)
      this.taken.add(fresh)
      names.set(name, fresh)
      return fresh
    })
    branch.outputs.forEach(({ name }, i) => {
      const output = node.outputs[i] ?? ''
      const given = names.get(name) ?? name
      if (output === '' || given === output) return
      b.push({
        name: b.fresh(output),
        opType: 'Identity',
        domain: '',
        inputs: [given],
        outputs: [output],
        attributes: {},
      })
    })
  }
}

function takenBranch(
  node: Node,
  constants: ReadonlyMap<ValueName, Tensor>,
  conditions: ReadonlyMap<ValueName, Tensor>,
): Graph | undefined {
  if (node.domain !== '' || node.opType !== 'If') return undefined
  const condition = constants.get(node.inputs[0] ?? '') ?? conditions.get(node.inputs[0] ?? '')
  if (condition?.type !== 'bool' || condition.data.length !== 1) return undefined
  return attribute(node, Number(condition.data[0]) === 0 ? 'else_branch' : 'then_branch', 'graph', undefined)
}
