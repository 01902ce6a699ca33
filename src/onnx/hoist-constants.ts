// Constants of nested graphs moved to the graph around them all, where they are seen, changed and stored like others.
import type { Tensor } from '../tensor/tensor.js'
import { mapSubgraphs, subgraphs } from './attributes.js'
import { GraphBuilder } from './graph-builder.js'
import { madeValues, removeUnusedNodes, valueNames } from './graph-queries.js'
import type { Graph, Node, ValueName } from './model.js'
import { isLayer, operatorOf } from './operators.js'
import { constantValues } from './static-values.js'

/**
 * The graph with the constants of the bodies of If, Loop and Scan as its own initializers, and what is computed from
 * constants alone as its own nodes, where layers lie in bodies; as it is where none does. No two values have one name
 * then, whatever body they are in, and what leads to no result of a body is gone.
 */
export function hoistConstants(graph: Graph): Graph {
  return graph.nodes.some((node) => subgraphs(node).some(hasLayer)) ? new Hoister(graph).whole() : graph
}

/** Whether a layer lies in a graph, or in a graph nested in it. */
export function hasLayer({ nodes }: Pick<Graph, 'nodes'>): boolean {
  return nodes.some(
    (node) => isLayer(node) || operatorOf(node).weights === 'recurrent' || subgraphs(node).some(hasLayer),
  )
}

class Hoister {
  private readonly b: GraphBuilder
  private readonly defined: Set<ValueName>
  private readonly initializers: Graph['initializers']
  private readonly names = new Map<Tensor, ValueName>()
  /** Values that are constants, and values that are computed from them alone. */
  private readonly constant: Set<ValueName>
  /** Nodes that compute such values, out of the bodies of the node at hand. */
  private moved: Node[] = []

  constructor(private readonly original: Graph) {
    this.b = new GraphBuilder(valueNames(original))
    this.defined = new Set(definedIn(original))
    this.initializers = new Map(original.initializers)
    this.constant = new Set([...original.initializers.keys(), ...constantValues(original)])
  }

  whole(): Graph {
    const nodes = this.original.nodes.flatMap((node) => {
      this.moved = []
      const changed = this.withBodies(node, new Map())
      return [...this.moved, changed]
    })
    return { ...this.original, nodes, initializers: this.initializers }
  }

  private withBodies(node: Node, names: ReadonlyMap<ValueName, ValueName>): Node {
    if (subgraphs(node).length === 0) return node
    return { ...node, attributes: mapSubgraphs(node, (body) => this.body(body, names)) }
  }

  // @param around the names that values of the graphs around have now, where they are others
  private body(original: Graph, around: ReadonlyMap<ValueName, ValueName>): Graph {
    const body = removeUnusedNodes(original)
    const names = new Map(around)
    for (const name of definedIn(body)) names.set(name, this.unique(name))
    // A function that is called twice has the same constants twice.
    for (const [name, tensor] of body.initializers) names.set(name, this.ofTensor(tensor, names.get(name) as ValueName))
    const renamed = (name: ValueName): ValueName => names.get(name) ?? name
    const nodes = body.nodes.flatMap((node): Node[] => {
      const own = { ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed) }
      if (!this.isConstant(own)) return [this.withBodies(own, names)]
      this.moved.push(own)
      for (const output of own.outputs) this.constant.add(output)
      return []
    })
    // What a body gives has to come from one of its nodes.
    const outputs = body.outputs.map((output) => {
      const name = renamed(output.name)
      if (!this.constant.has(name)) return { ...output, name }
      const given = this.b.fresh(output.name)
      nodes.push({ name: given, opType: 'Identity', domain: '', inputs: [name], outputs: [given], attributes: {} })
      return { ...output, name: given }
    })
    const inputs = body.inputs.map((input) => ({ ...input, name: renamed(input.name) }))
    return { ...body, inputs, nodes, outputs, initializers: new Map() }
  }

  private isConstant(node: Node): boolean {
    const { random, notTensor } = operatorOf(node)
    if (random === true || notTensor === true || subgraphs(node).length > 0) return false
    return (
      node.inputs.some((name) => name !== '') && node.inputs.every((name) => name === '' || this.constant.has(name))
    )
  }

  private ofTensor(tensor: Tensor, name: ValueName): ValueName {
    const known = this.names.get(tensor)
    if (known !== undefined) return known
    this.names.set(tensor, name)
    this.initializers.set(name, tensor)
    this.constant.add(name)
    return name
  }

  private unique(name: ValueName): ValueName {
    const own = this.defined.has(name) ? this.b.fresh(name) : name
    this.defined.add(own)
    return own
  }
}

function definedIn({ inputs, initializers, nodes }: Graph): ValueName[] {
  const values = [...inputs.map(({ name }) => name), ...initializers.keys(), ...nodes.flatMap(madeValues)]
  return values.filter((name) => name !== '')
}
