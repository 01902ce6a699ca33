// What a network will weigh once its layers are ternary, before any of them is fitted: codes by the weights alone, and
// in the places of factors and shifts numbers like those that will stand there.
import { normal, randomSource } from '../data/random.js'
import type { Model, Node, ValueName } from '../onnx/model.js'
import type { FloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import { rescaling, scalableLayer } from './divide-channels.js'
import { type FitRule, fitLayer } from './fit-without-data.js'
import { changeAround } from './change-around.js'
import { insertChannelScales, takesChannelScales } from './insert-channel-scales.js'
import { channelCount, channelFinder, type LayerChoice } from './layer-choice.js'
import type { LayerStatistics } from './layer-statistics.js'
import { gainsOf, normParameters, ownNorm } from './own-norm.js'
import { settle } from './settle-layer.js'
import type { TernaryLayer, TernaryNetwork } from './ternary-network.js'

/**
 * A network that packs to about as many bytes as the compressed one: the same nodes and constants, other numbers.
 * @param way how the layers will become ternary
 * @param seen what the original's layers give; without, numbers are drawn
 * @throws TtqError `model` when weights are not finite
 */
export function predictedNetwork(
  original: Model,
  choices: readonly LayerChoice[],
  rule: FitRule,
  way: 'trained' | 'fitted',
  seen: LayerStatistics = new Map(),
): TernaryNetwork {
  let model = original
  const layers = new Map<ValueName, TernaryLayer>()
  for (const choice of choices.filter(({ ternary }) => ternary))
    model = changeAround(model, choice, (scope, own) => {
      const predicted = predictLayer(scope, own, rule, way, seen)
      layers.set(choice.weight, predicted.layer)
      return predicted.model
    })
  return { model, layers }
}

function predictLayer(
  model: Model,
  choice: LayerChoice,
  rule: FitRule,
  way: keyof typeof MOVED,
  seen: LayerStatistics,
): { model: Model; layer: TernaryLayer } {
  const { weight, op, outputs } = choice
  const divided = insertChannelScales(model, [choice])
  const weights = divided.graph.initializers.get(weight) as Tensor<FloatType>
  const { layer, tensor } = fitLayer(weight, weights, rule)
  if (scalableLayer(model.graph, choice) === undefined || !takesChannelScales(model)) {
    const initializers = new Map(divided.graph.initializers).set(weight, tensor)
    return { model: { ...divided, graph: { ...divided.graph, initializers } }, layer }
  }
  const norm = op === 'MatMul' ? undefined : ownNorm(model.graph, outputs[0] as ValueName)
  const own = model.graph.initializers.get(weight) as Tensor<FloatType>
  const fit = {
    layer: { ...layer, codes: moved(layer.codes, weight, MOVED[way]), wp: 1, wn: 1 },
    ...numbersLike(model, own, choice, norm, seen),
    latent: undefined,
    error: 0,
  }
  const place = { norm, type: weights.type, outputRank: 2 }
  return { model: settle(model, choice, place, fit, 'factors').model, layer: fit.layer }
}

/**
 * The share of codes that change places. Codes that are fitted or trained have the same shares of -, 0 and +, but make
 * up for one another's errors: they follow their neighbours less than the weights do, and take more bits. Trained ones
 * stay nearer to the weights. By ResNet-20 and -56, fitted and trained.
 */
const MOVED = { trained: 0.05, fitted: 0.11 } as const

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

interface ChannelNumbers {
  factors: Float64Array
  shifts: Float64Array
  mean: Float64Array
  variance: Float64Array
}

/** What a fit gives a channel whose output does not vary, in the units of its target. */
const DEAD = 1e-6

/** Below this share of its mean square, a variance is what rounding leaves of zero. */
const NOTHING = 1e-10

/**
 * What the fit of a layer comes to (solve-layer.ts), by the sizes of its weights and by what it gives on a few samples:
 * factors are 1 on the average, means and variances those of the layer's ternary product. Numbers that float16 does not
 * hold are the point of it: they keep whole vectors in four bytes.
 */
function numbersLike(
  model: Model,
  weights: Tensor<FloatType>,
  choice: LayerChoice,
  norm: Node | undefined,
  seen: LayerStatistics,
): ChannelNumbers {
  const random = randomSource(0, 'predicted', choice.weight)
  const output = seen.get(choice.outputs[0] as ValueName)
  const target = norm === undefined ? output : seen.get(norm.outputs[0] as ValueName)
  const sizes = channelSizes(weights, choice)
  const bias = rescaling(model.graph, choice)?.bias
  const gains = norm && gainsOf(normParameters(model.graph, norm))
  const isDead = (c: number): boolean => {
    const [mean, variance] = [output?.mean[c] ?? 1, output?.variance[c] ?? 1]
    return !(variance > NOTHING * mean * mean)
  }
  const inTarget = sizes.map((size, c) => (isDead(c) ? DEAD : size * Math.abs(gains?.[c] ?? 1)))
  const unit = inTarget.reduce((sum, factor) => sum + factor, 0) / inTarget.length || 1
  // A fit spreads them: of weights that are all alike, too.
  const factors = inTarget.map((factor) => (factor / unit) * Math.exp(0.2 * normal(random)))
  const inProduct = (c: number): number => unit / ((sizes[c] as number) || 1)
  const mean = sizes.map((_, c) => (output ? (output.mean[c] as number) * inProduct(c) : 0.1 * normal(random)))
  const variance = sizes.map((_, c) =>
    isDead(c) ? 0 : output ? (output.variance[c] as number) * inProduct(c) ** 2 : Math.exp(0.4 * normal(random)),
  )
  const shifts = sizes.map((size, c) => {
    if (target === undefined) return size * normal(random)
    // Behind a batch norm, the target's mean is what is stored.
    if (norm !== undefined) return (target.mean[c] as number) - (factors[c] as number) * (mean[c] as number)
    return (bias?.[c] ?? 0) + 0.1 * Math.sqrt(target.variance[c] as number) * normal(random)
  })
  return { factors, shifts, mean, variance }
}

// The root mean square of each output channel's weights.
function channelSizes(weights: Tensor<FloatType>, choice: LayerChoice): Float64Array {
  const channelOf = channelFinder(choice)
  const squares = new Float64Array(channelCount(choice))
  const values = float32Values(weights)
  values.forEach((value, i) => {
    squares[channelOf(i)]! += value * value
  })
  return squares.map((sum) => Math.sqrt((sum * squares.length) / values.length))
}
