// The exchanges there are. A new one is a file of its own, a row here, and the case that it is for.
import { type AcrossRanks, acrossRanks } from './across-ranks.js'
import { type Alone, alone } from './alone.js'
import type { Exchange, ExchangedVectors, ExchangeKind, Gathering } from './exchange.js'
import { type SharedMemory, sharedMemory } from './shared-memory.js'

/** Where the replicas of a training meet. */
export type Meeting = Alone | SharedMemory | AcrossRanks

const EXCHANGES: { readonly [Kind in Meeting['kind']]: ExchangeKind<Extract<Meeting, { kind: Kind }>> } = {
  alone,
  'shared memory': sharedMemory,
  'across ranks': acrossRanks,
}

/** The exchange for the replicas in the threads of this process, and those of other ranks where there are any. */
export function arrangeExchange(gathering: Gathering): Meeting {
  const kind = gathering.link !== undefined ? 'across ranks' : gathering.replicas === 1 ? 'alone' : 'shared memory'
  return EXCHANGES[kind].arrange(gathering)
}

export function joinExchange(meeting: Meeting, vectors: ExchangedVectors): Exchange {
  return (EXCHANGES[meeting.kind] as ExchangeKind<Meeting>).join(meeting, vectors)
}
