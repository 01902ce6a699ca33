// Whether a fall of accuracy is within a bound.

/**
 * Far below one sample of any test set, far above the rounding of differences of percentages: 99.45 - 99.35 is not
 * beyond 0.1.
 */
const ROUNDING = 1e-6

/** @param drop points of top-1 lost @param maxDrop points that may be lost */
export function isBeyond(drop: number, maxDrop: number): boolean {
  return drop > maxDrop + ROUNDING
}
