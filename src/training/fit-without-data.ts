// Ternary weights without training: the start that fine-tuning would take, as the result.
import type { Model, ValueName } from '../onnx/model.js'
import { sgd } from '../optimizer/sgd.js'
import { type FloatType, floatTensor, float32Values, roundTo } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { UpdateBlock } from '../ternary/parameters.js'
import { insertChannelScales } from '../ternary/renormalize.js'
import { dequantize } from '../ternary/threshold.js'
import { trainedTernary } from '../ternary/trained-ternary.js'
import { buildUpdateGraph } from '../ternary/update-graph.js'
import type { CompressOptions } from './compress-options.js'
import type { TernaryLayer, TernaryNetwork } from './ternary-network.js'
import { thresholdRule } from './threshold-rule.js'

/**
 * Fits ternary weights to the chosen layers' weights as they are; unless `renormalize` is 'off', per output channel up to a factor that
 * goes behind the layer.
 * @throws TtqError `model` when weights are not finite
 */
export function fitWithoutData(original: Model, choices: readonly LayerChoice[], options: CompressOptions): TernaryNetwork {
  const scaled = options.renormalize === 'off' ? original : insertChannelScales(original, choices)
  const initializers = new Map(scaled.graph.initializers)
  const layers = new Map<ValueName, TernaryLayer>()
  for (const { weight } of choices.filter((choice) => choice.ternary)) {
    const { type, dims, data } = initializers.get(weight) as Tensor<FloatType>
    const fitted = fitWeights(weight, float32Values({ type, dims, data }), options)
    // float16 networks hold float16 scales.
    const layer = { ...fitted, wp: roundTo(type, fitted.wp), wn: roundTo(type, fitted.wn) }
    layers.set(weight, layer)
    initializers.set(weight, floatTensor(type, dims, dequantize(layer)))
  }
  return { model: { ...scaled, graph: { ...scaled.graph, initializers } }, layers }
}

// A method's state before the first step is its fit of the weights.
function fitWeights(name: ValueName, initial: Float32Array, options: CompressOptions): TernaryLayer {
  const parameter = { name, dims: [initial.length], role: 'ternary', initial } as const
  const { blocks, state } = buildUpdateGraph([parameter], { method: options.method, optimizer: sgd(), weightDecay: 0, threshold: thresholdRule(options) })
  return trainedTernary(new Map(state.map((slot) => [slot.name, slot.initial])), (blocks[0] as UpdateBlock).initialValue, parameter)
}
