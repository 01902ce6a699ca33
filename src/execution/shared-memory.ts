// The exchange between threads of one process: memory that all of them see. ONNX Runtime refuses tensors over it, so
// replicas copy in and out.
import { Barrier, BARRIER_BYTES } from './barrier.js'
import type { Exchange, ExchangedVectors, ExchangeKind } from './exchange.js'

export interface SharedMemory {
  kind: 'shared memory'
  barrier: SharedArrayBuffer
  /** Per replica: all gradients, laid out flat. */
  gradients: readonly SharedArrayBuffer[]
  /** All parameters, laid out flat. */
  parameters: SharedArrayBuffer
  /** Twice one float64 per replica. */
  numbers: SharedArrayBuffer
}

export const sharedMemory: ExchangeKind<SharedMemory> = {
  arrange: ({ replicas, floats }) => {
    const bytes = floats * Float32Array.BYTES_PER_ELEMENT
    return {
      kind: 'shared memory',
      barrier: new SharedArrayBuffer(BARRIER_BYTES),
      gradients: Array.from({ length: replicas }, () => new SharedArrayBuffer(bytes)),
      parameters: new SharedArrayBuffer(bytes),
      numbers: new SharedArrayBuffer(2 * replicas * Float64Array.BYTES_PER_ELEMENT),
    }
  },
  join: (meeting, vectors) => new SharedMemoryExchange(meeting, vectors),
}

class SharedMemoryExchange implements Exchange {
  readonly mean: Float32Array
  waitedMs = 0
  private readonly barrier: Barrier
  private readonly gradients: readonly Float32Array[]
  private readonly parameters: Float32Array
  /** Used by turns: whoever is one sum ahead must not write over what others still read. */
  private readonly numbers: readonly [Float64Array, Float64Array]
  private sums = 0

  constructor(
    { barrier, gradients, parameters, numbers }: SharedMemory,
    private readonly own: ExchangedVectors,
  ) {
    const replicas = gradients.length
    this.barrier = new Barrier(barrier, replicas)
    this.gradients = gradients.map((memory) => new Float32Array(memory))
    this.parameters = new Float32Array(parameters)
    const all = new Float64Array(numbers)
    this.numbers = [all.subarray(0, replicas), all.subarray(replicas)]
    this.mean = new Float32Array(own.size)
  }

  reduce(): void {
    const { mean, gradients } = this
    const { rank, offset, size } = this.own
    gradients[rank]?.set(this.own.gradients)
    this.wait()
    mean.set((gradients[0] as Float32Array).subarray(offset, offset + size))
    for (const other of gradients.slice(1)) {
      for (let i = 0; i < size; i++) mean[i] = (mean[i] as number) + (other[offset + i] as number)
    }
    const share = 1 / gradients.length
    if (share !== 1) for (let i = 0; i < size; i++) mean[i] = (mean[i] as number) * share
  }

  addUp(value: number): number {
    const numbers = this.numbers[(this.sums++ % 2) as 0 | 1]
    numbers[this.own.rank] = value
    this.wait()
    return numbers.reduce((sum, each) => sum + each, 0)
  }

  // The barrier also keeps gradients from being written over before all have read them.
  share(): void {
    const { parameters, offset, size } = this.own
    this.parameters.set(parameters.subarray(offset, offset + size), offset)
    this.wait()
    parameters.set(this.parameters)
  }

  abandon(): void {
    this.barrier.break()
  }

  private wait(): void {
    const start = performance.now()
    this.barrier.wait()
    this.waitedMs += performance.now() - start
  }
}
