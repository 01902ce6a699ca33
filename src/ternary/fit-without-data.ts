// Ternary weights without training: the start that fine-tuning would take, as the result.
import type { Model, ValueName } from '../onnx/model.js'
import { sgd } from '../optimizer/sgd.js'
import type { FloatType } from '../tensor/data-type.js'
import { deferredTensor } from '../tensor/deferred-tensor.js'
import { floatTensor, float32Values, roundTo } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'
import type { UpdateBlock } from '../optimizer/parameters.js'
import { insertChannelScales } from './insert-channel-scales.js'
import { layerRules } from '../methods/methods.js'
import { checkFinite, dequantize } from '../methods/threshold.js'
import { trainedTernary, type TrainedTernary } from '../methods/trained-ternary.js'
import { buildUpdateGraph } from '../optimizer/update-graph.js'
import type { MethodName } from '../options/choices.js'
import type { OptionsOf } from '../options/option-table.js'
import { changeAround } from './change-around.js'
import type { TernaryLayer, TernaryNetwork } from './ternary-network.js'
import { thresholdRule } from './threshold-rule.js'

/**
 * Fits ternary weights to the chosen layers' weights as they are; unless `renormalize` is 'off', per output channel up
 * to a factor that goes behind the layer.
 * @throws TtqError `model` when weights are not finite
 */
export function fitWithoutData(
  original: Model,
  choices: readonly LayerChoice[],
  options: FitRule & Pick<OptionsOf<'compress'>, 'renormalize'>,
): TernaryNetwork {
  let model = original
  const layers = new Map<ValueName, TernaryLayer>()
  // Layer by layer, so that only one has its scaled weights in memory.
  for (const choice of choices.filter(({ ternary }) => ternary)) {
    const { weight } = choice
    if (options.renormalize !== 'off')
      model = changeAround(model, choice, (scope, own) => insertChannelScales(scope, [own]))
    const { layer, tensor } = fitLayer(weight, model.graph.initializers.get(weight) as Tensor<FloatType>, options)
    layers.set(weight, layer)
    const initializers = new Map(model.graph.initializers).set(weight, tensor)
    model = { ...model, graph: { ...model.graph, initializers } }
  }
  return { model, layers }
}

/** The options that the fit of one layer depends on. */
export interface FitRule extends Pick<OptionsOf<'compress'>, 'threshold' | 'sparsity'> {
  method: MethodName
}

/** The weights of larger layers are made of their codes, a quarter of their size, whenever they are needed. */
const DEFERRED_WEIGHTS = 2 ** 22

/**
 * The ternary weights that fit a layer's weights best, and the initializer that holds them. @throws TtqError `model`
 * when weights are not finite
 */
export function fitLayer(
  name: ValueName,
  { type, dims, data }: Tensor<FloatType>,
  rule: FitRule,
): { layer: TernaryLayer; tensor: Tensor<FloatType> } {
  const { codes, wp, wn, threshold } = fitWeights(name, float32Values({ type, dims, data }), rule)
  // float16 networks hold float16 scales.
  const layer = { codes, threshold, wp: roundTo(type, wp), wn: roundTo(type, wn) }
  const make = (): Tensor<FloatType> => floatTensor(type, dims, dequantize(layer))
  const tensor = data.length < DEFERRED_WEIGHTS ? make() : deferredTensor(type, dims, () => make().data)
  return { layer, tensor }
}

// A method's state before the first step is its fit of the weights.
function fitWeights(name: ValueName, initial: Float32Array, options: FitRule): TrainedTernary {
  checkFinite(initial, name)
  const parameter = { name, dims: [initial.length], role: 'weight', initial } as const
  const { blocks, state } = buildUpdateGraph([parameter], {
    optimizer: sgd({ momentum: 0 }),
    weightDecay: 0,
    rules: layerRules([name], { method: options.method, threshold: thresholdRule(options) }),
  })
  return trainedTernary(
    new Map(state.map((slot) => [slot.name, slot.initial])),
    (blocks[0] as UpdateBlock).initialValue,
    name,
  )
}
