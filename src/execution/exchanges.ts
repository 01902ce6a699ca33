// The exchanges there are. A new one is a file of its own, a row here, and the case that it is for.
import { type Alone, alone } from './alone.js'
import type { Exchange, ExchangedVectors, ExchangeKind } from './exchange.js'
import { type SharedMemory, sharedMemory } from './shared-memory.js'

/** Where the replicas of a training meet. */
export type Meeting = Alone | SharedMemory

const EXCHANGES: { readonly [Kind in Meeting['kind']]: ExchangeKind<Extract<Meeting, { kind: Kind }>> } = {
  alone,
  'shared memory': sharedMemory,
}

/** The exchange for so many replicas in the threads of this process. @param floats parameters in all */
export function arrangeExchange(replicas: number, floats: number): Meeting {
  return EXCHANGES[replicas === 1 ? 'alone' : 'shared memory'].arrange(replicas, floats)
}

export function joinExchange(meeting: Meeting, vectors: ExchangedVectors): Exchange {
  return (EXCHANGES[meeting.kind] as ExchangeKind<Meeting>).join(meeting, vectors)
}
