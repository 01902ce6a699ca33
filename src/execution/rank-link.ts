// How the threads of one rank reach those of the others, as plain data that can be sent to any thread.
import type { MpiPlace } from '../mpi/mpi-library.js'
import type { ExchangeName } from '../options/choices.js'

export interface RankLink {
  rank: number
  count: number
  place: MpiPlace
  exchange: ExchangeName
  /** One int32: 1 when another rank has failed, and nobody may wait any longer. */
  abandoned: SharedArrayBuffer
}
