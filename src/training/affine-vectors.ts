// Vectors that were learned although the operator that applies them is plain arithmetic: the bias of a MatMul, the
// factors and shifts of a group norm or an RMS norm that the exporter wrote out, LayerScale. What tells them from
// constants of the function (the 3 and 6 of a hard swish, a mask, strides of anchors, the mean of pixels) is that they
// have one value per channel of the layer that stands before them.
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { learnedPositions, operatorOf } from '../onnx/operators.js'
import { consumers, producers } from '../onnx/graph-queries.js'
import { arrangedInitializer, isRearranging } from '../onnx/rearrangements.js'

/** What a constant operand of plain arithmetic is, if it was learned. */
export type AffineRole = 'scale' | 'bias'

const ROLES: Readonly<Record<string, AffineRole>> = { Add: 'bias', Mul: 'scale' }

/** Channels of a value, and where they lie. */
interface Channels {
  count: number
  /** 1, or from the end where negative; undefined where a node in between has moved them. */
  axis: number | undefined
}

/**
 * For each node the constant operand that is such a vector, if there is one.
 * @returns a function of a node of this graph: position among its inputs, and what it is
 */
export function affineVectors(graph: Graph): (node: Node) => { index: number; role: AffineRole } | undefined {
  const users = consumers(graph)
  const channelsOf = channelFinder(graph)
  const affine = (node: Node): { index: number; role: AffineRole } | undefined => {
    const role = node.domain === '' && Object.hasOwn(ROLES, node.opType) ? ROLES[node.opType] : undefined
    if (role === undefined || node.inputs.length !== 2) return undefined
    const index = node.inputs.findIndex((input) => graph.initializers.has(input))
    const channels = index < 0 ? undefined : channelsOf(node.inputs[1 - index] ?? '')
    const dims = graph.initializers.get(node.inputs[index] ?? '')?.dims
    if (channels === undefined || dims === undefined) return undefined
    return isPerChannel(dims, channels) ? { index, role } : undefined
  }
  // A constant that something else takes, too, is one of the function.
  return (node) => {
    const found = affine(node)
    const others = found && (users.get(node.inputs[found.index] ?? '') ?? [])
    return others?.every((user) => user === node || affine(user) !== undefined) === true ? found : undefined
  }
}

function isPerChannel(dims: readonly number[], { count, axis }: Channels): boolean {
  const long = dims.flatMap((dim, i) => (dim > 1 ? [i - dims.length] : []))
  if (long.length === 0) return count === 1 && dims.length > 0
  const [place] = long as [number]
  if (long.length > 1 || dims.at(place) !== count) return false
  return axis === undefined || (axis < 0 ? place === axis : place < -1)
}

// Follows a value back to the layer or the table whose channels it has, through what changes it element by element,
// normalises it or moves it about.
function channelFinder(graph: Graph): (value: ValueName) => Channels | undefined {
  const makers = producers(graph)
  const known = new Map<ValueName, Channels | undefined>()
  const find = (value: ValueName): Channels | undefined => {
    const maker = makers.get(value)
    if (maker === undefined || value !== maker.outputs[0]) return undefined
    const own = ownChannels(graph, makers, maker)
    if (own !== undefined) return own
    const [first] = maker.inputs
    if (isRearranging(maker)) {
      const before = known.get(first ?? '')
      return before && { count: before.count, axis: maker.opType === 'Identity' ? before.axis : undefined }
    }
    if (operatorOf(maker).elementwise === true)
      return maker.inputs.map((input) => known.get(input)).find((channels) => channels !== undefined)
    return isNorm(maker) ? known.get(first ?? '') : undefined
  }
  for (const { outputs } of graph.nodes) for (const value of outputs) known.set(value, find(value))
  return (value) => known.get(value)
}

function isNorm(node: Node): boolean {
  return learnedPositions(node).some(([, role]) => role === 'scale')
}

function ownChannels(graph: Graph, makers: ReadonlyMap<ValueName, Node>, node: Node): Channels | undefined {
  for (const [index, role] of learnedPositions(node)) {
    if (role !== 'weight' && role !== 'embedding') continue
    const found = arrangedInitializer(graph, makers, node.inputs[index] ?? '')
    const tensor = found && graph.initializers.get(found.initializer)
    if (found?.axes === undefined || tensor === undefined) continue
    const dims = found.axes.map((axis) => tensor.dims[axis] as number)
    if (role === 'embedding') {
      if (dims.length === 2) return { count: dims[1] as number, axis: -1 }
      continue
    }
    const place = operatorOf(node).place?.(node, index, dims)
    if (place?.outputAxis === undefined) continue
    return { count: place.groups * (dims[place.channelAxis] as number), axis: place.outputAxis }
  }
  return undefined
}
