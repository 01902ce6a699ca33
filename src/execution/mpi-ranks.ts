// The ranks of a job that mpirun started: what they tell one another beside the gradients, on the main thread of each.
//
// Two ways lead between them. What all ranks say together goes by collective calls on one communicator. What one of them
// says alone, that it has failed or is done, goes through rank 0 by messages on another, which everyone looks for ten
// times a second: no rank waits for one that will not come.
import { readFileSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { deserialize, serialize } from 'node:v8'
import { interruption } from '../errors/interruption.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Launch } from '../mpi/launcher.js'
import type { Communicator, MpiLibrary, Pending } from '../mpi/mpi-library.js'
import type { ExchangeName } from '../options/choices.js'
import { type CallFailure, failureOf, revive } from './call-failure.js'
import type { RankLink } from './rank-link.js'
import type { Ranks } from './ranks.js'

/** Milliseconds between looks for what a single rank says. */
const LOOK_MS = 100
/** Times that something common is asked for without a pause; then once a millisecond. */
const EAGER_LOOKS = 50
/** Bytes of a message, the most; libraries send as little at once, whatever the other side does. */
const MESSAGE_BYTES = 2048
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

type Message = { kind: 'failed'; failure: CallFailure } | { kind: 'end' } | { kind: 'done' }

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
    private readonly library: MpiLibrary,
    interrupted: AbortSignal,
  ) {
    this.common = library.duplicate()
    this.single = library.duplicate()
    const replicas = library.duplicate()
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
        `MPI: ${library.path} (${library.version}) counts ${size} ranks, expected ${launch.size} as ${launch.variable} says`,
        { hint: 'Name the library of the mpirun that started ttq with --mpi <path>.' },
      )
    if (!takesTurns)
      throw new TtqError(
        'usage',
        `MPI: ${library.version} lets one thread call only, expected MPI_THREAD_SERIALIZED at least`,
        { hint: 'Name a library with threads by --mpi <path>.' },
      )
    const ranks = new MpiRanks(library, interrupted)
    ranks.threads = await ranks.shareOfCores()
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

  get wantsToStop(): boolean {
    return this.wish !== undefined
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

  stop(): void {
    this.stopped = true
    const reason =
      this.wish ?? new TtqError('interrupted', 'interrupted: nothing was written', { facts: { signal: 'SIGTERM' } })
    this.wish = undefined
    this.controller.abort(reason)
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
    this.library.finalize()
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
    if (hasWorkLeft || (this.rank > 0 && !this.hasEnded)) this.library.abort(code)
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
      const message = read(inbox.bytes)
      inbox.message = message
      if (message.kind === 'failed') {
        const failure = ofRank(inbox.from, message.failure)
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
    const pending = this.single.send(written(message), to)
    this.sent.push(pending)
    return pending
  }

  private sayToAll(message: Message): Pending[] {
    return this.inboxes.map(({ from }) => this.say(from, message))
  }

  // The cores that this process may use, shared out among those that may use the same; as many threads for every rank,
  // because a rank's share of each batch is as large as any other's.
  private async shareOfCores(): Promise<number> {
    const own = { where: `${hostname()} ${allowedCores()}`, cores: availableParallelism() }
    const all = await this.gather('cores', own)
    const shares = all.map(({ where, cores }) => {
      const sharing = all.filter((other) => other.where === where).length
      return Math.max(1, Math.floor(cores / sharing))
    })
    return Math.min(...shares)
  }
}

// Launchers bind processes to cores, each to its own or several to the same ones.
function allowedCores(): string {
  try {
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  } catch {
    return ''
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

/** What a failure of another rank is here. */
function ofRank(rank: number, failure: CallFailure): Error {
  const isInterruption = failure.code === 'interrupted'
  return revive({ ...failure, message: isInterruption ? failure.message : `rank ${rank}: ${failure.message}` })
}

// A message that is too long loses its stack first, then the end of its text.
function written(message: Message): Uint8Array {
  const bytes = Buffer.alloc(MESSAGE_BYTES)
  for (const form of [message, withoutStack(message), shortened(message, 1000), shortened(message, 200)]) {
    const text = Buffer.from(JSON.stringify(form))
    if (text.length >= MESSAGE_BYTES) continue
    text.copy(bytes)
    return bytes
  }
  throw new Error('internal: a message between ranks that is too long')
}

function withoutStack(message: Message): Message {
  return message.kind === 'failed' ? { ...message, failure: { ...message.failure, stack: undefined } } : message
}

function shortened(message: Message, characters: number): Message {
  if (message.kind !== 'failed') return message
  const { code, message: text, hint } = message.failure
  return {
    kind: 'failed',
    failure: {
      code,
      message: text.slice(0, characters),
      hint: hint.slice(0, 1).map((way) => way.slice(0, characters / 2)),
      facts: {},
      stack: undefined,
    },
  }
}

function read(bytes: Uint8Array): Message {
  return JSON.parse(Buffer.from(bytes).toString('utf8').replace(/\0.*$/s, '')) as Message
}
