// Weights of layers with the factors that stand behind them: what compressing divides out of a layer's channels, and
// what a batch norm multiplies them by.
import { attribute } from '../onnx/attributes.js'
import { consumers } from '../onnx/graph-queries.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import { channelCount, channelFinder, type LayerChoice } from '../ternary/layer-choice.js'
import { chooseLayers } from '../ternary/layers.js'
import { gainsOf, normParameters, ownNorm } from '../ternary/own-norm.js'

/**
 * Of the layers of a graph that take their weights once: from the name of the weight to its values times the factors of
 * their channels in the Mul, Div and BatchNormalization nodes behind the layer, in the weight's own order.
 */
export function layerProducts(graph: Graph): (weight: ValueName) => Float64Array | undefined {
  const choices = new Map(chooseLayers(graph, { keep: [], ternary: [] }).map((choice) => [choice.weight, choice]))
  const users = consumers(graph)
  const given = new Set(graph.outputs.map(({ name }) => name))
  const onlyUser = (value: ValueName): Node | undefined => {
    const all = users.get(value) ?? []
    return all.length === 1 && !given.has(value) ? all[0] : undefined
  }
  return (weight) => {
    const choice = choices.get(weight)
    const values = numbers(graph, weight)
    const [output = ''] = choice?.outputs ?? []
    if (choice === undefined || values === undefined || choice.outputs.length !== 1) return undefined
    const factors = factorsBehind(graph, output, choice, onlyUser)
    const channelOf = channelFinder(choice)
    return Float64Array.from(values, (value, i) => value * (factors[channelOf(i)] as number))
  }
}

// [channels]; what is added in between changes nothing of it.
function factorsBehind(
  graph: Graph,
  output: ValueName,
  choice: LayerChoice,
  onlyUser: (value: ValueName) => Node | undefined,
): Float64Array {
  const channels = channelCount(choice)
  const layer = graph.nodes.find(({ outputs }) => outputs[0] === output)
  const alpha = layer?.opType === 'Gemm' ? attribute(layer, 'alpha', 'float', 1) : 1
  const factors = new Float64Array(channels).fill(alpha)
  for (let value = output, node = onlyUser(value); node !== undefined; node = onlyUser(value)) {
    const own = factorsOf(graph, node, value, channels)
    if (own === undefined) break
    own.forEach((factor, channel) => (factors[channel] = (factors[channel] as number) * factor))
    value = node.outputs[0] ?? ''
  }
  return factors
}

// undefined for what is no product with a constant per channel, and no sum.
function factorsOf(graph: Graph, node: Node, value: ValueName, channels: number): Float64Array | undefined {
  if (ownNorm(graph, value) === node) {
    const gains = gainsOf(normParameters(graph, node))
    return gains.length === channels ? gains : undefined
  }
  const place = node.inputs.indexOf(value)
  const constant = numbers(graph, node.inputs[1 - place] ?? '')
  if (node.domain !== '' || node.inputs.length !== 2 || constant === undefined) return undefined
  if (node.opType === 'Add' || (node.opType === 'Sub' && place === 0)) return new Float64Array(channels).fill(1)
  if (constant.length !== 1 && constant.length !== channels) return undefined
  const factor = (channel: number): number => constant[constant.length === 1 ? 0 : channel] as number
  if (node.opType === 'Mul') return Float64Array.from({ length: channels }, (_, channel) => factor(channel))
  if (node.opType === 'Div' && place === 0)
    return Float64Array.from({ length: channels }, (_, channel) => 1 / factor(channel))
  return undefined
}

function numbers(graph: Graph, name: ValueName): ReturnType<typeof numbersOf> | undefined {
  const tensor = graph.initializers.get(name)
  return tensor === undefined || !isFloatType(tensor.type) ? undefined : numbersOf(tensor as Tensor<FloatType>)
}
