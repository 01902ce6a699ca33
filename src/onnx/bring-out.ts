// Values of the bodies of If, Loop and Scan as values of the graph around them: what a layer in a body is given, over
// all of its turns. https://onnx.ai/onnx/operators/onnx__Loop.html, onnx__Scan.html, onnx__If.html
import { int64, type Tensor } from '../tensor/tensor.js'
import { attribute, attributes, withoutAttributes } from './attributes.js'
import { addGraph } from './add-graph.js'
import { GraphBuilder } from './graph-builder.js'
import { madeValues, producers, removeUnusedNodes } from './graph-queries.js'
import type { Graph, Node, ValueName } from './model.js'

/**
 * From the outermost graph to a nested one: the first output of each node with a body, and the attribute that has it.
 */
export type BodyPath = readonly { node: ValueName; body: string }[]

/** What stands before the outermost node of the path. */
export interface BroughtOut {
  nodes: readonly Node[]
  name: ValueName
}

/** The nested graph at a path. */
export function bodyAt(graph: Graph, path: BodyPath): Graph {
  return path.reduce((around, { node, body }) => ownBody(producers(around).get(node), body), graph)
}

function ownBody(node: Node | undefined, body: string): Graph {
  const found = node && attribute(node, body, 'graph', undefined)
  if (found === undefined) throw new Error(`internal: there is no body "${body}"`)
  return found
}

/**
 * Nodes that compute a value of a body outside of it. A branch of an If is computed whatever its condition; a Loop or
 * Scan runs once more, and its turns lie side by side along the first axis.
 * @param graph without constants in its bodies (hoist-constants.ts)
 * @param named makes names that the graph does not have
 * @returns undefined for other operators with bodies
 */
export function bringOut(
  graph: Graph,
  [step, ...rest]: BodyPath,
  value: ValueName,
  opset: number,
  named: (name: ValueName) => ValueName,
): BroughtOut | undefined {
  if (step === undefined) return { nodes: [], name: value }
  const container = producers(graph).get(step.node) as Node
  const body = ownBody(container, step.body)
  const inner = bringOut(body, rest, value, opset, named)
  if (inner === undefined) return undefined
  const at = body.nodes.findIndex(({ outputs }) => outputs[0] === rest[0]?.node)
  const whole = { ...body, nodes: body.nodes.toSpliced(Math.max(0, at), 0, ...inner.nodes) }
  const isOwn = [...whole.inputs, ...whole.nodes.flatMap((node) => madeValues(node).map((name) => ({ name })))].some(
    ({ name }) => name === inner.name,
  )
  // What the body has from outside is there.
  if (!isOwn) return { nodes: [], name: inner.name }
  if (container.domain !== '') return undefined
  if (container.opType === 'If') return branchValue(whole, inner.name, named)
  const states = stateCount(container, opset)
  return states === undefined ? undefined : turnsOf(container, step.body, whole, { ...inner, states }, opset, named)
}

function branchValue(branch: Graph, value: ValueName, named: (name: ValueName) => ValueName): BroughtOut {
  const needed = removeUnusedNodes({ ...branch, outputs: [{ name: value, type: undefined }] })
  const own = new Set(needed.nodes.flatMap(madeValues))
  const b = new GraphBuilder()
  const names = new Map<ValueName, ValueName>()
  addGraph(b, { ...needed, nodes: needed.nodes.map((node) => ({ ...node, name: '' })) }, (name) => {
    if (!own.has(name)) return name
    const given = names.get(name) ?? named(name)
    names.set(name, given)
    return given
  })
  return { nodes: b.nodes, name: names.get(value) as ValueName }
}

/** From this opset on, a Scan has no batch of its own. */
const SCAN_WITHOUT_BATCH = 9

// Values that go from turn to turn: the first results of the node and, behind a Loop's condition, of its body.
function stateCount(node: Node, opset: number): number | undefined {
  if (node.opType === 'Loop') return node.inputs.length - 2
  if (node.opType !== 'Scan' || opset < SCAN_WITHOUT_BATCH) return undefined
  return node.inputs.length - attribute(node, 'num_scan_inputs', 'int', 0)
}

// The node once more, with the value as its only result that is gathered, and the turns of that in one batch.
function turnsOf(
  node: Node,
  attributeName: string,
  body: Graph,
  { name, states }: { name: ValueName; states: number },
  opset: number,
  named: (name: ValueName) => ValueName,
): BroughtOut {
  const given = named(`${name}_given`)
  const outputs = [
    ...body.outputs.slice(0, states + (node.opType === 'Loop' ? 1 : 0)),
    { name: given, type: undefined },
  ]
  const nodes = [...body.nodes, plain('Identity', [name], given)]
  const turns = named(`${name}_turns`)
  const again: Node = {
    ...node,
    name: '',
    outputs: [...Array.from({ length: states }, (_, i) => named(`${node.outputs[i] ?? name}_state`)), turns],
    attributes: {
      ...withoutAttributes(node.attributes, 'scan_output_axes', 'scan_output_directions'),
      [attributeName]: { kind: 'graph', value: removeUnusedNodes({ ...body, nodes, outputs }) },
    },
  }
  const joined = named(`${name}_joined`)
  const [shape, tail, whole] = [named(`${turns}_shape`), named(`${turns}_tail`), named(`${joined}_shape`)]
  const constants = new Map<ValueName, Tensor>()
  const constant = (values: readonly number[]): ValueName => {
    const fresh = named(`${turns}_constant`)
    constants.set(fresh, int64(values))
    return fresh
  }
  const [from, to] = [2, 2 ** 31 - 1]
  const slice =
    opset >= SLICE_BY_INPUTS
      ? plain('Slice', [shape, constant([from]), constant([to])], tail)
      : { ...plain('Slice', [shape], tail), attributes: attributes({ starts: [from], ends: [to] }) }
  const reshape = [
    plain('Shape', [turns], shape),
    slice,
    { ...plain('Concat', [constant([-1]), tail], whole), attributes: attributes({ axis: 0 }) },
    plain('Reshape', [turns, whole], joined),
  ]
  const given0 = [...constants].map(([output, value]) => ({
    ...plain('Constant', [], output),
    attributes: attributes({ value: { kind: 'tensor', value } }),
  }))
  return { nodes: [again, ...given0, ...reshape], name: joined }
}

/** From this opset on, Slice has starts and ends as inputs. */
const SLICE_BY_INPUTS = 10

function plain(opType: string, inputs: ValueName[], output: ValueName): Node {
  return { name: '', opType, domain: '', inputs, outputs: [output], attributes: {} }
}
