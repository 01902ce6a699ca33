// Where networks run that nobody has run before: in a page, one more worker thread. ONNX Runtime in WebAssembly cannot
// take the page along, whatever the network is.
import { Worker } from 'node:worker_threads'
import { revive } from '../../src/execution/call-failure.js'
import type { WorkerCalls, WorkerReply, WorkerSetup } from '../../src/execution/worker.js'
import { EngineDied } from '../../src/runtime/engine-died.js'
import type { LoadedGraph, Loader, LoadOptions, Results } from '../../src/runtime/engine.js'
import type { EngineName } from '../../src/runtime/engines.js'

type Call = keyof Pick<WorkerCalls, 'load' | 'run' | 'release'>

interface Pending {
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}

/** @see import('../../src/execution/trial-process.js').TrialProcess */
export class TrialProcess implements Loader {
  private worker: Worker | undefined
  private readonly pending = new Map<number, Pending>()
  private nextId = 0
  private closed: Error | undefined

  constructor(private readonly engine: EngineName) {}

  start(): void {
    if (this.closed === undefined) this.running()
  }

  async load(model: Uint8Array, options: LoadOptions): Promise<LoadedGraph> {
    const id = `graph ${this.nextId}`
    await this.call('load', { id, model, options })
    return {
      run: async (feeds, outputs) => (await this.call('run', { id, feeds, outputs })) as Results,
      release: async () => {
        await this.call('release', { id })
      },
    }
  }

  /** Ends the thread; calls under way fail with `reason`. */
  close(reason: Error): void {
    this.closed ??= reason
    this.lose(this.closed)
  }

  private async call<C extends Call>(call: C, args: Parameters<WorkerCalls[C]>[0]): Promise<unknown> {
    if (this.closed !== undefined) throw this.closed
    const id = this.nextId++
    const worker = this.running()
    return await new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject })
      worker.postMessage({ id, call, args })
    })
  }

  private running(): Worker {
    if (this.worker !== undefined) return this.worker
    const setup: WorkerSetup = { engine: this.engine, device: 'cpu' }
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: setup })
    this.worker.on('message', (reply: WorkerReply) => {
      const waiting = this.pending.get(reply.id)
      this.pending.delete(reply.id)
      if ('result' in reply) waiting?.resolve(reply.result)
      else waiting?.reject(revive(reply.error))
    })
    this.worker.on('error', ({ message }) => {
      this.lose(new EngineDied(`died (${message})`, false, undefined))
    })
    return this.worker
  }

  private lose(error: Error): void {
    void this.worker?.terminate()
    this.worker = undefined
    for (const { reject } of this.pending.values()) reject(error)
    this.pending.clear()
  }
}
