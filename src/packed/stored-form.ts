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

export type StoredForm = RestForm | { readonly encoding: 'raw' } | ({ readonly encoding: 'ternary2' } & TernaryWeights)
