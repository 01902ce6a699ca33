// Several processes that do one job together, each called a rank: what work has to know of the others. Without others,
// there is one rank that is alone. The ranks of MPI are mpi-ranks.ts.
import type { ExchangeName } from '../options/choices.js'
import type { RankLink } from './rank-link.js'

export interface Ranks {
  /** Which of them this process is, 0..count-1. Rank 0 writes and prints; the others do the same work in silence. */
  readonly rank: number
  readonly count: number
  /** Threads for the work of this process; undefined: one per core. */
  readonly threads: number | undefined
  /** What the threads of replicas meet those of other ranks by; undefined for a rank that is alone. */
  readonly link: RankLink | undefined
  /**
   * What each rank says, in the order of the ranks. All ranks ask for the same in the same order; plain data, typed
   * arrays and maps pass.
   * @param about what it is, by which ranks that have parted are found
   * @throws TtqError when another rank fails
   */
  gather<T>(about: string, value: T): Promise<readonly T[]>
  /** How gradients are exchanged; all ranks say the same, before they train. */
  useExchange(exchange: ExchangeName): void
  /** From here on, an interruption of one rank waits until all of them know of it: see `wantsToStop`. */
  holdInterruption(): void
  /** Ends that. */
  allowInterruption(): void
  /** The signal that interrupted this rank while it waits for the others to know. */
  readonly wantsToStop: string | undefined
  /** All ranks know of the signal that interrupted one of them: all of them are interrupted now. */
  stop(signal: string): void
}

export const ALONE: Ranks = {
  rank: 0,
  count: 1,
  threads: undefined,
  link: undefined,
  gather: (_about, value) => Promise.resolve([value]),
  useExchange: () => undefined,
  holdInterruption: () => undefined,
  allowInterruption: () => undefined,
  wantsToStop: undefined,
  stop: () => undefined,
}

/** The part of `count` things in order that a rank takes, when each takes every `ranks.count`-th. */
export function isOwn({ rank, count }: Pick<Ranks, 'rank' | 'count'>, index: number): boolean {
  return index % count === rank
}
