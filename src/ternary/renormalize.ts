// Layers without a batch norm behind them, as exporters leave them: their weights carry a factor per output channel,
// which one pair of scales per layer fits badly. Here that factor is divided out of the weights and put behind the
// layer: as a batch norm to train with, or as a plain factor where nothing is trained. Weights that several nodes share
// are left alone.
import { attribute, attributes } from '../onnx/attributes.js'
import { cloneModel, consumers, producers, removeUnusedNodes, valueNames } from '../onnx/graph-queries.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { elementCount, float32, isType, type Tensor } from '../tensor/tensor.js'
import type { ChannelStatistics } from '../binding/channel-statistics.js'
import type { LayerChoice } from './layer-choice.js'

/** A batch norm put behind a layer, by the names of its parts. */
export interface InsertedNorm {
  /** The layer's weight. */
  weight: ValueName
  /** Output of the batch norm: the name that the layer's output had before. */
  output: ValueName
  /** Initializers of the batch norm, [channels] each. */
  scale: ValueName
  shift: ValueName
  mean: ValueName
  variance: ValueName
  /** Axes of the output behind the channel axis. */
  spatialAxes: number
}

const EPSILON = 1e-5
const MOMENTUM = 0.9

/**
 * Whether a batch norm should be put behind a layer: it is ternary, its output is of a form that batch norm takes, and
 * none follows yet (directly, or behind a bias).
 * @param rankOf rank of a value where known; a MatMul counts only with an output of rank 2
 */
export function needsNormalization(
  graph: Graph,
  choice: LayerChoice,
  rankOf: (value: ValueName) => number | undefined = () => undefined,
): boolean {
  if (rescaling(graph, choice) === undefined) return false
  const [output] = choice.outputs
  if (output === undefined || (choice.op === 'MatMul' && rankOf(output) !== 2)) return false
  return !isNormalized(graph, output)
}

/** Whether a batch norm follows every use of a layer's weight, directly or behind a bias. */
export function followedByNorm(graph: Graph, { outputs }: LayerChoice): boolean {
  return outputs.every((output) => isNormalized(graph, output))
}

function isNormalized(graph: Graph, output: ValueName): boolean {
  const users = consumers(graph)
  const next = (value: ValueName): Node | undefined =>
    users.get(value)?.length === 1 ? users.get(value)?.[0] : undefined
  const behind = next(output)
  const isBias = behind?.opType === 'Add' && behind.inputs.some((input) => graph.initializers.has(input))
  const follower = isBias ? next(behind.outputs[0] as ValueName) : behind
  return follower?.opType === 'BatchNormalization'
}

/**
 * Puts a batch norm behind every ternary layer that `statistics` (by weight) has, divides the root mean square of each
 * output channel's weights out of them, and drops the layer's bias. The batch norm's running statistics are those of
 * the divided layer, its scale and shift such that its output has the mean and variance given: before quantization, the
 * network computes what it did.
 *
 * Root mean square because it fits best: relative squared error of the ternary fit, mean over output channels,
 * cifar10-resnet20 / ultraface-slim: undivided 0.264 / 0.482, divided by the largest magnitude 0.217 / 0.181, mean
 * magnitude 0.209 / 0.197, root mean square 0.207 / 0.180.
 *
 * @returns the new model, in which weights keep their names and `output` of each norm is the layer's old output
 */
export function insertBatchNorm(
  model: Model,
  choices: readonly LayerChoice[],
  statistics: ReadonlyMap<ValueName, ChannelStatistics>,
): { model: Model; inserted: InsertedNorm[] } {
  const edit = startEdit(model)
  const inserted: InsertedNorm[] = []
  for (const choice of choices) {
    const measured = statistics.get(choice.weight)
    const layer = rescaling(edit.graph, choice)
    if (measured === undefined || layer === undefined) continue
    const { divisor, raw } = divideOut(edit, choice, layer)
    const parameter = (kind: string, value: (channel: number) => number): ValueName =>
      edit.initializer(
        `${choice.weight}.${kind}`,
        float32(
          [divisor.length],
          Float32Array.from(divisor, (_, channel) => value(channel)),
        ),
      )
    const mean = (channel: number): number =>
      ((measured.mean[channel] as number) - (layer.bias?.[channel] ?? 0)) / (divisor[channel] as number)
    const variance = (channel: number): number =>
      (measured.variance[channel] as number) / (divisor[channel] as number) ** 2
    const norm: InsertedNorm = {
      weight: choice.weight,
      output: choice.outputs[0] as ValueName,
      spatialAxes: spatialAxes(choice),
      scale: parameter(
        'norm_scale',
        (channel) => (divisor[channel] as number) * Math.sqrt(variance(channel) + EPSILON),
      ),
      shift: parameter('norm_shift', (channel) => measured.mean[channel] as number),
      mean: parameter('norm_mean', mean),
      variance: parameter('norm_variance', variance),
    }
    const inputs = [raw, norm.scale, norm.shift, norm.mean, norm.variance]
    edit.insertBehind(raw, [
      plainNode('BatchNormalization', inputs, norm.output, {
        epsilon: { float: EPSILON },
        momentum: { float: MOMENTUM },
      }),
    ])
    inserted.push(norm)
  }
  return { model: edit.finish(), inserted }
}

/**
 * Divides the root mean square of each output channel's weights out of every ternary Conv and Gemm that has a batch
 * norm directly behind it, and lets the batch norm make up for it: its running statistics, and its scale for the sake
 * of epsilon. The network computes what it did, and one pair of scales fits the layer better (cifar10-resnet20-bn:
 * relative squared error 0.207 instead of 0.248).
 */
export function divideIntoNorms(model: Model, choices: readonly LayerChoice[]): Model {
  const edit = startEdit(model)
  for (const choice of choices) {
    const layer = rescaling(edit.graph, choice)
    // A MatMul's channels are its last axis, which is the one of batch norm only at rank 2.
    const norm =
      layer === undefined || choice.op === 'MatMul' ? undefined : ownNorm(edit.graph, choice.outputs[0] as ValueName)
    if (layer === undefined || norm === undefined) continue
    const divisor = divideWeights(edit, choice)
    if (layer.bias !== undefined) {
      const bias = layer.bias.map((value, channel) => value / (divisor[channel] as number))
      layer.node.inputs[2] = edit.initializer(`${choice.weight}.divided_bias`, float32([bias.length], bias))
      delete layer.node.attributes['beta']
    }
    const epsilon = attribute(norm, 'epsilon', 'float', EPSILON)
    const [scale, , mean, variance] = norm.inputs.slice(1).map((name) => floats(edit.graph, name)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const nextVariance = variance.map((value, channel) => value / (divisor[channel] as number) ** 2)
    const replace = (input: number, kind: string, values: Float32Array): void => {
      norm.inputs[input] = edit.initializer(`${choice.weight}.${kind}`, float32([values.length], values))
    }
    replace(
      1,
      'norm_scale',
      scale.map(
        (value, c) =>
          value *
          (divisor[c] as number) *
          Math.sqrt(((nextVariance[c] as number) + epsilon) / ((variance[c] as number) + epsilon)),
      ),
    )
    replace(
      3,
      'norm_mean',
      mean.map((value, channel) => value / (divisor[channel] as number)),
    )
    replace(4, 'norm_variance', nextVariance)
  }
  return edit.finish()
}

// The batch norm that is alone in using a value, in inference form and with constant parameters.
function ownNorm(graph: Graph, value: ValueName): Node | undefined {
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

/**
 * Turns each inserted batch norm into a factor and a shift per channel (Mul, Add), which take the names of its scale
 * and shift.
 */
export function foldInsertedNorms(model: Model, inserted: readonly InsertedNorm[]): Model {
  const edit = startEdit(model)
  for (const norm of inserted) {
    const [scale, shift, mean, variance] = [norm.scale, norm.shift, norm.mean, norm.variance].map((name) =>
      floats(edit.graph, name),
    )
    const factor = (scale as Float32Array).map(
      (value, channel) => value / Math.sqrt((variance?.[channel] as number) + EPSILON),
    )
    const offset = (shift as Float32Array).map(
      (value, channel) => value - (mean?.[channel] as number) * (factor[channel] as number),
    )
    edit.graph.initializers.set(norm.scale, perChannel(factor, norm.spatialAxes))
    edit.graph.initializers.set(norm.shift, perChannel(offset, norm.spatialAxes))
    const index = edit.graph.nodes.findIndex((node) => node.outputs[0] === norm.output)
    const old = edit.graph.nodes[index]
    if (old?.opType !== 'BatchNormalization')
      throw new Error(`internal: "${norm.output}" is not the output of a batch norm`)
    const scaled = edit.fresh(`${norm.output}_scaled`)
    edit.graph.nodes.splice(
      index,
      1,
      plainNode('Mul', [old.inputs[0] as ValueName, norm.scale], scaled),
      plainNode('Add', [scaled, norm.shift], norm.output),
    )
  }
  return edit.finish()
}

/**
 * Divides the root mean square of each output channel's weights out of every ternary layer and multiplies behind it
 * (Mul; the layer's bias, if any, by an Add): equal to the original up to rounding, for networks that are quantized
 * without training.
 */
export function insertChannelScales(model: Model, choices: readonly LayerChoice[]): Model {
  const edit = startEdit(model)
  for (const choice of choices) {
    const layer = rescaling(edit.graph, choice)
    if (layer === undefined) continue
    const { divisor, raw } = divideOut(edit, choice, layer)
    const output = choice.outputs[0] as ValueName
    const factor = edit.initializer(`${choice.weight}.channel_scale`, perChannel(divisor, spatialAxes(choice)))
    if (layer.bias === undefined) {
      edit.insertBehind(raw, [plainNode('Mul', [raw, factor], output)])
      continue
    }
    const scaled = edit.fresh(`${output}_scaled`)
    const bias = edit.initializer(`${choice.weight}.channel_shift`, perChannel(layer.bias, spatialAxes(choice)))
    edit.insertBehind(raw, [plainNode('Mul', [raw, factor], scaled), plainNode('Add', [scaled, bias], output)])
  }
  return edit.finish()
}

/** A layer whose output channels can be scaled; `bias` is what it adds to each of them. */
interface Rescaling {
  node: Node
  bias: Float32Array | undefined
}

function rescaling(graph: Graph, choice: LayerChoice): Rescaling | undefined {
  const weight = graph.initializers.get(choice.weight)
  const isRightSide = choice.outputAxis === 1 || choice.outputAxis === -1
  if (
    !choice.ternary ||
    choice.outputs.length !== 1 ||
    !isRightSide ||
    weight === undefined ||
    !isType(weight, 'float32')
  )
    return undefined
  const node = producers(graph).get(choice.outputs[0] as ValueName)
  if (node === undefined || !node.inputs.includes(choice.weight)) return undefined
  const biasName = choice.op === 'MatMul' ? '' : (node.inputs[2] ?? '')
  if (biasName === '') return { node, bias: undefined }
  const bias = biasPerChannel(graph.initializers.get(biasName), choice.dims[choice.channelAxis] as number)
  return bias === undefined
    ? undefined
    : { node, bias: bias.map((value) => value * attribute(node, 'beta', 'float', 1)) }
}

// A Gemm's third input may also have one value per sample, or one for all.
function biasPerChannel(tensor: Tensor | undefined, channels: number): Float32Array | undefined {
  if (tensor === undefined || !isType(tensor, 'float32')) return undefined
  if (tensor.data.length === 1) return new Float32Array(channels).fill(tensor.data[0] as number)
  return tensor.data.length === channels && tensor.dims.at(-1) === channels ? tensor.data : undefined
}

/** Before this opset, a Gemm must have its third input. */
const GEMM_WITHOUT_BIAS = 11

// Divides the weights, takes the bias away and gives the layer's output a new name.
function divideOut(edit: Edit, choice: LayerChoice, { node }: Rescaling): { divisor: Float32Array; raw: ValueName } {
  const divisor = divideWeights(edit, choice)
  const raw = edit.fresh(`${choice.outputs[0]}_raw`)
  node.outputs = [raw]
  if (choice.op !== 'MatMul') node.inputs = node.inputs.slice(0, 2)
  if (choice.op === 'Gemm' && edit.opset < GEMM_WITHOUT_BIAS) {
    node.inputs.push(
      edit.initializer(`${choice.weight}.no_bias`, float32([divisor.length], new Float32Array(divisor.length))),
    )
  }
  return { divisor, raw }
}

/**
 * A channel with a root mean square below this, or below this share of the largest channel's, has died: it adds nothing
 * that float32 could hold, and to divide by it, or by its square, would overflow. (Weight decay leaves such channels, down
 * to denormal numbers.)
 */
const DEAD = { absolute: 1e-18, share: 1e-12 } as const

// Divides each output channel by its root mean square; dead channels stay as they are.
function divideWeights(edit: Edit, choice: LayerChoice): Float32Array {
  const weights = floats(edit.graph, choice.weight)
  const channels = choice.dims[choice.channelAxis] as number
  const inner = elementCount(choice.dims.slice(choice.channelAxis + 1))
  const channelOf = (index: number): number => Math.floor(index / inner) % channels
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

interface Edit {
  graph: Graph
  opset: number
  fresh: (name: ValueName) => ValueName
  initializer: (name: ValueName, tensor: Tensor) => ValueName
  insertBehind: (value: ValueName, nodes: readonly Node[]) => void
  finish: () => Model
}

function startEdit(original: Model): Edit {
  const model = cloneModel(original)
  const { graph } = model
  const names = new GraphBuilder(valueNames(graph))
  const fresh = (name: ValueName): ValueName => names.fresh(name)
  return {
    graph,
    fresh,
    opset: model.opsets.get('') ?? 0,
    initializer: (name, tensor) => {
      const unused = fresh(name)
      graph.initializers.set(unused, tensor)
      return unused
    },
    insertBehind: (value, nodes) => {
      graph.nodes.splice(graph.nodes.findIndex((node) => node.outputs.includes(value)) + 1, 0, ...nodes)
    },
    finish: () => ({ ...model, graph: removeUnusedNodes(graph) }),
  }
}

// Without a name: node names must differ from one another, and the layer in front keeps its own.
function plainNode(
  opType: string,
  inputs: ValueName[],
  output: ValueName,
  attrs: Parameters<typeof attributes>[0] = {},
): Node {
  return { name: '', opType, domain: '', inputs, outputs: [output], attributes: attributes(attrs) }
}

function spatialAxes({ op, dims }: LayerChoice): number {
  return op === 'Conv' ? dims.length - 2 : 0
}

function perChannel(values: Float32Array, spatialAxes: number): Tensor<'float32'> {
  return float32([values.length, ...new Array<number>(spatialAxes).fill(1)], values)
}

function floats(graph: Graph, name: ValueName): Float32Array {
  const tensor = graph.initializers.get(name)
  if (tensor === undefined || !isType(tensor, 'float32'))
    throw new Error(`internal: "${name}" is not a float32 initializer`)
  return tensor.data
}
