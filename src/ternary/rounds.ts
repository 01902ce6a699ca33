// Chunks of samples that the threads of all ranks share: in each round, every thread has one, and every rank is told
// what all of them gave, in the order of the samples.
import type { Ranks } from '../execution/ranks.js'
import type { Results } from '../runtime/engine.js'
import type { DataType } from '../tensor/data-type.js'

/** What one chunk of samples gave. */
export interface ChunkResults {
  samples: number
  results: Results
}

/** The same with the types of what was kept where it was computed, by name. */
export interface DoneChunk extends ChunkResults {
  types: Readonly<Record<string, DataType>>
}

/** Rounds whose results are on their way to other ranks while the next one is computed. */
const AHEAD = 2

export class Rounds {
  readonly count: number
  // Threads do not keep step: what comes early waits.
  private readonly early = new Map<number, DoneChunk>()
  private readonly taken: Promise<void>[] = []
  private types: DoneChunk['types'] = {}

  /**
   * @param threads of each rank
   * @param take is given what each chunk gave, in the order of the samples
   */
  constructor(
    private readonly ranks: Ranks,
    private readonly threads: number,
    private readonly chunks: number,
    private readonly take: (chunk: ChunkResults) => void,
  ) {
    this.count = Math.ceil(chunks / (threads * ranks.count))
  }

  /** The chunk of a thread of this rank; there are none from `chunks` on. */
  chunkOf(round: number, thread: number): number {
    const { threads, ranks } = this
    return (round * ranks.count + ranks.rank) * threads + thread
  }

  /** Waits while too much is on its way. @throws what taking or another rank has failed of */
  async room(): Promise<void> {
    await this.taken.at(-AHEAD)
  }

  add(chunk: number, done: DoneChunk): void {
    this.early.set(chunk, done)
    this.advance()
  }

  /**
   * Waits for all that was computed.
   * @returns the types of what was kept
   * @throws what taking or another rank has failed of
   */
  async end(): Promise<DoneChunk['types']> {
    // A rank may have nothing to do in the last round, and hears of it all the same.
    this.advance()
    await Promise.all(this.taken)
    return this.types
  }

  private advance(): void {
    for (let round = this.taken.length; round < this.count; round = this.taken.length) {
      const own = Array.from({ length: this.threads }, (_, thread) => this.chunkOf(round, thread))
      const present = own.filter((i) => i < this.chunks)
      if (!present.every((i) => this.early.has(i))) return
      const done = present.map((i) => this.early.get(i) as DoneChunk)
      for (const i of present) this.early.delete(i)
      const before = this.taken.at(-1)
      const taken = this.share(done, before)
      // Whoever waits for it is told; until then it is nobody's.
      taken.catch(() => undefined)
      this.taken.push(taken)
    }
  }

  private async share(own: readonly DoneChunk[], before: Promise<void> | undefined): Promise<void> {
    const parts = (await this.ranks.gather('what layers are given', own)).flat()
    await before
    for (const { types, ...chunk } of parts) {
      this.types = types
      this.take(chunk)
    }
  }
}
