// Threads that decode pictures beside the work that needs them. What waits is not read yet, so that memory holds a few
// files per thread however many are asked for.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { TtqError } from '../errors/ttq-error.js'
import type { Picture } from './picture.js'
import type { Framing } from './framing.js'
import type { PictureReply, PictureRequest, RandomPart } from './picture-worker.js'
import { PictureFault } from './picture-header.js'

/** More do not help one training, and each holds memory for the largest picture that it has seen. */
const MOST_THREADS = 8
/** Pictures that a thread has at once: one that it decodes, one that lies ready. */
const AHEAD = 2

interface Call {
  resolve: (picture: Picture) => void
  reject: (error: Error) => void
}

interface Thread {
  worker: Worker
  calls: Map<number, Call>
}

/** Milliseconds without a picture after which the threads end; the next picture starts others. */
const PATIENCE = 3000

/** They start when a picture comes, keep the process alive only while they have some, and end when none comes. */
export class PictureThreads {
  private threads: Thread[] = []
  private timer: NodeJS.Timeout | undefined
  private readonly waiting: (() => void)[] = []
  private running = 0
  private nextId = 0
  private failure: TtqError | undefined

  constructor(private readonly size: number = Math.min(MOST_THREADS, availableParallelism())) {}

  /**
   * A picture framed for a network: one channel behind the other.
   * @param read gives its file, or its pixels; called when a thread is free
   * @param region a random part of it in its place
   * @throws PictureFault for a file that is none; whatever `read` throws
   */
  async frame(
    read: () => Promise<Uint8Array | Picture>,
    framing: Framing,
    channels: 1 | 3,
    region?: RandomPart,
  ): Promise<Picture> {
    if (this.running >= this.size * AHEAD) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.running++
    try {
      const source = await read()
      // A view of a part of a buffer would take all of it along.
      const own = 'pixels' in source ? source : new Uint8Array(source)
      return await this.call({ id: this.nextId++, source: own, framing, channels, region })
    } finally {
      // The place goes to the next that waits.
      const next = this.waiting.shift()
      if (next === undefined) this.running--
      else next()
    }
  }

  private async call(request: PictureRequest): Promise<Picture> {
    if (this.failure !== undefined) throw this.failure
    const { worker, calls } = this.freest()
    return await new Promise<Picture>((resolve, reject) => {
      clearTimeout(this.timer)
      calls.set(request.id, { resolve, reject })
      worker.ref()
      worker.postMessage(request, 'pixels' in request.source ? [] : [request.source.buffer as ArrayBuffer])
    })
  }

  private freest(): Thread {
    const [first] = [...this.threads].sort((a, b) => a.calls.size - b.calls.size)
    if (first !== undefined && (first.calls.size === 0 || this.threads.length === this.size)) return first
    const thread: Thread = {
      worker: new Worker(new URL('./picture-worker.js', import.meta.url), {
        // One that is about the text of the main program would stop it.
        ...(process.execArgv.some((flag) => flag.startsWith('--input-type')) && { execArgv: [] }),
      }),
      calls: new Map(),
    }
    thread.worker.on('message', (reply: PictureReply) => {
      const call = thread.calls.get(reply.id)
      thread.calls.delete(reply.id)
      if (thread.calls.size === 0) thread.worker.unref()
      if (this.threads.every(({ calls }) => calls.size === 0)) this.endLater()
      if ('picture' in reply) call?.resolve(reply.picture)
      else call?.reject(new PictureFault(reply.fault))
    })
    thread.worker.on('error', (cause) => {
      this.fail(new TtqError('data', `pictures: decoding failed: ${cause.message}`, { cause }))
    })
    thread.worker.on('exit', () => {
      if (this.threads.includes(thread))
        this.fail(new TtqError('data', 'pictures: a thread that decodes them has ended'))
    })
    this.threads.push(thread)
    return thread
  }

  private endLater(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      const ended = this.threads
      this.threads = []
      for (const { worker } of ended) void worker.terminate()
    }, PATIENCE).unref()
  }

  private fail(error: TtqError): void {
    this.failure ??= error
    for (const { calls } of this.threads) {
      for (const { reject } of calls.values()) reject(this.failure)
      calls.clear()
    }
  }
}
