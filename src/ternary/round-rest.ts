// What is not ternary, rounded to the precision that it is stored in. Rounding comes first, then measuring, then
// packing: the accuracy in a report is that of the stored values. The bytes are src/packed's.
import { directUsers, walkGraphs } from '../onnx/nested-graphs.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { learnedPositions } from '../onnx/operators.js'
import { carriesValues } from '../onnx/rearrangements.js'
import { isFloat16Type, type Float16Type, roundToFloat16 } from '../packed/float16-encoding.js'
import { int8Tensor, quantizeInt8 } from '../packed/int8-encoding.js'
import type { RestForm } from '../packed/stored-form.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import type { RestPrecision } from '../options/choices.js'
import { sameTensor } from '../tensor/same-tensor.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'
import type { TernaryNetwork } from './ternary-network.js'

interface RoundRestOptions {
  /**
   * As it is (in two bytes where these hold it); float16; int8 for the weights of layers, and float16 for what else
   * there is.
   */
  rest: RestPrecision
  /** Single tensors that are stored otherwise, by name. */
  exceptions?: ReadonlyMap<ValueName, RestPrecision>
}

/** Shorter tensors have nothing to save, and may be part of shape arithmetic. */
const FEWEST_VALUES = 16

/** Below this, float16 has fewer than 11 bits. */
const SMALLEST_NORMAL = 2 ** -14

/**
 * The network with everything that is not ternary rounded to what it is stored as. Left as they are: what is no
 * parameter, what float16 does not hold (see roundsWell), and weights that int8 would not make smaller than float16.
 */
export function roundRest(
  network: TernaryNetwork,
  choices: readonly LayerChoice[],
  { rest, exceptions = new Map() }: RoundRestOptions,
): TernaryNetwork {
  const { graph } = network.model
  const initializers = new Map(graph.initializers)
  const forms = new Map<ValueName, RestForm>()
  const axes = new Map(choices.map(({ weight, channelAxis }) => [weight, channelAxis]))
  for (const name of parameters(graph)) {
    const tensor = initializers.get(name) as Tensor
    if (network.layers.has(name) || !isFloatType(tensor.type)) continue
    const rounded = round(tensor as Tensor<FloatType>, exceptions.get(name) ?? rest, axes.get(name))
    if (rounded === undefined) continue
    initializers.set(name, rounded.tensor)
    if (rounded.form !== undefined) forms.set(name, rounded.form)
  }
  return { ...network, model: { ...network.model, graph: { ...graph, initializers } }, rest: forms }
}

interface Rounded {
  tensor: Tensor
  form?: RestForm
}

function round(
  tensor: Tensor<FloatType>,
  precision: RestPrecision,
  channelAxis: number | undefined,
): Rounded | undefined {
  if (precision === 'fp32') return losslessly(tensor)
  const int8 = precision === 'int8' && channelAxis !== undefined ? roundInt8(tensor, channelAxis) : undefined
  if (int8 !== undefined) return int8
  const half =
    isFloat16Type(tensor.type) && roundsWell(tensor) ? roundToFloat16(tensor as Tensor<Float16Type>) : undefined
  return half && { tensor: half, form: { encoding: 'float16' } }
}

// What float16 holds as it is (of an unpacked network, of one that was trained in float16) takes no more.
function losslessly(tensor: Tensor<FloatType>): Rounded | undefined {
  const half = isFloat16Type(tensor.type) ? roundToFloat16(tensor as Tensor<Float16Type>) : undefined
  return half && sameTensor(tensor, half) ? { tensor, form: { encoding: 'float16' } } : undefined
}

function roundInt8(tensor: Tensor<FloatType>, axis: number): Rounded | undefined {
  const { type, dims } = tensor
  const weights = quantizeInt8(tensor, axis)
  if (weights === undefined) return undefined
  const bytes = 4 * weights.scales.length + weights.codes.length
  if (bytes >= 2 * weights.codes.length) return undefined
  return { tensor: int8Tensor(type, dims, weights), form: { encoding: 'int8', ...weights } }
}

// A matrix is used in sums, where what counts is the error against its largest element. A vector works element by
// element (a variance below a square root, a factor per channel), so that none of it may lose bits.
function roundsWell({ dims, data }: Tensor<FloatType>): boolean {
  const magnitudes = (data as Float32Array).map(Math.abs)
  if (dims.filter((dim) => dim > 1).length >= 2) return magnitudes.some((magnitude) => magnitude >= SMALLEST_NORMAL)
  return magnitudes.every((magnitude) => magnitude === 0 || magnitude >= SMALLEST_NORMAL)
}

// Initializers that nothing uses but as learned values, wherever that is, and that are long enough to matter. What goes
// anywhere else is left alone: the factors of a Resize decide shapes, an epsilon may be zero in float16.
function parameters(graph: Graph): ValueName[] {
  const users = directUsers(graph)
  const given = new Set([...walkGraphs(graph)].flatMap(({ outputs }) => outputs.map(({ name }) => name)))
  const isLearned = (name: ValueName, node: Node): boolean => {
    if (carriesValues(node) && !node.inputs.includes(name, 1)) return isParameter(node.outputs[0] ?? '')
    const learned = learnedPositions(node).map(([index]) => index)
    const places = node.inputs.flatMap((input, index) => (input === name ? [index] : []))
    return places.length > 0 && places.every((place) => learned.includes(place))
  }
  const isParameter = (name: ValueName): boolean => {
    const nodes = users.get(name) ?? []
    return nodes.length > 0 && !given.has(name) && nodes.every((node) => isLearned(name, node))
  }
  return [...graph.initializers].flatMap(([name, { dims }]) =>
    elementCount(dims) >= FEWEST_VALUES && isParameter(name) ? [name] : [],
  )
}
