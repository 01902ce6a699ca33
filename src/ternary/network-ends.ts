// The first and the last layers of a network: those that see data as it comes in, and those that make what goes out. By
// position: what comes in later on (masks, positions), or goes by (the stream of a residual network, a cache of keys),
// makes no layer behind it a first one and none before it a last one. docs/guide.md, "First and last layers", has
// pictures.
import { bodiesOf, subgraphs } from '../onnx/attributes.js'
import { capturedValues, consumers, madeValues, producers, usedValues } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { learnedPositions, operatorOf } from '../onnx/operators.js'
import { constantValues } from '../onnx/static-values.js'

type IsLayer = (node: Node) => boolean

/**
 * Layers that an input reaches and that have no layer before them on any way. Where data meet values that have passed a
 * layer, they go on as data only where the operator works on them (GridSample's image), not where both are added,
 * multiplied (element by element, or as matrices: the edges of a graph network) or selected. An input that meets no
 * layer so (features that are appended to others) has the layers behind the Concat that takes it in. Looking up rows of
 * a constant table is a layer here. An If or a Loop takes in what its graphs capture, too; with layers in them it is
 * one itself, and where it is a first one, so are those in its graphs that have none before them there.
 */
export function firstLayers(graph: Graph, isLayer: IsLayer): Set<Node> {
  return withBodies(graph, (scope) => firstIn(scope, isLayer))
}

function firstIn(graph: Graph, isLayer: IsLayer): Set<Node> {
  const isEmbedding = embeddingFinder(graph)
  const ends: IsLayer = (node) => isLayer(node) || isEmbedding(node)
  const behind = valuesBehind(graph, ends)
  const users = consumers(graph)
  const meets = (node: Node, value: ValueName): boolean =>
    [...usedValues(node)].some((used) => used !== value && behind.has(used))
  const found = new Set<Node>()
  for (const { name } of graph.inputs) {
    const appendedTo: ValueName[] = []
    const layersBehind = (values: readonly ValueName[]): Node[] =>
      walk(
        values,
        (value) => {
          const nodes = (users.get(value) ?? []).filter((node) => operatorOf(node).shapeOnly !== true)
          appendedTo.push(
            ...nodes.filter((node) => isConcat(node) && meets(node, value)).flatMap(({ outputs }) => outputs),
          )
          return nodes.filter((node) => !meets(node, value) || worksOn(node, value))
        },
        ends,
        (node) => node.outputs,
      )
    const own = layersBehind([name])
    for (const node of own.length > 0 ? own : layersBehind([...appendedTo])) found.add(node)
  }
  return found
}

/**
 * Layers that an output comes from and that have no layer behind them on any way. An output that other layers go on
 * from (features, cached keys) has none of its own.
 */
export function lastLayers(graph: Graph, isLayer: IsLayer): Set<Node> {
  return withBodies(graph, (scope) => lastIn(scope, isLayer))
}

// What is at one end of a graph, and in the bodies of that at the same end.
function withBodies(graph: Graph, find: (scope: Graph) => Set<Node>): Set<Node> {
  const constant = constantValues(graph)
  const found = find(graph)
  for (const node of [...found])
    for (const [, body] of bodiesOf(node)) {
      const captured = [...capturedValues(body)].filter((name) => !graph.initializers.has(name) && !constant.has(name))
      const inputs = [...body.inputs, ...captured.map((name) => ({ name, type: undefined }))]
      const initializers = new Map([...graph.initializers, ...body.initializers])
      for (const inner of withBodies({ ...body, inputs, initializers }, find)) found.add(inner)
    }
  return found
}

function lastIn(graph: Graph, isLayer: IsLayer): Set<Node> {
  const ahead = valuesAhead(graph, isLayer)
  const makers = producers(graph)
  const makerOf = (value: ValueName): Node[] => {
    const maker = makers.get(value)
    if (maker === undefined || operatorOf(maker).shapeOnly === true) return []
    return maker.outputs.some((output) => ahead.has(output)) ? [] : [maker]
  }
  return new Set(
    walk(
      graph.outputs.map(({ name }) => name),
      makerOf,
      isLayer,
      usedValues,
    ),
  )
}

// Rows of a table are looked up: what a network does first with words.
function embeddingFinder(graph: Graph): IsLayer {
  const computed = constantValues(graph)
  const isConstant = (value = ''): boolean => graph.initializers.has(value) || computed.has(value)
  return (node) =>
    learnedPositions(node).some(([index, role]) => role === 'embedding' && isConstant(node.inputs[index]))
}

function isEinsum({ domain, opType }: Node): boolean {
  return domain === '' && opType === 'Einsum'
}

function isConcat({ domain, opType }: Node): boolean {
  return domain === '' && opType === 'Concat'
}

function worksOn(node: Node, value: ValueName): boolean {
  const { elementwise, place } = operatorOf(node)
  // What an If or a Loop takes says which way, or how often; what it works on may be captured.
  const isControl = subgraphs(node).length > 0
  const isMixture = elementwise === true || place !== undefined || isControl || isConcat(node) || isEinsum(node)
  return !isMixture && node.inputs[0] === value
}

// Values that a layer stands before, on one way at least.
function valuesBehind(graph: Graph, isLayer: IsLayer): Set<ValueName> {
  const found = new Set<ValueName>()
  for (const node of graph.nodes)
    if (operatorOf(node).shapeOnly !== true && (isLayer(node) || [...usedValues(node)].some((used) => found.has(used))))
      for (const output of madeValues(node)) found.add(output)
  return found
}

// Values that a layer stands behind.
function valuesAhead(graph: Graph, isLayer: IsLayer): Set<ValueName> {
  const found = new Set<ValueName>()
  for (const node of graph.nodes.toReversed())
    if (operatorOf(node).shapeOnly !== true && (isLayer(node) || node.outputs.some((output) => found.has(output))))
      for (const used of usedValues(node)) found.add(used)
  return found
}

// Layers that are come to from some values, without passing one.
function walk(
  start: readonly ValueName[],
  nodesAt: (value: ValueName) => readonly Node[],
  isLayer: IsLayer,
  valuesOf: (node: Node) => Iterable<ValueName>,
): Node[] {
  const seen = new Set<Node>()
  const open = [...start]
  for (let value = open.pop(); value !== undefined; value = open.pop())
    for (const node of nodesAt(value)) {
      if (seen.has(node)) continue
      seen.add(node)
      if (!isLayer(node)) open.push(...valuesOf(node))
    }
  return [...seen].filter(isLayer)
}
