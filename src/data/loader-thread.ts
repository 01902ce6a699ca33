// A loader module in a thread of its own, so that what the module does - print, wait, compute for ever, end the
// process, use up its memory - is an error with the module's name and not the end of the program.
import { Worker } from 'node:worker_threads'
import { interruption } from '../errors/interruption.js'
import { TtqError } from '../errors/ttq-error.js'
import { loaderFault } from './loader-fault.js'
import type { GivenBatch, Unusable } from './given-batch.js'
import type { BatchRequest, GivenModule, LoaderFailure, LoaderReply } from './loader-worker.js'
import { hintOfMisplaced } from './module-kind.js'
import { describeThrown, type Thrown } from './thrown.js'

export interface LoaderThreadOptions {
  /** Seconds that the module may take to load, and for each batch. */
  timeout: number
  /** Ends the thread, and every call under way with TtqError `interrupted`. */
  signal?: AbortSignal | undefined
}

interface Call {
  what: string
  resolve: (value: never) => void
  reject: (error: TtqError) => void
  timer: NodeJS.Timeout
}

/** The thread; close it when done. It keeps the process alive only while a call is under way. */
export class LoaderThread {
  private readonly worker: Worker
  private readonly calls = new Map<number, Call>()
  private readonly interrupt: () => void
  private nextId = 0
  private failure: TtqError | undefined

  /**
   * @param url of the module
   * @param name of the module, for messages
   */
  constructor(
    private readonly url: string,
    private readonly name: string,
    private readonly options: LoaderThreadOptions,
  ) {
    // Node's own flags reach the thread by themselves, such as an --import that makes loaders in other languages run;
    // one that is about the text of the main program would stop it.
    const execArgv = process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}
    this.worker = new Worker(new URL('./loader-worker.js', import.meta.url), { workerData: url, ...execArgv })
    this.worker.on('message', (reply: LoaderReply) => {
      this.settle(reply)
    })
    this.worker.on('error', (cause: unknown) => {
      this.failOutside(describeThrown(cause))
    })
    this.worker.on('exit', (status) => {
      this.fail(this.fault(`ended itself (exit status ${status})`))
    })
    this.interrupt = () => {
      this.fail(interruption(options.signal))
    }
    if (options.signal?.aborted === true) this.interrupt()
    else options.signal?.addEventListener('abort', this.interrupt, { once: true })
  }

  /** What the module exports. To be called first, and once. @throws TtqError `data` */
  async open(): Promise<GivenModule | Unusable> {
    return await this.call('loading', () => undefined)
  }

  /**
   * A batch of one of its parts.
   * @param random state of the random source that the module draws from (`RandomSource.state`)
   * @throws TtqError `data`, `interrupted`
   */
  async batch(
    part: 'train' | 'test',
    indices: readonly number[],
    random: readonly number[] | undefined,
  ): Promise<GivenBatch | Unusable> {
    const samples = indices.length === 1 ? `sample ${indices[0]}` : `samples ${indices[0]}, ${indices[1]}, ...`
    return await this.call(`${part}.batch of ${samples}`, (id) => {
      this.worker.postMessage({ id, part, indices, random } satisfies BatchRequest)
    })
  }

  /** Ends the thread, whatever it is doing. */
  async close(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.interrupt)
    this.failure ??= new TtqError('data', `${this.name}: closed`)
    await this.worker.terminate()
  }

  private async call<T>(what: string, send: (id: number) => void): Promise<T> {
    if (this.failure !== undefined) throw this.failure
    const id = this.nextId++
    return await new Promise<T>((resolve, reject) => {
      const { timeout } = this.options
      const timer = setTimeout(() => {
        this.fail(this.fault(`${what} gave no answer within ${timeout} s`, undefined, TIMEOUT_HINT))
      }, timeout * 1000)
      this.calls.set(id, { what, resolve, reject, timer })
      this.worker.ref()
      send(id)
    })
  }

  private failOutside(thrown: Thrown): void {
    const isFull = thrown.code === 'ERR_WORKER_OUT_OF_MEMORY'
    const problem = isFull ? 'ran out of memory' : `failed outside of batch: ${this.explain(thrown)}`
    this.fail(this.fault(problem, thrown, hintOfMisplaced(thrown.message)))
  }

  private settle(reply: LoaderReply): void {
    if ('outside' in reply) {
      this.failOutside(reply.outside)
      return
    }
    const call = this.calls.get(reply.id)
    if (call === undefined) return
    // Calls are answered one after the other: the time of those that wait begins with the answer before them.
    for (const { timer } of this.calls.values()) timer.refresh()
    if ('isAlive' in reply) return
    this.calls.delete(reply.id)
    clearTimeout(call.timer)
    if (this.calls.size === 0) this.worker.unref()
    if ('value' in reply) call.resolve(reply.value as never)
    else if (reply.id === 0) call.reject(this.cannotBeLoaded(reply.failure))
    else call.reject(this.fault(`${call.what} failed: ${this.explain(reply.failure)}`, reply.failure))
  }

  private fail(error: TtqError): void {
    this.failure ??= error
    for (const { reject, timer } of this.calls.values()) {
      clearTimeout(timer)
      reject(this.failure)
    }
    this.calls.clear()
    void this.worker.terminate()
  }

  private cannotBeLoaded(failure: LoaderFailure): TtqError {
    const { what } = failure
    if (what !== undefined)
      return this.fault(what === '' ? failure.message : `${what} failed: ${this.explain(failure)}`, failure)
    return failure.code === 'ERR_UNKNOWN_FILE_EXTENSION'
      ? this.fault(
          `cannot be loaded: Node ${process.versions.node} runs no TypeScript`,
          failure,
          'write the loader in JavaScript, or use Node 22.18 or later, which takes the types out of a .ts file',
        )
      : this.fault(`cannot be loaded: ${this.explain(failure)}`, failure, hintOfMisplaced(failure.message))
  }

  // The first line of the message, and the line of the module where the stack shows one.
  private explain({ message, stack }: Thrown): string {
    const at = stack?.split(this.url, 2)[1]?.match(/^(?:\?[^:]*)?:(\d+)/)?.[1]
    return `${message.split('\n', 1)[0]}${at === undefined ? '' : ` (line ${at})`}`
  }

  private fault(problem: string, thrown?: Thrown, hint?: string): TtqError {
    return loaderFault(this.name, problem, { cause: thrown && asError(thrown), ...(hint !== undefined && { hint }) })
  }
}

// Errors of the thread arrive as plain data; --debug prints their stacks.
function asError({ message, stack }: Thrown): Error {
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}

const TIMEOUT_HINT = 'a slow loader gets more time with --data-timeout <seconds>'
