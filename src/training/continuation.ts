// What a training takes over from an earlier one of the same network in which more layers were ternary.
import type { ValueName } from '../onnx/model.js'
import type { LayerChoice } from '../ternary/layer-choice.js'
import type { CompressOptions } from './compress-options.js'
import type { TrainedValues } from './trained-values.js'

export interface Continuation {
  /**
   * Trained values of what is not ternary. A layer that was and no longer is starts from its three values, so that the network computes what
   * it did: its first weights belong between layers that have moved since.
   */
  values: Map<ValueName, Float32Array>
  /** What ternary parameters start from; without the optimizer's state, momentum belongs to the training it came from. */
  start: TrainedValues
  /** What the learning rate is multiplied by, for layers that are no longer ternary. */
  rateFactors: Map<ValueName, number>
}

/** State slots of a ternary parameter that are not the optimizer's. */
const METHOD_SLOTS = ['latent', 'scales', 'threshold']

/**
 * @param normalized weights that were ternary at first and have a batch norm behind them
 * @param choices for the training to come
 */
export function continuation({ values, state }: TrainedValues, normalized: ReadonlySet<ValueName>, choices: readonly LayerChoice[], { optimizer }: Pick<CompressOptions, 'optimizer'>): Continuation {
  const ternary = choices.filter((choice) => choice.ternary).map(({ weight }) => weight)
  const slots = ternary.flatMap((name) => METHOD_SLOTS.map((kind) => `${name}.${kind}`)).filter((name) => state.has(name))
  const returned = choices.filter((choice) => !choice.ternary && normalized.has(choice.weight))
  return {
    values: new Map([...values].filter(([name]) => !ternary.includes(name))),
    start: {
      values: new Map(ternary.map((name) => [name, values.get(name) as Float32Array])),
      state: new Map(slots.map((name) => [name, state.get(name) as Float32Array])),
    },
    rateFactors: new Map(returned.map((choice) => {
      const ratio = sizeRatio(values.get(choice.weight) as Float32Array, choice)
      return [choice.weight, optimizer === 'adam' ? Math.sqrt(ratio) : ratio]
    })),
  }
}

// The mean square of a layer's weights, over that of He's initialisation. Behind a batch norm the loss does not depend on the weights' size, and the
// gradient falls as they grow: for weights of root mean square 1, as ternary layers have them, an ordinary rate does next to nothing
// (docs/results.md). Steps of Adam have the size of the rate, whatever the gradient.
function sizeRatio(weights: Float32Array, { dims, channelAxis }: LayerChoice): number {
  const fanIn = weights.length / (dims[channelAxis] as number)
  const meanSquare = weights.reduce((sum, weight) => sum + weight * weight, 0) / weights.length
  return meanSquare * fanIn / 2 || 1
}
