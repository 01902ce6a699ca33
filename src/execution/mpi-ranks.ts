// The ranks of a job that mpirun started: what they tell one another beside the gradients, on the main thread of each.
//
// Two ways lead between them. What all ranks say together goes by collective calls on one communicator. What one of
// them says alone, that it has failed or is done, goes through rank 0 by messages on another, which everyone looks for
// ten times a second: no rank waits for one that will not come.
import { deserialize, serialize } from 'node:v8'
import { interruption } from '../errors/interruption.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Launch } from '../mpi/launcher.js'
import type { Communicator, MpiLibrary, Pending } from '../mpi/mpi-library.js'
import type { ExchangeName } from '../options/choices.js'
import { failureOf } from './call-failure.js'
import type { RankLink } from './rank-link.js'
import { failureOfRank, type Message, MESSAGE_BYTES, readMessage, writeMessage } from './rank-message.js'
import type { Ranks } from './ranks.js'
import { ownCores, shareOfCores } from './share-of-cores.js'

/** Milliseconds between looks for what a single rank says. */
const LOOK_MS = 100
/** Times that something common is asked for without a pause; then once a millisecond. */
const EAGER_LOOKS = 50
/** Bytes that a rank gives to a gathering at a time. */
const PIECE_BYTES = 2 ** 24
/** Characters of what a gathering is about. */
const ABOUT_BYTES = 56
/** Milliseconds that a rank has to fail by itself of what another one failed of: its own words are clearer then. */
const OWN_WORDS_MS = 1000
/** Milliseconds that a rank which failed waits to hear that rank 0 has said so. */
const HEARING_MS = 10_000
/** Milliseconds that rank 0 gives the others to take its last message. */
const FAREWELL_MS = 2000

/** A message on its way to this rank. */
interface Inbox {
  from: number
  bytes: Uint8Array
  pending: Pending
  message?: Message
}

export class MpiRanks implements Ranks {
  link: RankLink
  readonly signal: AbortSignal
  threads: number | undefined
  private readonly controller = new AbortController()
  private readonly abandoned = new Int32Array(new SharedArrayBuffer(4))
  private readonly common: Communicator
  private readonly single: Communicator
  private readonly inboxes: readonly Inbox[]
  private readonly looking: NodeJS.Timeout
  /** Kept until the process ends: what is on its way must stay where it is. */
  private readonly sent: Pending[] = []
  private queue: Promise<unknown> = Promise.resolve()
  private held = false
  private wish: TtqError | undefined
  private stopped = false
  private failed: Error | undefined

  private constructor(
    private readonly mpi: MpiLibrary,
    interrupted: AbortSignal,
  ) {
    this.common = mpi.duplicate()
    this.single = mpi.duplicate()
    const replicas = mpi.duplicate()
    const { rank, count } = this
    this.link = { rank, count, place: replicas.place, exchange: 'ordered', abandoned: this.abandoned.buffer }
    this.signal = this.controller.signal
    const senders = rank === 0 ? Array.from({ length: count - 1 }, (_, i) => i + 1) : [0]
    this.inboxes = senders.map((from) => {
      const bytes = new Uint8Array(MESSAGE_BYTES)
      return { from, bytes, pending: this.single.receive(bytes, from) }
    })
    this.looking = setInterval(() => {
      this.look()
    }, LOOK_MS).unref()
    const interrupt = (): void => {
      this.interrupt(interruption(interrupted))
    }
    if (interrupted.aborted) interrupt()
    else interrupted.addEventListener('abort', interrupt, { once: true })
  }

  /**
   * Joins this process with the others, which all do it.
   * @param interrupted interrupts this rank, and thereby all
   * @throws TtqError `usage` where the library is not the launcher's
   */
  static async open(library: MpiLibrary, launch: Launch, interrupted: AbortSignal): Promise<MpiRanks> {
    const takesTurns = library.init()
    const { size } = library.world
    if (size !== launch.size)
      throw new TtqError(
        'usage',
        `MPI: ${library.path} (${library.version}) counts ${size} ranks, expected ${launch.size} as ` +
          `${launch.variable} says`,
        { hint: 'Name the library of the mpirun that started ttq with --mpi <path>.' },
      )
    if (!takesTurns)
      throw new TtqError(
        'usage',
        `MPI: ${library.version} lets one thread call only, expected MPI_THREAD_SERIALIZED at least`,
        { hint: 'Name a library with threads by --mpi <path>.' },
      )
    const ranks = new MpiRanks(library, interrupted)
    ranks.threads = shareOfCores(await ranks.gather('cores', ownCores()))
    return ranks
  }

  get rank(): number {
    return this.common.rank
  }

  get count(): number {
    return this.common.size
  }

  /** Why all ranks end; undefined while none does. */
  get failure(): Error | undefined {
    return this.failed
  }

  get wantsToStop(): string | undefined {
    return this.wish && String(this.wish.facts['signal'])
  }

  gather<T>(about: string, value: T): Promise<readonly T[]> {
    const gathered = this.queue.then(() => this.gatherNow(about, value))
    this.queue = gathered.catch(() => undefined)
    return gathered
  }

  useExchange(exchange: ExchangeName): void {
    this.link = { ...this.link, exchange }
  }

  holdInterruption(): void {
    this.held = true
  }

  allowInterruption(): void {
    this.held = false
    if (this.wish !== undefined) this.fail(this.wish)
  }

  stop(signal: string): void {
    this.stopped = true
    this.wish = undefined
    this.controller.abort(new TtqError('interrupted', 'interrupted: nothing was written', { facts: { signal } }))
  }

  /** Waits until all ranks are done, and parts from them. @throws whatever another rank fails of meanwhile */
  async finish(): Promise<void> {
    const done = (): boolean => this.inboxes.every(({ message }) => message !== undefined)
    if (this.rank !== 0) await this.until([this.say(0, { kind: 'done' })])
    while (!done() || this.inboxes.some(({ message }) => message?.kind === 'failed')) {
      this.look()
      if (this.failed !== undefined) throw this.failed
      await pause(1)
    }
    if (this.rank === 0) await this.until(this.sayToAll({ kind: 'done' }))
    clearInterval(this.looking)
    this.mpi.finalize()
  }

  /**
   * Of a rank that cannot go on: rank 0 hears of it, and says it.
   * @returns whether it has been said; where not, this rank has to
   */
  async leave(error: unknown): Promise<boolean> {
    this.fail(error instanceof Error ? error : new Error(String(error)))
    if (this.rank === 0) return false
    // Where all stop together, rank 0 knows, and may still be writing what is kept.
    if (!this.stopped && !this.hasEnded) this.say(0, { kind: 'failed', failure: failureOf(this.failed) })
    const start = performance.now()
    while (!this.hasEnded && performance.now() - start < HEARING_MS) {
      await pause(10)
      this.look()
    }
    return this.hasEnded
  }

  /**
   * Of a rank that has failed, before its process ends: rank 0 has said why, and lets the others go. Launchers end what
   * is left when they see that a process has failed; they add the fewest words to ours where it ends by itself.
   * @param hasWorkLeft threads go on: nobody can wait for them, and all processes are ended at once
   */
  async end(code: number, hasWorkLeft: boolean): Promise<void> {
    clearInterval(this.looking)
    const start = performance.now()
    const sent = this.rank === 0 ? this.sayToAll({ kind: 'end' }) : []
    while (!sent.every((each) => each.isDone()) && performance.now() - start < FAREWELL_MS) await pause(10)
    if (hasWorkLeft || (this.rank > 0 && !this.hasEnded)) this.mpi.abort(code)
  }

  private get hasEnded(): boolean {
    return this.inboxes.some(({ message }) => message?.kind === 'end')
  }

  private interrupt(reason: TtqError): void {
    if (this.held) this.wish = reason
    else this.fail(reason)
  }

  private fail(error: Error): void {
    if (this.failed !== undefined) return
    this.failed = error
    Atomics.store(this.abandoned, 0, 1)
    Atomics.notify(this.abandoned, 0)
    this.controller.abort(error)
  }

  private look(): void {
    for (const inbox of this.inboxes) {
      if (inbox.message !== undefined || !inbox.pending.isDone()) continue
      const message = readMessage(inbox.bytes)
      inbox.message = message
      if (message.kind === 'failed') {
        const failure = failureOfRank(inbox.from, message.failure)
        setTimeout(() => {
          this.fail(failure)
        }, OWN_WORDS_MS).unref()
      }
      if (message.kind === 'end') this.fail(new Error('internal: rank 0 has ended all ranks'))
    }
  }

  private async gatherNow<T>(about: string, value: T): Promise<readonly T[]> {
    if (this.failed !== undefined) throw this.failed
    const { count, common } = this
    const own = serialize(value)
    const head = Buffer.alloc(ABOUT_BYTES + 8)
    head.write(about, 0, ABOUT_BYTES)
    head.writeDoubleLE(own.length, ABOUT_BYTES)
    const heads = Buffer.alloc(head.length * count)
    await this.until([common.allGather(head, heads)])
    const said = Array.from({ length: count }, (_, rank) =>
      heads.subarray(rank * head.length, (rank + 1) * head.length),
    )
    const parted = said.findIndex((each) => !each.subarray(0, ABOUT_BYTES).equals(head.subarray(0, ABOUT_BYTES)))
    if (parted >= 0) {
      const theirs = said[parted]?.toString('utf8', 0, ABOUT_BYTES).replace(/\0.*$/s, '') as string
      throw new Error(`internal: ranks have parted: rank ${this.rank} is at "${about}", rank ${parted} at "${theirs}"`)
    }
    const lengths = said.map((each) => each.readDoubleLE(ABOUT_BYTES))
    const longest = Math.max(...lengths)
    const wholes = lengths.map((length) => Buffer.alloc(length))
    for (let start = 0; start < longest; start += PIECE_BYTES) {
      const size = Math.min(PIECE_BYTES, longest - start)
      const piece = Buffer.alloc(size)
      own.copy(piece, 0, start)
      const pieces = Buffer.alloc(size * count)
      await this.until([common.allGather(piece, pieces)])
      wholes.forEach((whole, rank) => {
        if (start < whole.length)
          pieces.copy(whole, start, rank * size, rank * size + Math.min(size, whole.length - start))
      })
    }
    return wholes.map((whole) => deserialize(whole) as T)
  }

  // While it waits, the event loop goes on.
  private async until(pending: readonly Pending[]): Promise<void> {
    for (let looks = 0; !pending.every((each) => each.isDone()); looks++) {
      if (this.failed !== undefined) throw this.failed
      await (looks < EAGER_LOOKS ? new Promise(setImmediate) : pause(1))
    }
  }

  private say(to: number, message: Message): Pending {
    const pending = this.single.send(writeMessage(message), to)
    this.sent.push(pending)
    return pending
  }

  private sayToAll(message: Message): Pending[] {
    return this.inboxes.map(({ from }) => this.say(from, message))
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
