// Where layers stand in the course of their training: Wp, Wn and the share of zeros (the paper's figures 2 and 3).
import type { ValueName } from '../onnx/model.js'
import type { TrainedValues } from '../training/trained-values.js'
import type { TernaryState } from '../training/training-report.js'

/** Digits that a figure can show. */
const DIGITS = 4

/** Read from the values themselves, so that it is the same for every method. @param layers weights of the network */
export function observeLayers(layers: readonly ValueName[], { values }: TrainedValues): TernaryState {
  const states = layers.map((name) => stateOf(values.get(name) as Float32Array))
  return {
    wp: states.map(({ wp }) => wp),
    wn: states.map(({ wn }) => wn),
    zeros: states.map(({ zeros }) => zeros),
  }
}

function stateOf(weights: Float32Array): { wp: number; wn: number; zeros: number } {
  let [highest, lowest, zeros] = [0, 0, 0]
  for (const weight of weights) {
    if (weight === 0) zeros++
    else if (weight > highest) highest = weight
    else if (weight < lowest) lowest = weight
  }
  return { wp: rounded(highest), wn: rounded(-lowest), zeros: rounded(zeros / Math.max(1, weights.length)) }
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS))
}
