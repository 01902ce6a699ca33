// Worker threads and calls to them. ONNX Runtime blocks the thread that calls it, so all of its work happens in these.
import { availableParallelism } from 'node:os'
import { Worker, type Transferable } from 'node:worker_threads'
import { TtqError } from '../errors/ttq-error.js'
import type { Device } from '../options/choices.js'
import type { WorkerCalls, WorkerReply, WorkerRequest } from './worker.js'

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
  callAll<C extends keyof WorkerCalls>(call: C, args: (worker: number) => Arguments<C>): Promise<Result<C>[]>
}

/** A fixed number of threads. Close it when done, or the process lives on. */
export class WorkerPool implements Workers {
  readonly size: number
  readonly device: Device
  private readonly workers: Worker[]
  private readonly pending: Map<number, Pending>[]
  private nextId = 0
  private failure: Error | undefined
  private stopped: Promise<unknown> | undefined
  private interruption: TtqError | undefined
  private postponed = false

  /**
   * @param threads number of threads; 0 = one per core, but only one where another device than cpu does the work
   * @param signal closes the pool when aborted: calls under way fail with TtqError `interrupted`
   * @param device what networks run on; ask requireDevice first
   */
  constructor(threads: number, signal?: AbortSignal, device: Device = 'cpu') {
    this.device = device
    this.size = threads === 0 ? (device === 'cpu' ? availableParallelism() : 1) : threads
    this.pending = Array.from({ length: this.size }, () => new Map<number, Pending>())
    this.workers = this.pending.map((pending) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), { execArgv: [], workerData: device })
      worker.on('message', (reply: WorkerReply) => {
        settle(pending, reply)
      })
      worker.on('error', (error) => {
        void this.fail(error)
      })
      return worker
    })
    const interrupt = (): void => {
      const reason: unknown = signal?.reason
      this.interruption = reason instanceof TtqError ? reason : new TtqError('interrupted', 'interrupted')
      if (!this.postponed) void this.fail(this.interruption)
    }
    if (signal?.aborted === true) interrupt()
    else signal?.addEventListener('abort', interrupt, { once: true })
  }

  /** Whether the signal was aborted, even if it has no effect yet. */
  get interrupted(): boolean {
    return this.interruption !== undefined
  }

  /** Lets calls go on after an abort, for work that ends at a point of its own choice, until `allowInterruption`. */
  postponeInterruption(): void {
    this.postponed = true
  }

  /** Ends that. @throws TtqError `interrupted` when the signal was aborted */
  allowInterruption(): void {
    this.postponed = false
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
      this.workers[worker]?.postMessage({ id, call, args } satisfies WorkerRequest, transfer as Transferable[])
    })
  }

  /** The same call to every worker. @returns the results in the workers' order */
  async callAll<C extends keyof WorkerCalls>(call: C, args: (worker: number) => Arguments<C>): Promise<Result<C>[]> {
    return await this.first(this.size).callAll(call, args)
  }

  /** The first `count` workers. */
  first(count: number): Workers {
    const isInterrupted = (): boolean => this.interrupted
    return {
      size: count,
      callAll: async (call, args) =>
        await Promise.all(Array.from({ length: count }, (_, worker) => this.call(worker, call, args(worker)))),
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
    await this.fail(new Error('internal: the worker pool is closed'))
  }

  private async fail(error: Error): Promise<void> {
    this.failure ??= error
    for (const pending of this.pending) {
      for (const { reject } of pending.values()) reject(this.failure)
      pending.clear()
    }
    this.stopped ??= Promise.all(this.workers.map(stop))
    await this.stopped
  }
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

function revive({ code, message, hint, facts, stack }: Extract<WorkerReply, { error: unknown }>['error']): Error {
  const error =
    code === undefined
      ? new Error(message)
      : new TtqError(code, message, hint === undefined ? { facts } : { facts, hint })
  if (stack !== undefined) error.stack = stack
  return error
}
