// How one tensor is stored, as plain data. What each form means in bytes is its encoding's (encodings.ts).
import type { TernaryWeights } from '../tensor/ternary.js'

/**
 * Codes and scales of one tensor: element i is codes[i] times the scale of its index along `axis`, rounded to the
 * element type.
 */
export interface Int8Weights {
  readonly codes: Int8Array
  /** One per index along `axis`; positive, 127 times it finite in the element type. */
  readonly scales: Float32Array
  readonly axis: number
}

/** A full-precision tensor that is not stored as it is. Which tensors get which form is their owner's choice. */
export type RestForm = { readonly encoding: 'float16' } | ({ readonly encoding: 'int8' } & Int8Weights)

/** Ternary weights in one of the ways to store them: 2 bits, five per byte, or by their probabilities. */
export type TernaryForm =
  | ({ readonly encoding: 'ternary2' } & TernaryWeights)
  | ({ readonly encoding: 'base3' } & TernaryWeights)
  | ({
      readonly encoding: 'entropy'
      /** Index of its probabilities among those of the file. */
      readonly model: number
    } & TernaryWeights)

export type StoredForm = RestForm | { readonly encoding: 'raw' } | TernaryForm

export function isTernaryForm(form: StoredForm): form is TernaryForm {
  return 'wp' in form
}
