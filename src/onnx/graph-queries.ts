// Questions about graphs (who makes a value, who uses it) and the edits that follow from them alone. All edits return
// new graphs.
import type { Tensor } from '../tensor/tensor.js'
import { mapSubgraphs, subgraphs } from './attributes.js'
import type { Graph, Model, Node, ValueName } from './model.js'
import { operatorOf } from './operators.js'

/** Value -> the node that computes it. Graph inputs and initializers have none. */
export function producers(graph: Graph): Map<ValueName, Node> {
  return new Map(graph.nodes.flatMap((node) => madeValues(node).map((output) => [output, node] as const)))
}

/** What a node computes: its outputs but those that are left out, whose name is empty and no value's. */
export function madeValues({ outputs }: Node): ValueName[] {
  return outputs.filter((output) => output !== '')
}

/** A value and all that it is computed from. @param makers as producers() gives them */
export function valuesBehind(value: ValueName, makers: ReadonlyMap<ValueName, Node>): Set<ValueName> {
  const seen = new Set<ValueName>()
  const open = [value]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    open.push(...(makers.get(name)?.inputs ?? []).filter((input) => input !== ''))
  }
  return seen
}

/**
 * Value -> the nodes of this graph that use it, each once, in graph order. A node uses what the graphs nested in it
 * capture. Values that only leave the graph as outputs have no entry.
 */
export function consumers(graph: Graph): Map<ValueName, Node[]> {
  const result = new Map<ValueName, Node[]>()
  for (const node of graph.nodes) {
    for (const value of usedValues(node)) {
      const nodes = result.get(value)
      if (nodes === undefined) result.set(value, [node])
      else nodes.push(node)
    }
  }
  return result
}

/** What a node needs from its graph: its inputs, and the outer values used in the graphs nested in it. */
export function usedValues(node: Node): Set<ValueName> {
  const used = new Set(node.inputs.filter((input) => input !== ''))
  for (const subgraph of subgraphs(node)) for (const value of capturedValues(subgraph)) used.add(value)
  return used
}

/** What a nested graph uses of the graphs around it. */
export function capturedValues(graph: Graph): Set<ValueName> {
  const own = new Set([...graph.inputs.map((input) => input.name), ...graph.initializers.keys()])
  const captured = new Set<ValueName>()
  for (const node of graph.nodes) {
    for (const value of usedValues(node)) if (!own.has(value)) captured.add(value)
    for (const output of madeValues(node)) own.add(output)
  }
  for (const { name } of graph.outputs) if (!own.has(name)) captured.add(name)
  return captured
}

/** Every name that is in use in a graph and the graphs nested in it: what a new name must differ from. */
export function valueNames(graph: Graph): Set<ValueName> {
  const names = new Set([...graph.inputs.map((input) => input.name), ...graph.initializers.keys()])
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.add(name)
    for (const subgraph of subgraphs(node)) for (const name of valueNames(subgraph)) names.add(name)
  }
  return names
}

/** All values that some values have a part in, by more than their shapes. */
export function computedFrom(graph: Graph, values: Iterable<ValueName>): Set<ValueName> {
  const sources = new Set(values)
  const result = new Set<ValueName>()
  for (const node of graph.nodes) {
    if (operatorOf(node).shapeOnly === true) continue
    if (![...usedValues(node)].some((value) => sources.has(value) || result.has(value))) continue
    for (const output of madeValues(node)) result.add(output)
  }
  return result
}

/** Outputs that are tensors: sequences and maps have no type here, and cannot be fetched. */
export function tensorOutputs({ outputs }: Graph): ValueName[] {
  return outputs.filter(({ type }) => type !== undefined).map(({ name }) => name)
}

/** The graph with this output alone; nodes stay. @param name default: all outputs stay */
export function onlyOutput(graph: Graph, name: ValueName | undefined): Graph {
  return name === undefined ? graph : { ...graph, outputs: graph.outputs.filter((output) => output.name === name) }
}

/** A copy that can be edited freely: nodes, maps and nested graphs are copied, tensors shared. */
export function cloneGraph(graph: Graph): Graph {
  return {
    ...graph,
    nodes: graph.nodes.map(cloneNode),
    inputs: graph.inputs.map((input) => ({ ...input })),
    outputs: graph.outputs.map((output) => ({ ...output })),
    initializers: new Map(graph.initializers),
  }
}

function cloneNode(node: Node): Node {
  return { ...node, inputs: [...node.inputs], outputs: [...node.outputs], attributes: mapSubgraphs(node, cloneGraph) }
}

/** cloneGraph for a whole model. */
export function cloneModel(model: Model): Model {
  return { ...model, opsets: new Map(model.opsets), graph: cloneGraph(model.graph) }
}

/**
 * The graph without the nodes and initializers that no output needs; inputs stay. Nested graphs are left as they are.
 */
export function removeUnusedNodes(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map((output) => output.name))
  const nodes: Node[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue
    nodes.push(node)
    for (const value of usedValues(node)) needed.add(value)
  }
  const initializers = new Map([...graph.initializers].filter(([name]) => needed.has(name)))
  return { ...graph, nodes: nodes.reverse(), initializers }
}

/**
 * Makes these values initializers, and removes what nobody needs then. A value that is a graph output stays one;
 * a graph input among them is no input any more. Names that the graph does not have are ignored.
 */
export function replaceValues(graph: Graph, values: ReadonlyMap<ValueName, Tensor>): Graph {
  const initializers = new Map(graph.initializers)
  const taken = valueNames(graph)
  for (const [name, tensor] of values) if (taken.has(name)) initializers.set(name, tensor)
  const nodes = graph.nodes.map((node) => withoutOutputs(node, values, taken))
  return removeUnusedNodes({
    ...graph,
    nodes,
    initializers,
    inputs: graph.inputs.filter(({ name }) => !values.has(name)),
  })
}

// An output may not simply be left out (Split), so that a replaced one gets a name nobody reads.
function withoutOutputs(node: Node, values: ReadonlyMap<ValueName, Tensor>, taken: Set<ValueName>): Node {
  if (!node.outputs.some((output) => values.has(output))) return node
  const unused = (name: ValueName): ValueName => {
    let fresh = `${name}_unused`
    while (taken.has(fresh)) fresh += '_'
    taken.add(fresh)
    return fresh
  }
  return { ...node, outputs: node.outputs.map((output) => (values.has(output) ? unused(output) : output)) }
}
