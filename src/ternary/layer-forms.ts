// In which form each layer is stored where the outputs may only be so far from the original's, or the file only so
// large: ternary, 8 bits or what the rest has, chosen together for what they lose and take.
import { knapsack } from '../algebra/knapsack.js'
import type { ValueName } from '../onnx/model.js'
import type { RestPrecision } from '../options/choices.js'
import { isFloat16Type } from '../packed/float16-encoding.js'
import { byteLength } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'

/** One form that a layer can be stored in. */
export interface LayerForm {
  precision: 'ternary' | RestPrecision
  /** Squared distance of the outputs with this layer alone in this form: of several layers, it about adds up. */
  error: number
  bytes: number
}

/** A layer that may be ternary, in all its forms, the smallest first. */
export interface LayerForms {
  name: ValueName
  forms: readonly LayerForm[]
}

/** Distances of the outputs with one layer alone ternary, or in 8 bits; percent. */
export interface AloneDistance {
  ternary: number
  int8: number
}

export interface LayerMeasures {
  distances: ReadonlyMap<ValueName, AloneDistance>
  ternaryBytes: ReadonlyMap<ValueName, number>
}

/** Of one value; scales and table entries come on top. Ternary: where a layer was not packed. */
const BYTES = { ternary: 0.25, int8: 1, fp16: 2 } as const

/** Of a layer that alone makes the outputs no numbers. */
const UNBOUNDED = 1e12

/** Rounding to 11 bits instead of 8: squared. */
const HALF_ERROR = 1 / 8 ** 2

/**
 * What each ternary layer loses and takes in each of its forms.
 * @param distances measured, because what a layer loses of its own output says little of what the outputs lose: a first
 * layer's error grows on its way, a last one's is added to many others
 * @param ternaryBytes of layers as they were packed with all of them ternary
 * @param rest how everything else is stored: no layer needs more
 */
export function layerForms(
  choices: readonly LayerChoice[],
  { distances, ternaryBytes }: LayerMeasures,
  rest: RestPrecision,
): LayerForms[] {
  return choices.flatMap(({ weight, dims, elementType }): LayerForms[] => {
    const distance = distances.get(weight)
    if (distance === undefined) return []
    const [ternary, int8] = [squared(distance.ternary), squared(distance.int8)]
    const size = elementCount(dims)
    const form = (precision: keyof typeof BYTES, error: number): LayerForm => ({
      precision,
      error,
      bytes: (precision === 'ternary' ? ternaryBytes.get(weight) : undefined) ?? BYTES[precision] * size,
    })
    const half = rest === 'int8' || !isFloat16Type(elementType) ? [] : [form('fp16', int8 * HALF_ERROR)]
    // As it is, which `--rest fp32` means whatever the type.
    const full: LayerForm[] =
      rest === 'fp32' ? [{ precision: 'fp32', error: 0, bytes: byteLength(elementType, size) }] : []
    return [{ name: weight, forms: [form('ternary', ternary), form('int8', int8), ...half, ...full] }]
  })
}

function squared(distance: number): number {
  return Number.isFinite(distance) ? distance ** 2 : UNBOUNDED
}

/** What all layers lose together when all are ternary. */
export function wholeError(layers: readonly LayerForms[]): number {
  return layers.reduce((sum, { forms }) => sum + (forms[0] as LayerForm).error, 0)
}

export type ChosenForms = ReadonlyMap<ValueName, LayerForm>

/** The smallest forms that lose no more than a share of what all ternary layers lose. One stays ternary at least. */
export function formsWithinError(layers: readonly LayerForms[], share: number): ChosenForms {
  const items = layers.map(({ forms }) => forms.map(({ error, bytes }) => ({ weight: error, cost: bytes })))
  const chosen = knapsack(items, share * wholeError(layers))
  // Where nothing fits, as little as can be lost.
  return keepOneTernary(layers, chosen ?? layers.map(({ forms }) => forms.length - 1))
}

/**
 * The forms that lose least and take no more than so many bytes on top of what all ternary layers take. One stays
 * ternary at least.
 */
export function formsWithinBytes(layers: readonly LayerForms[], bytes: number): ChosenForms {
  const items = layers.map(({ forms }) =>
    forms.map((form) => ({ weight: form.bytes - (forms[0] as LayerForm).bytes, cost: form.error })),
  )
  return keepOneTernary(layers, knapsack(items, Math.max(0, bytes)) ?? layers.map(() => 0))
}

function keepOneTernary(layers: readonly LayerForms[], chosen: readonly number[]): ChosenForms {
  const ternaryError = ({ forms }: LayerForms): number => (forms[0] as LayerForm).error
  const one = layers.reduce((least, layer) => (ternaryError(layer) < ternaryError(least) ? layer : least))
  const isNone = chosen.every((form) => form > 0)
  return new Map(
    layers.map((layer, i) => [
      layer.name,
      layer.forms[isNone && layer === one ? 0 : (chosen[i] as number)] as LayerForm,
    ]),
  )
}

/** The choices with fewer ternary layers, and how the others are stored. @param why stands in the layers' reasons */
export function withForms(
  choices: readonly LayerChoice[],
  layers: readonly LayerForms[],
  chosen: ChosenForms,
  why: string,
): LayerChoice[] {
  const alone = new Map(layers.map(({ name, forms }) => [name, Math.sqrt((forms[0] as LayerForm).error)]))
  return choices.map((choice) => {
    const form = chosen.get(choice.weight)
    if (form === undefined || form.precision === 'ternary') return choice
    const reason = `${why}: ternary by itself, it moves the outputs by ${alone.get(choice.weight)?.toPrecision(2)} %`
    return { ...choice, ternary: false, reason }
  })
}

/** How layers are stored that could be ternary and are not: exceptions for roundRest. */
export function storedForms(chosen: ChosenForms): Map<ValueName, RestPrecision> {
  return new Map(
    [...chosen].flatMap(([name, { precision }]) => (precision === 'ternary' ? [] : [[name, precision] as const])),
  )
}

/** Shares that are tried. */
const ROUNDS = 6
const LEAST_SHARE = 1e-3

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
  let next = Math.max(LEAST_SHARE, Math.min(0.9, first))
  for (let round = 0; round < ROUNDS; round++) {
    if (await isHeld(next)) holds = next
    else fails = next
    next = holds === 0 ? fails / 4 : Math.sqrt(holds * fails)
  }
  return holds === 0 ? undefined : holds
}
