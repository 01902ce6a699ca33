// Small tensors together: the highest bytes of all their elements, then the next ones and so on, because the bytes with
// sign and exponent deflate well and the others hardly. What the tensors are is encodings.ts.

/** Element sizes that are taken apart, bytes. */
export const POOL_WIDTHS = [1, 2, 4, 8, 16] as const

export type PoolWidth = (typeof POOL_WIDTHS)[number]

/** A tensor's place among the others. */
export interface Pooled {
  /** Bytes, a multiple of the width. */
  readonly length: number
  readonly width: PoolWidth
}

/** One byte of all elements of a width. */
export interface Plane {
  /** Bytes. */
  length: number
  width: PoolWidth
  /** Of an element: 0 is the lowest. */
  byte: number
  /** Where the tensors with elements of this width lie. */
  runs: readonly { start: number; length: number }[]
}

/**
 * The planes of tensors that lie one behind another, from the widest elements to single bytes, of each from the highest
 * byte to the lowest. Widths of which there is nothing have none.
 */
export function planesOf(tensors: readonly Pooled[]): Plane[] {
  let at = 0
  const placed = tensors.map(({ length, width }) => {
    const start = at
    at += length
    return { start, length, width }
  })
  return [...POOL_WIDTHS].reverse().flatMap((width) => {
    const runs = placed.filter((tensor) => tensor.width === width && tensor.length > 0)
    const length = runs.reduce((sum, run) => sum + run.length / width, 0)
    return Array.from({ length: length === 0 ? 0 : width }, (_, i) => ({ length, width, byte: width - 1 - i, runs }))
  })
}

/** @param bytes those of all tensors, one behind another */
export function splitPool(bytes: Uint8Array, tensors: readonly Pooled[]): Uint8Array[] {
  return planesOf(tensors).map((plane) => {
    const split = new Uint8Array(plane.length)
    let at = 0
    for (const { start, length } of plane.runs)
      for (let i = start + plane.byte; i < start + length; i += plane.width) split[at++] = bytes[i] as number
    return split
  })
}

/** The reverse. @param split those of planesOf, each as long as it says */
export function joinPool(split: readonly Uint8Array[], tensors: readonly Pooled[]): Uint8Array {
  const bytes = new Uint8Array(tensors.reduce((sum, { length }) => sum + length, 0))
  planesOf(tensors).forEach(({ width, byte, runs }, plane) => {
    let at = 0
    for (const { start, length } of runs)
      for (let i = start + byte; i < start + length; i += width) bytes[i] = (split[plane] as Uint8Array)[at++] as number
  })
  return bytes
}
