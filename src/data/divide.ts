// Samples of one part, divided in two.
import { randomSource, shuffledIndices } from './random.js'

/** The share of the samples that is put aside to test on. */
const SHARE = 0.2

/**
 * Which samples to learn from and which to test on, where a dataset does not say. The same for every run: what one run
 * has learned from, another must not test on, whatever its seed.
 */
export function divided(size: number): { train: Uint32Array; test: Uint32Array } {
  const order = shuffledIndices(size, randomSource(0, 'divide'))
  const count = Math.max(1, Math.round(SHARE * size))
  return { train: order.slice(count).sort(), test: order.slice(0, count).sort() }
}
