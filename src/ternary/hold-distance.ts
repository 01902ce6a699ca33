// Which layers stay ternary where the outputs may only be so far from the original's: those that lose least for the
// bytes that they save.
import type { ValueName } from '../onnx/model.js'
import { elementCount } from '../tensor/tensor.js'
import { inEightBits } from './eight-bits.js'
import type { LayerChoice } from './layer-choice.js'

/** A layer and what it costs and saves, ternary instead of in 8 bits. */
export interface LayerLoss {
  name: ValueName
  /** Squared distance of the outputs with this layer alone ternary: of several layers, it about adds up. */
  error: number
  savedBytes: number
}

/** Bytes of a weight in 8 bits that two bits do not take. */
const SAVED = 0.75

/**
 * What each ternary layer loses and saves.
 * @param distances of the outputs with one layer alone ternary, percent. What a layer loses of its own output says little
 * of that: a first layer's error grows on its way, a last one's is added to many others.
 */
export function layerLosses(choices: readonly LayerChoice[], distances: ReadonlyMap<ValueName, number>): LayerLoss[] {
  return choices.flatMap(({ weight, dims }): LayerLoss[] => {
    const distance = distances.get(weight)
    return distance === undefined
      ? []
      : [
          {
            name: weight,
            error: Number.isFinite(distance) ? distance ** 2 : UNBOUNDED,
            savedBytes: SAVED * elementCount(dims),
          },
        ]
  })
}

/** Of a layer that alone makes the outputs no numbers. */
const UNBOUNDED = 1e12

/** Steps that errors are counted in. */
const STEPS = 1000

/**
 * The layers to store in 8 bits so that those that stay ternary lose no more than a share of what all lose together,
 * and save as many bytes as can be: a knapsack, by dynamic programming over the errors. One stays ternary at least.
 */
export function layersToGiveUp(layers: readonly LayerLoss[], share: number): LayerLoss[] {
  const whole = layers.reduce((sum, { error }) => sum + error, 0)
  const capacity = Math.floor(share * STEPS)
  const weights = layers.map(({ error }) => Math.ceil((STEPS * error) / (whole || 1) - 1e-9))
  // Of the layers so far: the most bytes that can be saved with so many steps of error, and whether the last one is in.
  let best = new Float64Array(capacity + 1)
  const taken = layers.map(({ savedBytes }, i) => {
    const isIn = new Uint8Array(capacity + 1)
    const next = best.slice()
    for (let room = weights[i] as number; room <= capacity; room++) {
      const value = (best[room - (weights[i] as number)] as number) + savedBytes
      if (value > (next[room] as number)) [next[room], isIn[room]] = [value, 1]
    }
    best = next
    return isIn
  })
  const kept = new Set<LayerLoss>()
  let room = capacity
  for (let i = layers.length - 1; i >= 0; i--) {
    if (taken[i]?.[room] !== 1) continue
    kept.add(layers[i] as LayerLoss)
    room -= weights[i] as number
  }
  if (kept.size === 0) kept.add(layers.reduce((least, layer) => (layer.error < least.error ? layer : least)))
  return layers.filter((layer) => !kept.has(layer))
}

/** The choices with these layers in 8 bits. */
export function withEightBits(
  choices: readonly LayerChoice[],
  given: readonly LayerLoss[],
  bound: number,
): LayerChoice[] {
  const reasons = given.map(({ name, error }): [ValueName, string] => [
    name,
    `--max-distance ${bound}: ${Math.sqrt(error).toPrecision(2)} % by itself`,
  ])
  return inEightBits(choices, new Map(reasons))
}

/** Shares that are tried. */
const ROUNDS = 6

/**
 * Looks for the largest share of the errors for which a bound holds.
 * @param first where to begin
 * @param isHeld is asked about shares below 1; less of the errors is taken to be no worse
 * @returns undefined where it held for none that was tried
 */
export async function largestShare(
  first: number,
  isHeld: (share: number) => Promise<boolean>,
): Promise<number | undefined> {
  let [holds, fails] = [0, 1]
  let next = Math.max(1 / STEPS, Math.min(0.9, first))
  for (let round = 0; round < ROUNDS; round++) {
    if (await isHeld(next)) holds = next
    else fails = next
    next = holds === 0 ? fails / 4 : Math.sqrt(holds * fails)
  }
  return holds === 0 ? undefined : holds
}
