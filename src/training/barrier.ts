// Threads waiting for one another over shared memory.

/** Bytes of shared memory that one barrier takes. */
export const BARRIER_BYTES = 8

/** A reusable barrier among `size` threads; all of them make it over the same zeroed shared memory. */
export class Barrier {
  private readonly cells: Int32Array

  constructor(memory: SharedArrayBuffer, private readonly size: number) {
    this.cells = new Int32Array(memory, 0, 2)
  }

  /** Blocks this thread until all `size` threads have called it. Not for a main thread: it must not block. */
  wait(): void {
    const round = Atomics.load(this.cells, 1)
    if (Atomics.add(this.cells, 0, 1) === this.size - 1) {
      Atomics.store(this.cells, 0, 0)
      Atomics.add(this.cells, 1, 1)
      Atomics.notify(this.cells, 1)
    } else {
      while (Atomics.load(this.cells, 1) === round) Atomics.wait(this.cells, 1, round)
    }
  }
}
