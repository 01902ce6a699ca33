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

interface Plane {
  width: PoolWidth
  /** Of an element: 0 is the lowest. */
  byte: number
  /** Where the tensors with elements of this width lie. */
  runs: readonly { start: number; length: number }[]
}

// From the widest elements to single bytes, of each from the highest byte to the lowest.
function planesOf(tensors: readonly Pooled[]): Plane[] {
  let at = 0
  const placed = tensors.map(({ length, width }) => {
    const start = at
    at += length
    return { start, length, width }
  })
  return [...POOL_WIDTHS].reverse().flatMap((width) => {
    const runs = placed.filter((tensor) => tensor.width === width)
    return Array.from({ length: width }, (_, i) => ({ width, byte: width - 1 - i, runs }))
  })
}

/** @param bytes those of all tensors, one behind another */
export function splitPool(bytes: Uint8Array, tensors: readonly Pooled[]): Uint8Array[] {
  return planesOf(tensors).map(({ width, byte, runs }) => {
    const plane = new Uint8Array(runs.reduce((sum, { length }) => sum + length / width, 0))
    let at = 0
    for (const { start, length } of runs)
      for (let i = start + byte; i < start + length; i += width) plane[at++] = bytes[i] as number
    return plane
  })
}

/** The reverse. @param planes all of them, one behind another, as long as all tensors */
export function joinPool(planes: Uint8Array, tensors: readonly Pooled[]): Uint8Array {
  const bytes = new Uint8Array(planes.length)
  let at = 0
  for (const { width, byte, runs } of planesOf(tensors)) {
    for (const { start, length } of runs)
      for (let i = start + byte; i < start + length; i += width) bytes[i] = planes[at++] as number
  }
  return bytes
}
