// Layers that are no longer ternary: in 8 bits, a quarter of the bytes, and a bound is asked of the stored values.
import type { ValueName } from '../onnx/model.js'
import type { RestPrecision } from '../options/choices.js'
import type { LayerChoice } from './layer-choice.js'

/** The choices with fewer ternary layers. @param reasons by weight */
export function inEightBits(choices: readonly LayerChoice[], reasons: ReadonlyMap<ValueName, string>): LayerChoice[] {
  return choices.map((choice) => {
    const reason = reasons.get(choice.weight)
    return reason === undefined ? choice : { ...choice, ternary: false, reason }
  })
}

/** How weights are stored that were to be ternary and are not: exceptions for roundRest. */
export function eightBitWeights(
  choices: readonly LayerChoice[],
  chosen: readonly LayerChoice[],
): Map<ValueName, RestPrecision> {
  const weights = chosen.filter(({ ternary }, i) => !ternary && choices[i]?.ternary === true)
  return new Map(weights.map(({ weight }) => [weight, 'int8']))
}
