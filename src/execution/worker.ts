// Entry point of the worker threads: serves the calls of worker-pool.ts, one after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { type LeastSquares, leastSquares } from '../algebra/least-squares.js'
import { type Rounded, type RoundingProblem, roundTernary } from '../algebra/round-ternary.js'
import type { DataType } from '../tensor/data-type.js'
import type { Device } from '../options/choices.js'
import type { Feeds, LoadedGraph, LoadOptions, Results } from '../runtime/engine.js'
import { type EngineName, ENGINES } from '../runtime/engines.js'
import type { Machine } from '../runtime/examine-machine.js'
import { type CallFailure, failureOf } from './call-failure.js'
import { Replica, type Rates, type ReplicaSetup, type StepTimes } from './replica.js'

/** Calls a worker answers: argument and result of each. */
export interface WorkerCalls {
  /** Loads a graph into this thread under a name of the caller's choice. */
  load: (args: { id: string; model: Uint8Array; options: LoadOptions }) => Promise<void>
  run: (args: { id: string; feeds: Feeds; outputs: readonly string[] | undefined }) => Promise<Results>
  /**
   * The same with what this thread keeps under a name as further feeds; afterwards it keeps these values there, of all
   * that the run was given and gave.
   */
  runKeeping: (args: {
    id: string
    feeds: Feeds
    outputs: readonly string[]
    kept: Kept
  }) => Promise<{ results: Results; types: Record<string, DataType> }>
  /** Lets go of all that is kept under names that begin so. */
  forget: (args: { prefix: string }) => Promise<void>
  release: (args: { id: string }) => Promise<void>
  examineMachine: (args: null) => Promise<Machine>
  /** Rounds rows of weights, problem by problem. */
  roundTernary: (args: readonly RoundingProblem[]) => Promise<Rounded[]>
  /** Rows of weights, problem by problem. */
  leastSquares: (args: { problems: readonly LeastSquares[]; ridge: number }) => Promise<Float64Array[]>
  createReplica: (args: ReplicaSetup) => Promise<void>
  step: (args: { batches: readonly Feeds[]; rates: Rates }) => Promise<number>
  snapshot: (args: null) => Promise<ReturnType<Replica['snapshot']>>
  times: (args: null) => Promise<StepTimes>
}

/** Values that stay in the thread, by their names in the graphs. */
export interface Kept {
  as: string
  names: readonly string[]
}

/**
 * A call, or the wish that the thread end after the calls before it: replicas that skipped some would leave others
 * waiting.
 */
export type WorkerRequest = { id: number; call: keyof WorkerCalls; args: unknown } | 'stop'
export type WorkerReply = { id: number; result: unknown } | { id: number; error: CallFailure }

/** What a thread is for, from its start. */
export interface WorkerSetup {
  engine: EngineName
  /** What replicas run their gradient graphs on. */
  device: Device
}

const { engine: engineName, device } = workerData as WorkerSetup
const engine = ENGINES[engineName]
const graphs = new Map<string, LoadedGraph>()
const values = new Map<string, Feeds>()
let replica: Replica | undefined

const CALLS: WorkerCalls = {
  load: async ({ id, model, options }) => {
    graphs.set(id, await engine.load(model, options))
  },
  run: async ({ id, feeds, outputs }) => await need(graphs.get(id), id).run(feeds, outputs),
  runKeeping: async ({ id, feeds, outputs, kept: { as, names } }) => {
    const given = { ...values.get(as), ...feeds }
    const wanted = [...outputs, ...names.filter((name) => !Object.hasOwn(given, name))]
    const results = await need(graphs.get(id), id).run(given, wanted)
    const all = { ...given, ...results }
    const kept = Object.fromEntries(names.map((name) => [name, need(all[name], name)]))
    values.set(as, kept)
    return {
      results: Object.fromEntries(outputs.map((name) => [name, need(results[name], name)])),
      types: Object.fromEntries(names.map((name) => [name, need(kept[name], name).type])),
    }
  },
  forget: async ({ prefix }) => {
    for (const name of values.keys()) if (name.startsWith(prefix)) values.delete(name)
    return Promise.resolve()
  },
  release: async ({ id }) => {
    await need(graphs.get(id), id).release()
    graphs.delete(id)
  },
  examineMachine: async () => await (await import('../runtime/examine-machine.js')).examineMachine(),
  roundTernary: async (problems) => Promise.resolve(problems.map(roundTernary)),
  leastSquares: async ({ problems, ridge }) => Promise.resolve(problems.map((problem) => leastSquares(problem, ridge))),
  createReplica: async (setup) => {
    await replica?.release()
    replica = await Replica.create(setup, engine, device)
  },
  step: async ({ batches, rates }) => await need(replica, 'replica').step(batches, rates),
  snapshot: async () => Promise.resolve(need(replica, 'replica').snapshot()),
  times: async () => Promise.resolve(need(replica, 'replica').times),
}

function need<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`internal: worker: "${name}" is not loaded`)
  return value
}

// Node runs message handlers as they come, also while an earlier one awaits: the queue keeps calls in order.
let queue: Promise<void> = Promise.resolve()
parentPort?.on('message', (request: WorkerRequest) => {
  queue = queue.then(() => (request === 'stop' ? process.exit() : answer(request)))
})

async function answer({ id, call, args }: Exclude<WorkerRequest, 'stop'>): Promise<void> {
  let reply: WorkerReply
  let moved: ArrayBuffer[] = []
  try {
    const result = await (CALLS[call] as (args: unknown) => Promise<unknown>)(args)
    reply = { id, result }
    // A snapshot consists of copies as large as the network: they move to the caller.
    if (call === 'snapshot') moved = buffersOf(result as ReturnType<Replica['snapshot']>)
  } catch (error) {
    reply = { id, error: failureOf(error) }
  }
  parentPort?.postMessage(reply, moved)
}

function buffersOf({ state, values }: ReturnType<Replica['snapshot']>): ArrayBuffer[] {
  return [values, ...Object.values(state)].map(({ buffer }) => buffer as ArrayBuffer)
}
