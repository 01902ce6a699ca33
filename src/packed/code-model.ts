// How likely each ternary code is, given its surroundings: what an entropy-coded tensor is read with. Which
// surroundings a code has, and the coder itself, are entropy-codec.ts.
//
// A context is 16 x (how busy the column is, 0 to 5) + 4 x (the code to the left) + (the code above), codes as their
// two bits (00, 01, 11), 10 where there is none. Measured on ResNet-20 (267,264 weights, layer by layer on made-up
// images), bits per weight, 112 bytes of model included: this 1.379 (shared by all layers) and 1.371 (the last one its
// own); neighbours alone 1.396, no context 1.506; how busy the row is, the place in the kernel or the number of zeros
// in the kernel so far add less than their probabilities take. Probabilities that adapt after 1, 2, 4, ... groups of
// rows give
// 1.374 and take a counter per weight when reading.
import { NONCONFORMING, packedError } from './packed-error.js'

/** Contexts of "is it zero?"; the sign looks at the neighbours alone. */
export const CONTEXTS = 96
const SIGN_CONTEXTS = 16

export const MODEL_BYTES = CONTEXTS + SIGN_CONTEXTS

/** Frequencies are counted in 2^12. */
export const FREQUENCY_BITS = 12

/** Entries of a table per context: starts of the three codes' intervals, one unused, their lengths, one unused. */
export const TABLE_STEP = 8

/** Probabilities as they stand in the file. */
export interface CodeModel {
  /** Of zero, 1 to 255 of 256, by context. */
  readonly zeros: Uint8Array
  /** Of +1 among what is not zero, 0 to 255 of 256, by neighbours. */
  readonly signs: Uint8Array
}

/** How often each code was met in each context: 3 x context, plus 0 for zero, 1 for +1, 2 for -1. */
export type CodeCounts = Float64Array

export function emptyCounts(): CodeCounts {
  return new Float64Array(3 * CONTEXTS)
}

/** Counts of codes that have these contexts. */
export function countInContexts(codes: Int8Array, contexts: Uint8Array): CodeCounts {
  const counts = emptyCounts()
  // A code's two bits are 0, 1 or 3.
  for (let i = 0; i < codes.length; i++) {
    const bits = (codes[i] as number) & 3
    counts[3 * (contexts[i] as number) + bits - (bits >> 1)]! += 1
  }
  return counts
}

/** The probabilities nearest to what was counted. */
export function fitModel(counts: CodeCounts): CodeModel {
  const zeros = new Uint8Array(CONTEXTS)
  const [positives, others] = [new Float64Array(SIGN_CONTEXTS), new Float64Array(SIGN_CONTEXTS)]
  for (let context = 0; context < CONTEXTS; context++) {
    const [zero, plus, minus] = counts.subarray(3 * context) as unknown as [number, number, number]
    zeros[context] = share(zero, zero + plus + minus, 1)
    positives[context % SIGN_CONTEXTS]! += plus
    others[context % SIGN_CONTEXTS]! += plus + minus
  }
  const signs = Uint8Array.from(positives, (plus, context) => share(plus, others[context] as number, 0))
  return { zeros, signs }
}

function share(part: number, whole: number, least: number): number {
  return whole === 0 ? 128 : Math.max(least, Math.min(255, Math.round((256 * part) / whole)))
}

/** The intervals of all contexts, TABLE_STEP numbers each, out of 2^FREQUENCY_BITS. None is empty. */
export function intervals({ zeros, signs }: CodeModel): Int32Array {
  const table = new Int32Array(CONTEXTS * TABLE_STEP)
  for (let context = 0; context < CONTEXTS; context++) {
    const zero = 16 * (zeros[context] as number)
    const rest = 2 ** FREQUENCY_BITS - zero
    const plus = 1 + (((rest - 2) * (signs[context % SIGN_CONTEXTS] as number)) >> 8)
    table.set([0, zero, zero + plus, 0, zero, plus, rest - plus, 0], TABLE_STEP * context)
  }
  return table
}

/** Bits that what was counted takes with these probabilities. */
export function costOf(counts: CodeCounts, model: CodeModel): number {
  const table = intervals(model)
  let bits = 0
  for (let context = 0; context < CONTEXTS; context++) {
    for (let symbol = 0; symbol < 3; symbol++) {
      const count = counts[3 * context + symbol] as number
      const length = table[TABLE_STEP * context + 4 + symbol] as number
      if (count > 0) bits += count * (FREQUENCY_BITS - Math.log2(length))
    }
  }
  return bits
}

export function modelBytes({ zeros, signs }: CodeModel): Uint8Array {
  const bytes = new Uint8Array(MODEL_BYTES)
  bytes.set(zeros)
  bytes.set(signs, CONTEXTS)
  return bytes
}

/** @throws TtqError `packed` where zero would be impossible */
export function readModel(bytes: Uint8Array, where: string): CodeModel {
  const copy = new Uint8Array(bytes)
  const model = { zeros: copy.subarray(0, CONTEXTS), signs: copy.subarray(CONTEXTS, MODEL_BYTES) }
  const impossible = model.zeros.indexOf(0)
  if (impossible >= 0) throw packedError(where, `probability 0 in context ${impossible}`, '1 to 255', NONCONFORMING)
  return model
}
