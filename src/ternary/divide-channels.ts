// Layers without a batch norm behind them, as exporters leave them: their weights carry a factor per output channel,
// which one pair of scales per layer fits badly. Here that factor is divided out of the weights and put behind the
// layer: as a batch norm to train with, or as a plain factor where nothing is trained. Weights that several nodes share
// are left alone.
import { attribute } from '../onnx/attributes.js'
import { producers } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { float32Values, floatTensor } from '../tensor/float-values.js'
import { float32, isType, type Tensor } from '../tensor/tensor.js'
import { checkFinite, ternaryScales } from '../methods/threshold.js'
import { floats, type GraphEdit } from './graph-edit.js'
import { channelCount, channelFinder, type LayerChoice } from './layer-choice.js'

/** A layer whose output channels can be scaled; `bias` is what it adds to each of them. */
export interface Rescaling {
  node: Node
  bias: Float32Array | undefined
}

/**
 * The layer of a choice that is to be ternary, where its channels can be scaled; undefined where not, and where its
 * weights are ternary as they are: what fits without an error stays.
 */
export function rescaling(graph: Graph, choice: LayerChoice): Rescaling | undefined {
  const isFloat32 = graph.initializers.get(choice.weight)?.type === 'float32'
  const node = choice.ternary && isFloat32 ? scalableLayer(graph, choice) : undefined
  if (node === undefined) return undefined
  const biasName = choice.op === 'MatMul' ? '' : (node.inputs[2] ?? '')
  if (biasName === '') return { node, bias: undefined }
  const bias = biasPerChannel(graph.initializers.get(biasName), channelCount(choice))
  return bias === undefined
    ? undefined
    : { node, bias: bias.map((value) => value * attribute(node, 'beta', 'float', 1)) }
}

/**
 * The only node of a choice, where factors per channel can stand behind it, of any floating-point type; undefined where
 * not, and where its weights are ternary as they are, unless they are to become others.
 */
export function scalableLayer(graph: Graph, choice: LayerChoice, becomeOthers = false): Node | undefined {
  const weight = graph.initializers.get(choice.weight)
  const isRightSide = choice.outputAxis === 1 || choice.outputAxis === -1
  if (choice.outputs.length !== 1 || !isRightSide || weight === undefined) return undefined
  if (!isFloatType(weight.type)) return undefined
  if (!becomeOthers && ternaryScales(float32Values(weight as Tensor<FloatType>)) !== undefined) return undefined
  const node = producers(graph).get(choice.outputs[0] as ValueName)
  return node?.inputs.includes(choice.weight) === true ? node : undefined
}

// A Gemm's third input may also have one value per sample, or one for all.
function biasPerChannel(tensor: Tensor | undefined, channels: number): Float32Array | undefined {
  if (tensor === undefined || !isType(tensor, 'float32')) return undefined
  if (tensor.data.length === 1) return new Float32Array(channels).fill(tensor.data[0] as number)
  return tensor.data.length === channels && tensor.dims.at(-1) === channels ? tensor.data : undefined
}

/** Before this opset, a Gemm must have its third input. */
const GEMM_WITHOUT_BIAS = 11

/** Divides the weights, takes the bias away and gives the layer's output a new name. */
export function divideOut(
  edit: GraphEdit,
  choice: LayerChoice,
  { node }: Rescaling,
): { divisor: Float32Array; raw: ValueName } {
  const divisor = divideWeights(edit, choice)
  removeBias(edit, choice, node)
  return { divisor, raw: renameOutput(edit, choice, node) }
}

/** Gives a layer's output a new name, so that something can stand behind it that has the old one. */
export function renameOutput(edit: GraphEdit, choice: LayerChoice, node: Node): ValueName {
  const raw = edit.fresh(`${choice.outputs[0]}_raw`)
  node.outputs = [raw]
  return raw
}

/** Takes the bias of a layer away, where it is an input of it. */
export function removeBias(edit: GraphEdit, choice: LayerChoice, node: Node): void {
  if (choice.op === 'MatMul') return
  node.inputs = node.inputs.slice(0, 2)
  if (choice.op !== 'Gemm' || edit.opset >= GEMM_WITHOUT_BIAS) return
  const channels = channelCount(choice)
  const { type } = edit.graph.initializers.get(choice.weight) as Tensor<FloatType>
  const none = floatTensor(type, [channels], new Float32Array(channels))
  node.inputs.push(edit.initializer(`${choice.weight}.no_bias`, none))
}

/**
 * A channel with a root mean square below this, or below this share of the largest channel's, has died: it adds nothing
 * that float32 could hold, and to divide by it, or by its square, would overflow. (Weight decay leaves such channels,
 * down to denormal numbers.)
 */
const DEAD = { absolute: 1e-18, share: 1e-12 } as const

/** Divides each output channel by its root mean square; dead channels stay as they are. @returns the divisors */
export function divideWeights(edit: GraphEdit, choice: LayerChoice): Float32Array {
  const weights = floats(edit.graph, choice.weight)
  checkFinite(weights, choice.weight)
  const channels = channelCount(choice)
  const channelOf = channelFinder(choice)
  const squares = new Float64Array(channels)
  weights.forEach((weight, i) => {
    squares[channelOf(i)] = (squares[channelOf(i)] as number) + weight * weight
  })
  const sizes = squares.map((sum) => Math.sqrt((sum * channels) / weights.length))
  const least = Math.max(DEAD.absolute, DEAD.share * sizes.reduce((most, size) => Math.max(most, size), 0))
  const divisor = Float32Array.from(sizes, (size) => (size < least ? 1 : size))
  edit.graph.initializers.set(
    choice.weight,
    float32(
      choice.dims,
      weights.map((weight, i) => weight / (divisor[channelOf(i)] as number)),
    ),
  )
  return divisor
}

/** Axes of a layer's output behind its channel axis. */
export function spatialAxes({ outputAxis, dims }: LayerChoice): number {
  return outputAxis === 1 ? dims.length - 2 : 0
}
