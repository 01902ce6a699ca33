// The exchange between replicas of several processes: within each of them memory that its threads see, between them
// MPI, which the first replica of each calls for all of its own. What is added up, and in which order, is as if all
// replicas were threads of one process: with as many replicas in all, results are the same bit for bit.
//
// Each rank updates the shards of its own replicas, which lie side by side: its region. Ordered, each replica's
// gradients go to the ranks whose regions they belong to as they are, and are added up there; that is the traffic of as
// many all-to-alls as a rank has replicas. `fast` adds up within each rank first, and lets the library add the rest.
import { loadForeign } from '../mpi/foreign.js'
import { Communicator, type Parts, type Pending } from '../mpi/mpi-library.js'
import { bytesOf } from '../tensor/bytes.js'
import { Barrier, BARRIER_BYTES } from './barrier.js'
import type { Exchange, ExchangedVectors, ExchangeKind, Gathering } from './exchange.js'
import type { RankLink } from './rank-link.js'

export interface AcrossRanks {
  kind: 'across ranks'
  link: RankLink
  /** Replicas of each rank. */
  replicas: number
  /** Floats of each rank's region, in the order of the ranks, which is theirs in memory. */
  regions: readonly number[]
  barrier: SharedArrayBuffer
  /** What the replicas of this rank share; absent where there is only one. */
  shared?: {
    /** Per replica: all gradients, laid out flat. */
    gradients: readonly SharedArrayBuffer[]
    /** All parameters, laid out flat. */
    parameters: SharedArrayBuffer
    /** Fast: the sum of all gradients of this rank. */
    sum?: SharedArrayBuffer
  }
  /**
   * Ordered, per replica of a rank: what all ranks' replicas of that place found for this region. Fast: the sum, once.
   */
  received: readonly SharedArrayBuffer[]
  /** One float64 per replica of this rank, and one per replica in all. */
  numbers: SharedArrayBuffer
}

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT
const DOUBLE_BYTES = Float64Array.BYTES_PER_ELEMENT

/** Milliseconds between questions: who waits for others leaves them the core. */
const PAUSE_MS = 0.05
/**
 * Milliseconds of asking without a pause once all are there. Libraries move a message a few kilobytes at a time,
 * whenever they are asked: with a pause after each question, 14 MB between two ranks of MPICH took 140 ms.
 */
const EAGER_MS = 1

export const acrossRanks = {
  arrange: arrangeAcrossRanks,
  /** @param load gives what calls the MPI library */
  join: (meeting: AcrossRanks, vectors: ExchangedVectors, load = loadForeign): Exchange =>
    new AcrossRanksExchange(meeting, vectors, load),
} satisfies ExchangeKind<AcrossRanks>

function arrangeAcrossRanks({ link, replicas, floats, regions }: Gathering): AcrossRanks {
  if (link === undefined) throw new Error('internal: no other ranks to meet')
  const own = regions[link.rank] as number
  const isFast = link.exchange === 'fast'
  const memory = (count: number): SharedArrayBuffer => new SharedArrayBuffer(count * FLOAT_BYTES)
  return {
    kind: 'across ranks',
    link,
    replicas,
    regions,
    barrier: new SharedArrayBuffer(BARRIER_BYTES),
    ...(replicas > 1 && {
      shared: {
        gradients: Array.from({ length: replicas }, () => memory(floats)),
        parameters: memory(floats),
        ...(isFast && { sum: memory(floats) }),
      },
    }),
    received: isFast ? [memory(own)] : Array.from({ length: replicas }, () => memory(own * link.count)),
    numbers: new SharedArrayBuffer((replicas + replicas * link.count) * DOUBLE_BYTES),
  }
}

class AcrossRanksExchange implements Exchange {
  readonly mean: Float32Array
  waitedMs = 0
  private readonly barrier: Barrier
  private readonly abandoned: Int32Array
  private readonly gradients: readonly Float32Array[]
  private readonly parameters: Float32Array
  private readonly sum: Float32Array
  private readonly received: readonly Float32Array[]
  private readonly numbers: Float64Array
  private readonly allNumbers: Float64Array
  /** Where this rank's region begins and ends. */
  private readonly region: { start: number; end: number }
  private readonly regions: Parts
  /** Where each rank's part of what is received for this region lies. */
  private readonly arrivals: Parts
  /** The own region on its way: it must not be written to while it is sent. */
  private readonly sent: Float32Array
  private communicator: Communicator | undefined

  constructor(
    private readonly meeting: AcrossRanks,
    private readonly own: ExchangedVectors,
    private readonly load: typeof loadForeign,
  ) {
    const { link, replicas, regions, shared, received, numbers } = meeting
    this.barrier = new Barrier(meeting.barrier, replicas)
    this.abandoned = new Int32Array(link.abandoned)
    this.gradients = shared?.gradients.map((memory) => new Float32Array(memory)) ?? [own.gradients]
    this.parameters = shared === undefined ? own.parameters : new Float32Array(shared.parameters)
    this.sum = shared?.sum === undefined ? own.gradients : new Float32Array(shared.sum)
    this.received = received.map((memory) => new Float32Array(memory))
    this.numbers = new Float64Array(numbers, 0, replicas)
    this.allNumbers = new Float64Array(numbers, replicas * DOUBLE_BYTES)
    this.regions = partsOf(regions)
    const size = regions[link.rank] as number
    const start = this.regions.offsets[link.rank] as number
    this.region = { start, end: start + size }
    this.arrivals = partsOf(new Array<number>(link.count).fill(size))
    this.sent = new Float32Array(this.isFirst ? size : 0)
    this.mean = new Float32Array(own.size)
  }

  async reduce(): Promise<void> {
    const { gradients, own, meeting } = this
    if (meeting.shared !== undefined) gradients[own.rank]?.set(own.gradients)
    this.wait()
    if (meeting.link.exchange === 'fast') await this.reduceFast()
    else await this.reduceInOrder()
    const share = 1 / (meeting.replicas * meeting.link.count)
    const { mean } = this
    for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) * share
  }

  async addUp(value: number): Promise<number> {
    this.numbers[this.own.rank] = value
    this.wait()
    await this.first((communicator) => [communicator.allGather(bytesOf(this.numbers), bytesOf(this.allNumbers))])
    this.wait()
    return this.allNumbers.reduce((sum, each) => sum + each, 0)
  }

  // The barriers also keep gradients from being written over before all have read them.
  async share(): Promise<void> {
    const { own, parameters, sent, region } = this
    const { offset, size } = own
    if (this.meeting.shared !== undefined) parameters.set(own.parameters.subarray(offset, offset + size), offset)
    this.wait()
    await this.first((communicator) => {
      sent.set(parameters.subarray(region.start, region.end))
      return [communicator.allGatherParts(sent, parameters, this.regions)]
    })
    this.wait()
    if (this.meeting.shared !== undefined) own.parameters.set(parameters)
  }

  abandon(): void {
    this.barrier.break()
  }

  // Rank by rank, and within each in the order of its replicas.
  private async reduceInOrder(): Promise<void> {
    const { mean, received, gradients, regions, arrivals, own, region } = this
    await this.first((communicator) =>
      received.map((into, replica) =>
        communicator.exchange(gradients[replica] as Float32Array, regions, into, arrivals),
      ),
    )
    this.wait()
    const place = own.offset - region.start
    arrivals.offsets.forEach((start, rank) => {
      received.forEach((found, replica) => {
        const part = found.subarray(start + place, start + place + own.size)
        if (rank === 0 && replica === 0) mean.set(part)
        else for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + (part[i] as number)
      })
    })
  }

  private async reduceFast(): Promise<void> {
    const { mean, own, region, sum, regions } = this
    const [total] = this.received as readonly [Float32Array]
    this.addOwnRank()
    await this.first((communicator) => [communicator.sumParts(sum, total, regions)])
    this.wait()
    const place = own.offset - region.start
    mean.set(total.subarray(place, place + own.size))
  }

  // The replicas of this rank share out what there is to add.
  private addOwnRank(): void {
    const { gradients, sum, own } = this
    if (gradients.length === 1) return
    const from = Math.floor((sum.length * own.rank) / gradients.length)
    const to = Math.floor((sum.length * (own.rank + 1)) / gradients.length)
    const [first, ...others] = gradients as [Float32Array, ...Float32Array[]]
    sum.set(first.subarray(from, to), from)
    for (const other of others) for (let i = from; i < to; i++) sum[i] = (sum[i] as number) + (other[i] as number)
    this.wait()
  }

  private get isFirst(): boolean {
    return this.own.rank === 0
  }

  // What the first replica does for all of this rank, while the others are on their way to the next barrier.
  private async first(begin: (communicator: Communicator) => readonly Pending[]): Promise<void> {
    if (!this.isFirst) return
    const { link } = this.meeting
    this.communicator ??= Communicator.join(await this.load(), link.place)
    const start = performance.now()
    this.ask([this.communicator.meet()], 0)
    this.waitedMs += performance.now() - start
    this.ask(begin(this.communicator), EAGER_MS)
  }

  // Until all of it is done, with a pause after every so many milliseconds.
  private ask(pending: readonly Pending[], eagerMs: number): void {
    let pausedAt = performance.now()
    while (!pending.every((each) => each.isDone())) {
      if (Atomics.load(this.abandoned, 0) !== 0) throw new Error('internal: another rank failed')
      if (performance.now() - pausedAt < eagerMs) continue
      Atomics.wait(this.abandoned, 0, 0, PAUSE_MS)
      pausedAt = performance.now()
    }
  }

  private wait(): void {
    if (this.meeting.replicas === 1) return
    const start = performance.now()
    this.barrier.wait()
    this.waitedMs += performance.now() - start
  }
}

function partsOf(sizes: readonly number[]): Parts {
  let end = 0
  return {
    counts: Int32Array.from(sizes),
    offsets: Int32Array.from(sizes, (size) => {
      end += size
      return end - size
    }),
  }
}
