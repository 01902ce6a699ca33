// Runs a piece of code on several ranks of a stand-in, each in a thread of its own.
import { Worker } from 'node:worker_threads'
import type { StandIn } from './stand-in.js'

const at = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

/** What the code sees besides `rank`, `given`, and `say(result)`, which ends the thread. */
const PRELUDE = `
import { parentPort, workerData } from 'node:worker_threads'
import { standIn } from ${at('./stand-in.js')}
import { Communicator, MpiLibrary } from ${at('../../src/mpi/mpi-library.js')}
import { MpiRanks } from ${at('../../src/execution/mpi-ranks.js')}
import { acrossRanks } from ${at('../../src/execution/across-ranks.js')}
import { sharedMemory } from ${at('../../src/execution/shared-memory.js')}
import { TtqError } from ${at('../../src/errors/ttq-error.js')}
const { arranged, rank, given } = workerData
const foreign = standIn(arranged, rank)
const say = (result) => { parentPort.postMessage(result); process.exit() }
const open = (signal = new AbortController().signal) =>
  MpiRanks.open(MpiLibrary.open(foreign, 'libmpi'), { rank, size: arranged.ranks, variable: 'SIZE', isOpenMpi: false }, signal)
`

/** One thread of a rank. @param code a module's, which calls `say` once @returns what it says */
export function onRank<T>(arranged: StandIn, rank: number, code: string, given?: unknown): Promise<T> {
  const url = new URL(`data:text/javascript,${encodeURIComponent(PRELUDE + code)}`)
  const worker = new Worker(url, { workerData: { arranged, rank, given } })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => {
      reject(new Error(`rank ${rank} said nothing`))
    })
  })
}

/** The same on all of them. */
export async function onRanks<T>(arranged: StandIn, code: string, given?: unknown): Promise<T[]> {
  const ranks = Array.from({ length: arranged.ranks }, (_, rank) => rank)
  return await Promise.all(ranks.map((rank) => onRank<T>(arranged, rank, code, given)))
}
