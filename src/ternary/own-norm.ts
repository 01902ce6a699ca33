// The batch norm that a layer already has.
import { attribute } from '../onnx/attributes.js'
import { consumers } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { floats } from './graph-edit.js'

/** Where the file says none (ONNX's default). */
const EPSILON = 1e-5

/** What a batch norm in inference form computes with, [channels] each. */
export interface NormParameters {
  scale: Float32Array
  shift: Float32Array
  mean: Float32Array
  variance: Float32Array
  epsilon: number
}

/** The batch norm that is alone in using a value, in inference form and with constant parameters. */
export function ownNorm(graph: Graph, value: ValueName): Node | undefined {
  const users = consumers(graph).get(value) ?? []
  const [norm] = users
  if (
    users.length !== 1 ||
    norm?.opType !== 'BatchNormalization' ||
    norm.inputs[0] !== value ||
    graph.outputs.some(({ name }) => name === value)
  )
    return undefined
  const isConstant = norm.inputs.slice(1).every((name) => graph.initializers.get(name)?.type === 'float32')
  return isConstant && attribute(norm, 'training_mode', 'int', 0) === 0 ? norm : undefined
}

/** What one unit of a norm's input is in its output, per channel. */
export function gainsOf({ scale, variance, epsilon }: NormParameters): Float64Array {
  return Float64Array.from(scale, (value, c) => value / Math.sqrt((variance[c] as number) + epsilon))
}

/** Of a norm that ownNorm found. */
export function normParameters(graph: Graph, norm: Node): NormParameters {
  const [scale, shift, mean, variance] = norm.inputs.slice(1).map((name) => floats(graph, name)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  return { scale, shift, mean, variance, epsilon: attribute(norm, 'epsilon', 'float', EPSILON) }
}
