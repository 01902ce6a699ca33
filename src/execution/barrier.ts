// Threads waiting for one another over shared memory.

/** Bytes of shared memory that one barrier takes. */
export const BARRIER_BYTES = 12

const ARRIVED = 0
const ROUND = 1
const BROKEN = 2

/** A reusable barrier among `size` threads; all of them make it over the same zeroed shared memory. */
export class Barrier {
  private readonly cells: Int32Array

  constructor(
    memory: SharedArrayBuffer,
    private readonly size: number,
  ) {
    this.cells = new Int32Array(memory, 0, 3)
  }

  /**
   * Blocks this thread until all `size` threads have called it. Not for a main thread: it must not block.
   * @throws Error when another thread has called `break`
   */
  wait(): void {
    const round = Atomics.load(this.cells, ROUND)
    this.checkWhole()
    if (Atomics.add(this.cells, ARRIVED, 1) === this.size - 1) {
      Atomics.store(this.cells, ARRIVED, 0)
      Atomics.add(this.cells, ROUND, 1)
      Atomics.notify(this.cells, ROUND)
    } else {
      while (Atomics.load(this.cells, ROUND) === round) Atomics.wait(this.cells, ROUND, round)
    }
    this.checkWhole()
  }

  /** Lets all threads that wait, or ever will, go with an error: for a thread that cannot go on. */
  break(): void {
    Atomics.store(this.cells, BROKEN, 1)
    Atomics.add(this.cells, ROUND, 1)
    Atomics.notify(this.cells, ROUND)
  }

  private checkWhole(): void {
    if (Atomics.load(this.cells, BROKEN) === 1) throw new Error('internal: another replica failed')
  }
}
