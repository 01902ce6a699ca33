// What the replicas of a training need of one another. The exchanges there are stand in exchanges.ts.

import type { RankLink } from './rank-link.js'

/** Who meets. */
export interface Gathering {
  /** Replicas of this process. */
  replicas: number
  /** Parameters in all. */
  floats: number
  /** What leads to other ranks; undefined where there are none. */
  link?: RankLink | undefined
  /** The part of the parameters that each rank updates, floats, in the order of the ranks and of the parameters. */
  regions: readonly number[]
}

/** What one replica brings to an exchange. */
export interface ExchangedVectors {
  /** Among the replicas of this process. */
  rank: number
  /** All gradients, laid out flat: this replica's, of its share of the batch. */
  gradients: Float32Array
  /** All parameters, laid out the same. */
  parameters: Float32Array
  /** Where the part lies that this replica updates. */
  offset: number
  size: number
}

/**
 * One replica's side of an exchange. All replicas call the same methods in the same order; sums are added up in the
 * order of the ranks, so that what comes out does not depend on which of them was faster.
 */
export interface Exchange {
  /** Mean gradients of the own part, after `reduce`. */
  readonly mean: Float32Array
  /** Milliseconds spent waiting for others so far. */
  readonly waitedMs: number
  /** Adds up the own part of the gradients over all replicas. */
  reduce(): void | Promise<void>
  /** The sum of one number of each replica. */
  addUp(value: number): number | Promise<number>
  /** Gives the own part of the parameters to all replicas, and takes theirs. */
  share(): void | Promise<void>
  /** Lets all others go with an error: for a replica that cannot go on. */
  abandon(): void
}

/** One way to exchange. */
export interface ExchangeKind<Meeting> {
  /** What all replicas are given to find one another by; it can be sent to any thread. */
  arrange(gathering: Gathering): Meeting
  join(meeting: Meeting, vectors: ExchangedVectors): Exchange
}
