// Seeded random numbers: everything random in training draws from here, so that a seed fixes the result.
import { sha256 } from '@noble/hashes/sha2.js'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'
import { TtqError } from '../errors/ttq-error.js'
import { kindOf } from './thrown.js'

/** A stream of random numbers; two streams made from the same seed and labels are equal. */
export interface RandomSource {
  /** Uniform integer in [0, bound), 1 <= bound <= 2^31. @throws TtqError `usage` for another bound */
  int(bound: number): number
  /** Uniform in [0, 1). */
  float(): number
  /** Where the stream is, as four 32-bit words, from which `resumeRandomSource` goes on in another thread. */
  state(): readonly number[]
}

/**
 * The stream of this seed and these labels, e.g. `randomSource(seed, 'augment', step)`; it depends on nothing else, so
 * work that runs in any order or on any thread draws the same numbers. The xoroshiro128+ state is the first 128 bits of
 * the SHA-256 of the JSON text `[seed, ...labels]` (little-endian 32-bit words): different labels give unrelated
 * streams.
 */
export function randomSource(seed: number, ...labels: (number | string)[]): RandomSource {
  const digest = sha256(new TextEncoder().encode(JSON.stringify([seed, ...labels])))
  const words = new DataView(digest.buffer, digest.byteOffset)
  return resumeRandomSource([0, 4, 8, 12].map((at) => words.getInt32(at, true)))
}

/** The stream that goes on from such a state. */
export function resumeRandomSource(state: readonly number[]): RandomSource {
  const generator = xoroshiro128plusFromState([...state])
  return {
    int: (bound) => uniformInt(generator, 0, checkedBound(bound) - 1),
    float: () => uniformFloat64(generator),
    state: () => generator.getState(),
  }
}

const MOST_BOUND = 2 ** 31

// Loaders draw from it too. Of what is no number, or of none, drawing would never come to an end.
function checkedBound(bound: number): number {
  if (Number.isInteger(bound) && bound >= 1 && bound <= MOST_BOUND) return bound
  throw new TtqError(
    'usage',
    `random.int: bound is ${kindOf(bound)}, expected a whole number from 1 to ${MOST_BOUND}`,
    { facts: { argument: 'bound' } },
  )
}

/** The indices 0..count-1, every order equally likely (Fisher-Yates). */
export function shuffledIndices(count: number, random: RandomSource): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let last = count - 1; last > 0; last--) {
    const other = random.int(last + 1)
    const moved = order[last] as number
    order[last] = order[other] as number
    order[other] = moved
  }
  return order
}

/** A number of the standard normal distribution (Box and Muller 1958). */
export function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float())
}
