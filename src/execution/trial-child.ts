// Entry point of the trial process: serves the calls of trial-process.ts, one after the other.
import { readSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { TtqError } from '../errors/ttq-error.js'
import type { Feeds, LoadedGraph, LoadOptions, Results } from '../runtime/engine.js'
import { type EngineName, ENGINES } from '../runtime/engines.js'
import type { Tensor } from '../tensor/tensor.js'
import { type CallFailure, failureOf } from './call-failure.js'

/** Graphs go by numbers of the caller's choice; the bytes of a model follow on a pipe of their own. */
export type TrialCall =
  | { call: 'load'; graph: number; bytes: number; options: LoadOptions }
  | { call: 'run'; graph: number; feeds: Feeds; outputs: readonly string[] | undefined; isGiven: boolean }
  | { call: 'release'; graph: number }
/** With the bytes that it may take beside what the process has. */
export type TrialRequest = { id: number; memory: number } & TrialCall
export type TrialReply = { id: number; result: Results | undefined } | { id: number; failure: CallFailure }

/** The file descriptor on which models arrive. */
export const MODELS = 4

const engine = ENGINES[process.argv[2] as EngineName]
const graphs = new Map<number, LoadedGraph>()
const limit = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT))

/** Bytes that the process takes before it loads anything, generously. */
const OWN_BYTES = 256 * 2 ** 20

async function answer(request: TrialRequest): Promise<Results | undefined> {
  // What calls before have left is not this one's: the collector comes when it likes.
  limit[0] = Math.max(OWN_BYTES, process.memoryUsage.rss()) + request.memory
  switch (request.call) {
    case 'load':
      graphs.set(request.graph, await engine.load(readModel(request.bytes), request.options))
      return undefined
    case 'run': {
      const results = await graphs.get(request.graph)?.run(request.feeds, request.outputs)
      if (!request.isGiven) return undefined
      checkSize(Object.values(results ?? {}).reduce((sum, { data }) => sum + sizeOf(data), 0))
      return results
    }
    case 'release':
      await graphs.get(request.graph)?.release()
      graphs.delete(request.graph)
      return undefined
  }
}

/** Of what a run gives: longer messages lose their length on the way. */
const MOST_PASSED = 2 ** 30

// What takes more memory than it may is not passed on, even if nobody was quick enough to see it.
function checkSize(bytes: number): void {
  if (bytes > (limit[0] as number)) process.kill(process.pid, 'SIGKILL')
  if (bytes <= MOST_PASSED) return
  throw new TtqError(
    'runtime',
    `onnxruntime: the outputs take ${Math.round(bytes / 2 ** 20)} MB, expected at most ${MOST_PASSED / 2 ** 20} ` +
      'MB on a trial',
  )
}

function sizeOf(data: Tensor['data']): number {
  return 'byteLength' in data ? data.byteLength : 0
}

function readModel(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    const read = readSync(MODELS, bytes, done, length - done, null)
    if (read === 0) process.exit()
    done += read
  }
  return bytes
}

// The engine blocks this thread; another one sees to it that the process takes no more memory than it may, and does not
// outlive its parent.
const WATCH = `
const { workerData } = require('node:worker_threads')
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent || process.memoryUsage.rss() > workerData[0]) process.kill(process.pid, 'SIGKILL')
}, 20)`

if (process.send !== undefined) {
  new Worker(WATCH, { eval: true, execArgv: [], workerData: limit }).unref()
  limit[0] = Infinity
  // Ctrl-C is the parent's business.
  process.on('SIGINT', () => undefined)
  process.on('disconnect', () => process.exit())
  let queue: Promise<void> = Promise.resolve()
  process.on('message', (request: TrialRequest) => {
    queue = queue.then(async () => {
      const { id } = request
      let reply: TrialReply
      try {
        reply = { id, result: await answer(request) }
      } catch (error) {
        reply = { id, failure: failureOf(error) }
      }
      process.send?.(reply)
    })
  })
}
