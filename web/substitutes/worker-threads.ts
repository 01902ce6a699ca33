// What the library uses of node:worker_threads, over the workers of browsers. What a thread is for travels as its name,
// because it is read before the first message can arrive; a browser does not tell that a worker has closed, so it says so
// itself (process.ts).
import { EXITED } from './process.js'

const scope = globalThis as unknown as {
  readonly name?: string
  postMessage: (message: unknown, transfer: Transferable[]) => void
}
const isThread = 'WorkerGlobalScope' in globalThis

/** @see import('node:worker_threads').workerData */
export const workerData: unknown = isThread && scope.name?.startsWith('{') === true ? JSON.parse(scope.name) : undefined

/** @see import('node:worker_threads').parentPort */
export const parentPort = {
  on(_: 'message', listener: (message: unknown) => void): void {
    globalThis.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      listener(data)
    })
  },
  postMessage(message: unknown, transfer: readonly Transferable[] = []): void {
    scope.postMessage(message, [...transfer])
  },
}

/** What a worker tells: a message, an error that nobody caught, its end. */
type Listener = (value: unknown) => void

/** @see import('node:worker_threads').Worker */
export class Worker {
  private readonly worker: globalThis.Worker
  private readonly listeners = new Map<string, Listener[]>()

  constructor(url: URL, { workerData: data }: { workerData: object }) {
    this.worker = new globalThis.Worker(url, { type: 'module', name: JSON.stringify(data) })
    this.worker.onmessage = ({ data: message }: MessageEvent<unknown>) => {
      if (message === EXITED) this.tell('exit', 0)
      else this.tell('message', message)
    }
    this.worker.onerror = ({ message }) => {
      this.tell('error', new Error(message || 'a worker of the page could not be loaded'))
    }
  }

  on(event: 'message' | 'error' | 'exit', listener: Listener): this {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener])
    return this
  }

  /** Each of these events is told once at most. */
  once(event: 'exit', listener: Listener): this {
    return this.on(event, listener)
  }

  postMessage(message: unknown, transfer: readonly Transferable[] = []): void {
    this.worker.postMessage(message, [...transfer])
  }

  terminate(): Promise<void> {
    this.worker.terminate()
    return Promise.resolve()
  }

  private tell(event: string, value: unknown): void {
    for (const listener of this.listeners.get(event) ?? []) listener(value)
  }
}
