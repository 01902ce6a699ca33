// Nodes that give the values of their first input as they are, in another order or shape: what stands behind them is
// still the same weight.
import { attribute } from './attributes.js'
import type { Graph, Node, ValueName } from './model.js'

const SHAPING = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'])

/** Where a value comes from: an initializer, and how its axes lie in the value. */
export interface Arranged {
  initializer: ValueName
  /** Axis of the value -> axis of the initializer; undefined where their numbers differ. */
  axes: readonly number[] | undefined
  /** From the value to the initializer. */
  nodes: readonly Node[]
}

/** The initializer whose values a value is, however they are arranged; undefined for all others. */
export function arrangedInitializer(
  graph: Graph,
  makers: ReadonlyMap<ValueName, Node>,
  value: ValueName,
): Arranged | undefined {
  const nodes: Node[] = []
  let name = value
  for (let maker = makers.get(name); maker !== undefined; maker = makers.get(name)) {
    if (!isRearranging(maker)) return undefined
    nodes.push(maker)
    name = maker.inputs[0] ?? ''
  }
  const rank = graph.initializers.get(name)?.dims.length
  if (rank === undefined) return undefined
  let axes: number[] | undefined = Array.from({ length: rank }, (_, axis) => axis)
  for (const node of nodes.toReversed()) {
    if (node.opType === 'Identity') continue
    axes =
      node.opType === 'Transpose' ? axes && permutation(node, axes.length).map((axis) => axes?.[axis] ?? 0) : undefined
  }
  return { initializer: name, axes, nodes }
}

export function isRearranging({ domain, opType }: Node): boolean {
  return domain === '' && (SHAPING.has(opType) || opType === 'Transpose')
}

const PARTS = new Set(['Slice', 'Pad', 'Cast', 'Dropout'])

/** Whether a node's first result is made of the values of its first input alone, and zeros. */
export function carriesValues(node: Node): boolean {
  return isRearranging(node) || (node.domain === '' && PARTS.has(node.opType))
}

/** Whether a node's first result is its first input, an initializer, exactly as it is. */
export function isUnchanging(node: Node, initializers: Graph['initializers']): boolean {
  if (node.domain !== '') return false
  // One that drops values is no node of a network in inference (inference-mode.ts).
  if (node.opType === 'Identity' || node.opType === 'Dropout') return true
  const dims = initializers.get(node.inputs[0] ?? '')?.dims
  if (dims === undefined) return false
  if (node.opType === 'Transpose') return permutation(node, dims.length).every((axis, i) => axis === i)
  if (node.opType === 'Flatten') return dims.length === 2 && [1, -1].includes(attribute(node, 'axis', 'int', 1))
  if (node.opType !== 'Reshape') return false
  const shape = initializers.get(node.inputs[1] ?? '')
  const wanted = shape?.type === 'int64' ? Array.from(shape.data as BigInt64Array, Number) : undefined
  return wanted?.length === dims.length && wanted.every((dim, i) => dim === dims[i])
}

// Without the attribute the axes are turned around. https://onnx.ai/onnx/operators/onnx__Transpose.html
function permutation(node: Node, rank: number): readonly number[] {
  return attribute(node, 'perm', 'ints', undefined) ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
}
