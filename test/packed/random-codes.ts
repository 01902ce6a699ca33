// Random material for this room's tests, from a generator of its own (Park and Miller's minimal standard).

/** Uniform numbers in [0, 1) from a seed of at least 1. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return (state - 1) / 2147483646
  }
}

export function randomCodes(random: () => number, length: number): Int8Array {
  return Int8Array.from({ length }, () => Math.floor(random() * 3) - 1)
}
