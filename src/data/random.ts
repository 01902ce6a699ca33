// Seeded random numbers: everything random in training draws from here, so that a seed fixes the result.
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** A stream of random numbers; two streams made from the same seed and labels are equal. */
export interface RandomSource {
  /** Uniform integer in [0, bound), 1 <= bound <= 2^31. */
  int(bound: number): number
  /** Uniform in [0, 1). */
  float(): number
}

export declare function randomSource(seed: number, ...labels: (number | string)[]): RandomSource
void xoroshiro128plus
