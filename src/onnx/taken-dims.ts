// How many numbers lie along the axes of a graph's input, as the weights say that take it in.
import { attribute } from './attributes.js'
import { consumers } from './graph-queries.js'
import type { Graph, Node, TensorType, ValueName } from './model.js'

/** One dimension as an input declares it: a number, a name, or nothing. */
export type Dim = NonNullable<TensorType['dims']>[number]

/** Operators whose result has the axes of their first input, of other lengths at most where images have their sides. */
const AXES_KEEPING = new Set([
  ...['Identity', 'Dropout', 'Cast', 'CastLike', 'Clip', 'Neg', 'Abs', 'Sqrt', 'Exp', 'Log', 'Relu', 'LeakyRelu'],
  ...['Sigmoid', 'Tanh', 'BatchNormalization', 'InstanceNormalization', 'LayerNormalization', 'RMSNormalization'],
  ...['MaxPool', 'AveragePool', 'LRN'],
])

/** Operators of two inputs, of which a constant one with no more axes changes none. */
const BROADCASTING = new Set(['Add', 'Sub', 'Mul', 'Div'])

/** Which axis of an operator's first input its second one, a weight, gives the length of. */
const TAKEN_AXES: Readonly<Record<string, (node: Node, weight: readonly number[]) => readonly [number, number?]>> = {
  Conv: (node, weight) => [1, (weight[1] ?? 0) * Math.max(1, attribute(node, 'group', 'int', 1))],
  ConvTranspose: (_node, [channels]) => [1, channels],
  Gemm: (node, weight) => [1, weight[attribute(node, 'transB', 'int', 0) === 0 ? 0 : 1]],
  MatMul: (_node, weight) => [-1, weight.at(-2)],
  RNN: (_node, weight) => [2, weight[2]],
  GRU: (_node, weight) => [2, weight[2]],
  LSTM: (_node, weight) => [2, weight[2]],
}

/**
 * The dimensions of an input, the open ones with what the first weights on its way say; the first, of the batch, stays
 * as it is.
 * @param dims as the input declares them
 */
export function takenDims(graph: Graph, input: ValueName, dims: readonly Dim[]): Dim[] {
  const result = [...dims]
  if (result.slice(1).every((dim) => typeof dim === 'number')) return result
  const users = consumers(graph)
  // Values, with which of the input's axes theirs are.
  const open: { value: ValueName; axes: readonly number[] }[] = [{ value: input, axes: dims.map((_, axis) => axis) }]
  const seen = new Set<ValueName>()
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, axes } = next
    if (seen.has(value)) continue
    seen.add(value)
    for (const node of users.get(value) ?? []) {
      if (node.domain !== '') continue
      const told = takenAxis(graph, node, value)
      const axis = told && axes.at(told.axis)
      if (axis !== undefined && axis > 0 && typeof result[axis] !== 'number') result[axis] = told?.length as number
      const kept = keptAxes(graph, node, value, axes)
      if (kept !== undefined) open.push({ value: node.outputs[0] ?? '', axes: kept })
    }
  }
  return result
}

function takenAxis(graph: Graph, node: Node, value: ValueName): { axis: number; length: number } | undefined {
  const taken = Object.hasOwn(TAKEN_AXES, node.opType) ? TAKEN_AXES[node.opType] : undefined
  const weight = graph.initializers.get(node.inputs[1] ?? '')
  if (taken === undefined || weight === undefined || node.inputs[0] !== value) return undefined
  const [axis, length = 0] = taken(node, weight.dims)
  return length > 0 ? { axis, length } : undefined
}

function keptAxes(graph: Graph, node: Node, value: ValueName, axes: readonly number[]): readonly number[] | undefined {
  if (BROADCASTING.has(node.opType)) {
    const other = graph.initializers.get(node.inputs.find((name) => name !== value) ?? '')
    return other !== undefined && other.dims.length <= axes.length ? axes : undefined
  }
  if (node.inputs[0] !== value) return undefined
  if (AXES_KEEPING.has(node.opType)) return axes
  if (node.opType !== 'Transpose') return undefined
  const order = attribute(node, 'perm', 'ints', axes.map((_, axis) => axis).reverse())
  return order.map((axis) => axes[axis] ?? 0)
}
