// What a network will weigh once its layers are ternary, before any of them is fitted: codes by the weights alone, and in
// the places of factors and shifts numbers like those that will stand there.
import { normal, randomSource } from '../data/random.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { FloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import { scalableLayer } from './divide-channels.js'
import { type FitRule, fitLayer } from './fit-without-data.js'
import { insertChannelScales, takesChannelScales } from './insert-channel-scales.js'
import { channelCount, type LayerChoice } from './layer-choice.js'
import { ownNorm } from './own-norm.js'
import { settle } from './settle-layer.js'
import type { TernaryLayer, TernaryNetwork } from './ternary-network.js'

/**
 * A network that packs to about as many bytes as the compressed one: the same nodes and constants, other numbers.
 * @param way how the layers will become ternary
 * @throws TtqError `model` when weights are not finite
 */
export function predictedNetwork(
  original: Model,
  choices: readonly LayerChoice[],
  rule: FitRule,
  way: 'trained' | 'fitted',
): TernaryNetwork {
  let model = original
  const layers = new Map<ValueName, TernaryLayer>()
  for (const choice of choices.filter(({ ternary }) => ternary)) {
    const { weight, op, outputs } = choice
    const divided = insertChannelScales(model, [choice])
    const weights = divided.graph.initializers.get(weight) as Tensor<FloatType>
    const { layer, tensor } = fitLayer(weight, weights, rule)
    if (scalableLayer(model.graph, choice) === undefined || !takesChannelScales(model)) {
      const initializers = new Map(divided.graph.initializers).set(weight, tensor)
      model = { ...divided, graph: { ...divided.graph, initializers } }
      layers.set(weight, layer)
      continue
    }
    const codes = moved(layer.codes, weight, MOVED[way])
    const fit = {
      layer: { ...layer, codes, wp: 1, wn: 1 },
      ...numbersLike(weights, choice),
      latent: undefined,
      error: 0,
    }
    const norm = op === 'MatMul' ? undefined : ownNorm(model.graph, outputs[0] as ValueName)
    const place = { norm, type: weights.type, outputRank: 2 }
    model = settle(model, choice, place, fit, 'factors').model
    layers.set(weight, fit.layer)
  }
  return { model, layers }
}

/**
 * The share of codes that change places. Codes that are fitted or trained have the same shares of -, 0 and +, but make up
 * for one another's errors: they follow their neighbours less than the weights do, and take more bits. Trained ones stay
 * nearer to the weights. By ResNet-20 and -56, fitted and trained.
 */
const MOVED = { trained: 0.05, fitted: 0.12 } as const

function moved(codes: Int8Array, weight: ValueName, share: number): Int8Array {
  const random = randomSource(0, 'moved', weight)
  const result = codes.slice()
  for (let i = 0; i < codes.length; i++) {
    if (random.float() >= share / 2) continue
    const other = random.int(codes.length)
    const code = result[i] as number
    result[i] = result[other] as number
    result[other] = code
  }
  return result
}

// Factors lie around the mean size of a weight, shifts on both sides of zero.
function numbersLike(
  weights: Tensor<FloatType>,
  choice: LayerChoice,
): { factors: Float64Array; shifts: Float64Array; mean: Float64Array; variance: Float64Array } {
  const channels = channelCount(choice)
  const random = randomSource(0, 'predicted', choice.weight)
  const values = float32Values(weights)
  const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length)) || 1
  const drawn = (from: (noise: number) => number): Float64Array =>
    Float64Array.from({ length: channels }, () => from(normal(random)))
  return {
    factors: drawn((noise) => size * Math.exp(0.4 * noise)),
    shifts: drawn((noise) => size * noise),
    mean: drawn((noise) => 0.1 * noise),
    variance: drawn((noise) => Math.exp(0.4 * noise)),
  }
}
