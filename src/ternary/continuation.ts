// What a training takes over from an earlier one of the same network in which more layers were ternary.
import type { ValueName } from '../onnx/model.js'
import { fanInsOf, type LayerChoice } from './layer-choice.js'
import type { TrainedValues } from '../training/trained-values.js'

interface Continuation {
  /**
   * Trained values of what is not ternary. A layer that was and no longer is starts from its three values, so that the
   * network computes what it did: its first weights belong between layers that have moved since.
   */
  values: Map<ValueName, Float32Array>
  /**
   * What ternary parameters start from; without the optimizer's state, momentum belongs to the training it came from.
   */
  start: TrainedValues
  /**
   * Fan-in of layers that are no longer ternary and have a batch norm behind them: at their size, near 1, an ordinary
   * rate does next to nothing (docs/experiments.md).
   */
  fanIns: Map<ValueName, number>
}

/** State slots of a ternary parameter that are not the optimizer's. */
const METHOD_SLOTS = ['latent', 'scales', 'threshold']

/**
 * @param normalized weights that were ternary at first and have a batch norm behind them
 * @param choices for the training to come
 */
export function continuation(
  { values, state }: TrainedValues,
  normalized: ReadonlySet<ValueName>,
  choices: readonly LayerChoice[],
): Continuation {
  const ternary = choices.filter((choice) => choice.ternary).map(({ weight }) => weight)
  const slots = ternary
    .flatMap((name) => METHOD_SLOTS.map((kind) => `${name}.${kind}`))
    .filter((name) => state.has(name))
  const restored = choices.filter((choice) => !choice.ternary && normalized.has(choice.weight))
  return {
    values: new Map([...values].filter(([name]) => !ternary.includes(name))),
    start: {
      values: new Map(ternary.map((name) => [name, values.get(name) as Float32Array])),
      state: new Map(slots.map((name) => [name, state.get(name) as Float32Array])),
    },
    fanIns: fanInsOf(restored),
  }
}
