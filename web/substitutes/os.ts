// What the library uses of node:os.

/** Threads have a WebAssembly memory of their own each, so there is an end to them. */
const MOST_THREADS = 8

/** @see import('node:os').availableParallelism */
export function availableParallelism(): number {
  return Math.min(navigator.hardwareConcurrency, MOST_THREADS)
}
