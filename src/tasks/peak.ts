// Images among outputs, and the measure that images are compared by.
import type { MetricRule, Tally } from './task.js'

/** Rows and columns from which on four dimensions are taken for an image. */
const LEAST_SIDE = 8

/**
 * From the smallest value to the largest that an image may have: 1, 2 (from -1 to 1) or 255, by the values that there
 * are; undefined where the shape is not that of images of 1, 3 or 4 channels.
 */
export function peakOf(dims: readonly number[], values: ArrayLike<number> | undefined): number | undefined {
  const [, first = 0, second = 0, last = 0] = dims
  const isImage = (channels: number, ...sides: number[]): boolean =>
    [1, 3, 4].includes(channels) && sides.every((side) => side >= LEAST_SIDE)
  if (dims.length !== 4 || !(isImage(first, second, last) || isImage(last, first, second))) return undefined
  let [lowest, highest] = [0, 0]
  for (let i = 0; i < (values?.length ?? 0); i++) {
    lowest = Math.min(lowest, values?.[i] as number)
    highest = Math.max(highest, values?.[i] as number)
  }
  if (highest > 2.5) return 255
  return lowest < -0.25 ? 2 : 1
}

/** Peak signal-to-noise ratio: 10 log10(peak^2 / mean squared error). */
export function psnr(meanSquare: (tally: Tally) => number, peak: number, key = 'psnr', name = 'PSNR'): MetricRule {
  return {
    key,
    name,
    unit: 'dB',
    better: 'higher',
    of: (tally) => 10 * Math.log10(peak ** 2 / meanSquare(tally)),
  }
}
