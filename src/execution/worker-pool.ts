// Worker threads and calls to them. Engines block the thread that calls them, so all of their work happens in these.
import { availableParallelism } from 'node:os'
import { Worker, type Transferable } from 'node:worker_threads'
import { interruption } from '../errors/interruption.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Device } from '../options/choices.js'
import { EngineDied } from '../runtime/engine-died.js'
import type { Engine, Feeds, LoadedGraph, Loader, LoadOptions } from '../runtime/engine.js'
import { ENGINES, type EngineName } from '../runtime/engines.js'
import { revive } from './call-failure.js'
import { nameCulprit } from './name-culprit.js'
import { ALONE, type Ranks } from './ranks.js'
import { TrialProcess } from './trial-process.js'
import type { Kept, WorkerCalls, WorkerReply, WorkerRequest, WorkerSetup } from './worker.js'

interface Pending {
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}
type Arguments<C extends keyof WorkerCalls> = Parameters<WorkerCalls[C]>[0]
type Result<C extends keyof WorkerCalls> = Awaited<ReturnType<WorkerCalls[C]>>

/**
 * Milliseconds that a worker has to end what it is doing. One that is terminated inside ONNX Runtime takes the whole
 * process down (an uncaught Napi::Error), so this is far longer than a call should take.
 */
const STOP_PATIENCE = 60_000

/** Some threads that answer calls. */
export interface Workers extends Pick<WorkerPool, 'interrupted' | 'postponeInterruption' | 'allowInterruption'> {
  readonly size: number
  /** The processes that do the same work beside this one. */
  readonly ranks: Ranks
  /** The same call to every worker. Buffers in `transfer` move instead of being copied. */
  callAll<C extends keyof WorkerCalls>(
    call: C,
    args: (worker: number) => Arguments<C>,
    transfer?: (args: Arguments<C>) => readonly ArrayBuffer[],
  ): Promise<Result<C>[]>
}

/** A graph in one of the threads, which can keep values there. */
export interface PooledGraph extends LoadedGraph {
  /** @see WorkerCalls.runKeeping */
  runKeeping(feeds: Feeds, outputs: readonly string[], kept: Kept): Promise<Result<'runKeeping'>>
}

/**
 * How many threads a pool has: 0 is one per core (of several ranks on one machine, of the rank's share of them), but
 * only one where another device than the cpu does the work.
 */
export function threadCount(threads: number, device: Device, ranks: Pick<Ranks, 'threads'> = ALONE): number {
  if (threads !== 0) return threads
  return device === 'cpu' ? (ranks.threads ?? availableParallelism()) : 1
}

export interface PoolSettings {
  /** Closes the pool when aborted: calls under way fail with TtqError `interrupted`. */
  signal?: AbortSignal | undefined
  /** What networks run on; ask requireDevice first. Default cpu. */
  device?: Device | undefined
  /** What runs them; ask requireEngine first. Default onnxruntime. */
  engine?: EngineName | undefined
  /** The processes that do the same work beside this one. Default: none. */
  ranks?: Ranks | undefined
}

/**
 * A fixed number of threads, each of which starts with its first call, or with `start`. Close it when done, or the
 * process lives on. As a loader, it loads graphs into the first of them.
 */
export class WorkerPool implements Workers, Loader {
  readonly size: number
  readonly device: Device
  readonly engine: Engine
  readonly ranks: Ranks
  private readonly engineName: EngineName
  /** Where networks run that nobody has run before: what kills the engine there is an error here. */
  readonly trial: TrialProcess
  private readonly workers: (Worker | undefined)[]
  private readonly pending: Map<number, Pending>[]
  private nextId = 0
  private failure: Error | undefined
  private stopped: Promise<unknown> | undefined
  private interruption: TtqError | undefined
  private postponed = false
  /** A caller's signal outlives the pool: many jobs may share it. */
  private readonly ignoreSignal: () => void

  /**
   * @param threads number of threads; 0 = one per core, but only one where another device than cpu does the work
   */
  constructor(threads: number, { signal, device = 'cpu', engine = 'onnxruntime', ranks = ALONE }: PoolSettings = {}) {
    this.device = device
    this.engineName = engine
    this.engine = ENGINES[engine]
    this.ranks = ranks
    if (this.engine.isAlone === true) takeAlone(this)
    this.size = this.engine.isAlone === true ? 1 : threadCount(threads, device, ranks)
    this.pending = Array.from({ length: this.size }, () => new Map<number, Pending>())
    this.workers = this.pending.map(() => undefined)
    // It asks whether a network is one, and computes constants: the same for every engine.
    this.trial = new TrialProcess('onnxruntime')
    const interrupt = (): void => {
      this.interruption = interruption(signal)
      if (!this.postponed) void this.fail(this.interruption)
    }
    this.ignoreSignal = () => {
      signal?.removeEventListener('abort', interrupt)
    }
    if (signal?.aborted === true) interrupt()
    else signal?.addEventListener('abort', interrupt, { once: true })
  }

  /**
   * The same as `new`, for as long as `use` takes. Where the engine dies of a network in the trial process, the error
   * names the node.
   */
  static async use<T>(threads: number, settings: PoolSettings, use: (pool: WorkerPool) => Promise<T>): Promise<T> {
    const pool = new WorkerPool(threads, settings)
    try {
      return await use(pool)
    } catch (error) {
      throw error instanceof EngineDied ? await nameCulprit(pool.trial, error) : error
    } finally {
      await pool.close()
    }
  }

  /** Whether the signal was aborted, even if it has no effect yet. */
  get interrupted(): boolean {
    return this.interruption !== undefined
  }

  /** Lets calls go on after an abort, for work that ends at a point of its own choice, until `allowInterruption`. */
  postponeInterruption(): void {
    this.postponed = true
    this.ranks.holdInterruption()
  }

  /** Ends that. @throws TtqError `interrupted` when the signal was aborted */
  allowInterruption(): void {
    this.postponed = false
    this.ranks.allowInterruption()
    if (this.interruption === undefined) return
    void this.fail(this.interruption)
    throw this.interruption
  }

  /** Calls one worker; its calls are answered in order. Buffers in `transfer` move instead of being copied. */
  call<C extends keyof WorkerCalls>(
    worker: number,
    call: C,
    args: Arguments<C>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Result<C>> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    const id = this.nextId++
    return new Promise((resolve, reject) => {
      this.pending[worker]?.set(id, { resolve: resolve as Pending['resolve'], reject })
      this.worker(worker).postMessage({ id, call, args } satisfies WorkerRequest, transfer as Transferable[])
    })
  }

  /**
   * Starts all threads and the trial process, which takes a tenth of a second: early, where all will be needed, they
   * start while other work is done.
   */
  start(): this {
    if (this.failure !== undefined) return this
    this.trial.start()
    this.workers.forEach((_, index) => this.worker(index))
    return this
  }

  private worker(index: number): Worker {
    const known = this.workers[index]
    if (known !== undefined) return known
    const setup: WorkerSetup = { engine: this.engineName, device: this.device }
    const worker = new Worker(new URL('./worker.js', import.meta.url), { execArgv: [], workerData: setup })
    worker.on('message', (reply: WorkerReply) => {
      settle(this.pending[index] as Map<number, Pending>, reply)
    })
    worker.on('error', (error) => {
      void this.fail(error)
    })
    this.workers[index] = worker
    return worker
  }

  /** Loads a graph into one of the threads, default the first. */
  async load(model: Uint8Array, options: LoadOptions, worker = 0): Promise<LoadedGraph> {
    return await this.loadInto(worker, model, options)
  }

  private async loadInto(worker: number, model: Uint8Array, options: LoadOptions): Promise<PooledGraph> {
    const id = `graph ${this.nextId}`
    await this.call(worker, 'load', { id, model, options })
    return {
      run: async (feeds, outputs) => await this.call(worker, 'run', { id, feeds, outputs }),
      runKeeping: async (feeds, outputs, kept) => await this.call(worker, 'runKeeping', { id, feeds, outputs, kept }),
      release: async () => {
        await this.call(worker, 'release', { id })
      },
    }
  }

  /** Loads graphs into one of the threads. */
  loader(worker: number): Loader {
    return { load: async (model, options) => await this.load(model, options, worker) }
  }

  /** Loads a graph into every thread. @returns one per worker */
  async loadInAll(model: Uint8Array, options: LoadOptions): Promise<PooledGraph[]> {
    return await Promise.all(Array.from({ length: this.size }, (_, worker) => this.loadInto(worker, model, options)))
  }

  /** @see Workers.callAll */
  async callAll<C extends keyof WorkerCalls>(
    call: C,
    args: (worker: number) => Arguments<C>,
    transfer?: (args: Arguments<C>) => readonly ArrayBuffer[],
  ): Promise<Result<C>[]> {
    return await this.first(this.size).callAll(call, args, transfer)
  }

  /** The first `count` workers. */
  first(count: number): Workers {
    const isInterrupted = (): boolean => this.interrupted
    return {
      size: count,
      ranks: this.ranks,
      callAll: async (call, args, transfer = () => []) =>
        await Promise.all(
          Array.from({ length: count }, (_, worker) => {
            const own = args(worker)
            return this.call(worker, call, own, transfer(own))
          }),
        ),
      get interrupted() {
        return isInterrupted()
      },
      postponeInterruption: () => {
        this.postponeInterruption()
      },
      allowInterruption: () => {
        this.allowInterruption()
      },
    }
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.ignoreSignal()
    await this.fail(new Error('internal: the worker pool is closed'))
    if (alone === this) alone = undefined
  }

  private async fail(error: Error): Promise<void> {
    this.failure ??= error
    this.trial.close(this.failure)
    for (const pending of this.pending) {
      for (const { reject } of pending.values()) reject(this.failure)
      pending.clear()
    }
    this.stopped ??= Promise.all(this.workers.flatMap((worker) => (worker === undefined ? [] : [stop(worker)])))
    await this.stopped
  }
}

/** The pool that has an engine of which a process has one. */
let alone: WorkerPool | undefined

function takeAlone(pool: WorkerPool): void {
  if (alone !== undefined)
    throw new TtqError(
      'usage',
      `${pool.engine.name}: it is in use by another job of this process, expected one at a time`,
    )
  alone = pool
}

// Asks a worker to end after the calls it has.
async function stop(worker: Worker): Promise<void> {
  await new Promise<void>((resolve) => {
    const impatience = setTimeout(() => {
      void worker.terminate().then(() => {
        resolve()
      })
    }, STOP_PATIENCE)
    worker.once('exit', () => {
      clearTimeout(impatience)
      resolve()
    })
    worker.postMessage('stop' satisfies WorkerRequest)
  })
}

function settle(pending: Map<number, Pending>, reply: WorkerReply): void {
  const waiting = pending.get(reply.id)
  pending.delete(reply.id)
  if (waiting === undefined) return
  if ('result' in reply) waiting.resolve(reply.result)
  else waiting.reject(revive(reply.error))
}
