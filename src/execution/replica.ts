// One replica of the training: its share of every batch, its shard of every update. Runs inside a worker thread.
//
// One step: gradients of the own share -> shared memory | all | mean over replicas and update of the own shard ->
// shared memory | all. Each shard is updated once, by one replica, so that the update is spread over the cores as well;
// what comes out depends on the seed and the number of replicas, never on which thread was faster.
import type { Device } from '../options/choices.js'
import { Session, type Feeds, type Results } from '../runtime/session.js'
import { float32, type Tensor } from '../tensor/tensor.js'
import type { StateSlot, UpdateBlock, UpdateScalar } from '../optimizer/parameters.js'
import { Barrier } from './barrier.js'
import type { Placement } from './layout.js'

/** All that a replica needs, as it crosses to its thread. */
export interface ReplicaSetup {
  rank: number
  /** Serialized gradient graph; its inputs are the batch, the labels and every placement's name. */
  gradientModel: Uint8Array
  /** Its one-element loss output. */
  loss: string
  /** Gradient output of each placement, in order. */
  gradientNames: readonly string[]
  placements: readonly Placement[]
  shard: ShardSetup
  shared: SharedMemory
  /** Threads inside one operator, on the cpu. */
  threads: number
  /** Keep no memory between operators. */
  frugal: boolean
  /** Largest norm of the mean gradient over all parameters; absent: no limit. */
  clipNorm?: number
}

/** Update graph of the replica's shard, serialized. */
export interface ShardSetup {
  model: Uint8Array
  scalars: readonly UpdateScalar[]
  state: readonly StateSlot[]
  blocks: readonly Pick<UpdateBlock, 'role' | 'gradient' | 'value' | 'size' | 'dims'>[]
  offset: number
  size: number
}

/** Memory seen by all replicas. ONNX Runtime refuses tensors over it, so replicas copy in and out. */
export interface SharedMemory {
  barrier: SharedArrayBuffer
  /** Per replica: all gradients, laid out flat. */
  gradients: readonly SharedArrayBuffer[]
  /** All parameters, laid out flat: initial values at first. */
  parameters: SharedArrayBuffer
  /** Per replica: the sum of the squares of its shard's mean gradient, float64. */
  squares: SharedArrayBuffer
}

export type Rates = Readonly<Record<UpdateScalar, number>>

/** Where the time of a step went, milliseconds. */
export interface StepTimes {
  gradient: number
  reduce: number
  update: number
  wait: number
}

export class Replica {
  private readonly barrier: Barrier
  /** All replicas' gradients, and everyone's parameters; a replica that is alone needs neither. */
  private readonly sharedGradients: readonly Float32Array[]
  private readonly sharedParameters: Float32Array | undefined
  private readonly parameters: Float32Array
  private readonly gradients: Float32Array
  private readonly parameterFeeds: Feeds
  private readonly gradientFetches: Feeds
  private readonly meanFeeds: Feeds
  /** Mean gradients of the own shard. */
  private readonly mean: Float32Array
  /** The part of `mean` that holds gradients: statistics have their new values there. */
  private readonly meanGradients: readonly Float32Array[]
  private readonly squares: Float64Array
  private readonly ownValues: Float32Array
  private readonly valueFetches: Feeds
  private state: Record<string, Tensor>
  private spare: Record<string, Tensor>
  readonly times: StepTimes = { gradient: 0, reduce: 0, update: 0, wait: 0 }

  private constructor(
    private setup: ReplicaSetup,
    private readonly gradientSession: Session,
    private readonly updateSession: Session,
  ) {
    const { shared, placements, shard, gradientNames } = setup
    this.barrier = new Barrier(shared.barrier, shared.gradients.length)
    this.sharedGradients = shared.gradients.map((memory) => new Float32Array(memory))
    const alone = shared.gradients.length === 1
    this.sharedParameters = alone ? undefined : new Float32Array(shared.parameters)
    this.parameters = Float32Array.from(new Float32Array(shared.parameters))
    this.gradients = new Float32Array(this.parameters.length)
    this.parameterFeeds = Object.fromEntries(placements.map((place) => [place.name, view(this.parameters, place)]))
    this.gradientFetches = Object.fromEntries(
      placements.map((place, i) => [gradientNames[i] as string, view(this.gradients, place)]),
    )
    this.mean = alone ? this.gradients : new Float32Array(shard.size)
    this.meanGradients = gradientParts(this.mean, shard)
    this.squares = new Float64Array(shared.squares)
    this.ownValues = this.parameters.subarray(shard.offset, shard.offset + shard.size)
    this.meanFeeds = blockViews(this.mean, shard, 'gradient')
    this.valueFetches = blockViews(this.ownValues, shard, 'value')
    this.state = Object.fromEntries(shard.state.map(({ name, dims, initial }) => [name, float32(dims, initial)]))
    this.spare = Object.fromEntries(
      shard.state.map(({ name, dims, initial }) => [name, float32(dims, new Float32Array(initial.length))]),
    )
  }

  /** @param device runs the gradient graph; the update, whose state lies in main memory, stays on the cpu */
  static async create(setup: ReplicaSetup, device: Device): Promise<Replica> {
    const { frugal } = setup
    const threads = device === 'cpu' ? setup.threads : 0
    const gradient = await Session.create(setup.gradientModel, { threads, device, frugal })
    const update = await Session.create(setup.shard.model, { threads, frugal })
    const replica = new Replica(setup, gradient, update)
    // What the sessions and the parameters were made from is as large as the network.
    const none = new Uint8Array()
    replica.setup = {
      ...setup,
      gradientModel: none,
      shard: { ...setup.shard, model: none },
      shared: { ...setup.shared, parameters: new SharedArrayBuffer(0) },
    }
    return replica
  }

  /** One training step, together with all other replicas. @returns the loss over this replica's share of the batch */
  async step(batch: Feeds, rates: Rates): Promise<number> {
    try {
      return await this.stepWithOthers(batch, rates)
    } catch (error) {
      this.barrier.break()
      throw error
    }
  }

  private async stepWithOthers(batch: Feeds, rates: Rates): Promise<number> {
    const { rank, loss } = this.setup
    const start = performance.now()
    const results: Results = await this.gradientSession.run({ ...batch, ...this.parameterFeeds }, this.gradientFetches)
    const ran = performance.now()
    if (this.sharedParameters !== undefined) this.sharedGradients[rank]?.set(this.gradients)
    this.barrier.wait()
    const met = performance.now()
    if (this.sharedParameters !== undefined) this.averageOwnShard()
    if (this.setup.clipNorm !== undefined) this.clip(this.setup.clipNorm)
    const reduced = performance.now()
    await this.update(rates)
    this.sharedParameters?.set(this.ownValues, this.setup.shard.offset)
    const updated = performance.now()
    this.barrier.wait()
    if (this.sharedParameters !== undefined) this.parameters.set(this.sharedParameters)
    const times = this.times
    times.gradient += ran - start
    times.reduce += reduced - met
    times.update += updated - reduced
    times.wait += met - ran + performance.now() - updated
    return (results[loss] as Tensor<'float32'>).data[0] ?? NaN
  }

  /** Current state slots and parameter values of the own shard: copies. */
  snapshot(): { state: Record<string, Float32Array>; values: Float32Array } {
    const state = Object.fromEntries(
      Object.entries(this.state).map(([name, tensor]) => [name, Float32Array.from(tensor.data as Float32Array)]),
    )
    return { state, values: Float32Array.from(this.ownValues) }
  }

  async release(): Promise<void> {
    await this.gradientSession.release()
    await this.updateSession.release()
  }

  // Always added in the order of the ranks, so that rounding does not depend on timing.
  private averageOwnShard(): void {
    const { offset, size } = this.setup.shard
    const { mean, sharedGradients } = this
    const share = 1 / sharedGradients.length
    mean.set((sharedGradients[0] as Float32Array).subarray(offset, offset + size))
    for (const gradients of sharedGradients.slice(1)) {
      for (let i = 0; i < size; i++) mean[i] = (mean[i] as number) + (gradients[offset + i] as number)
    }
    if (share !== 1) for (let i = 0; i < size; i++) mean[i] = (mean[i] as number) * share
  }

  /**
   * Scales the mean gradient down to the norm `limit` where it is longer, as PyTorch's clip_grad_norm_ does. The norm
   * is that of all replicas' shards, of the gradients of the weights as the network sees them: those of Wp, Wn and
   * latent weights are made from these.
   */
  private clip(limit: number): void {
    const { squares, meanGradients } = this
    squares[this.setup.rank] = meanGradients.reduce(
      (sum, part) => part.reduce((squared, value) => squared + value * value, sum),
      0,
    )
    // All sums are written before one is read; the barrier at the end of the step stands before the next writing.
    this.barrier.wait()
    const norm = Math.sqrt(squares.reduce((sum, part) => sum + part, 0))
    if (!(norm > limit)) return
    for (const part of meanGradients)
      for (let i = 0; i < part.length; i++) part[i] = (part[i] as number) * (limit / norm)
  }

  private async update(rates: Rates): Promise<void> {
    const { scalars, state, size } = this.setup.shard
    if (size === 0) return
    const scalarFeeds = Object.fromEntries(scalars.map((name) => [name, float32([], [rates[name]])]))
    const next = Object.fromEntries(state.map(({ name }) => [`${name}_next`, this.spare[name] as Tensor]))
    await this.updateSession.run(
      { ...scalarFeeds, ...this.state, ...this.meanFeeds },
      { ...next, ...this.valueFetches },
    )
    ;[this.state, this.spare] = [this.spare, this.state]
  }
}

function view(flat: Float32Array, { dims, offset, size }: Placement): Tensor {
  return float32(dims, flat.subarray(offset, offset + size))
}

function gradientParts(flat: Float32Array, { blocks }: ShardSetup): Float32Array[] {
  let end = 0
  return blocks.flatMap(({ role, size }) => {
    end += size
    return role === 'statistic' ? [] : [flat.subarray(end - size, end)]
  })
}

function blockViews(flat: Float32Array, shard: ShardSetup, role: 'gradient' | 'value'): Feeds {
  let offset = 0
  return Object.fromEntries(
    shard.blocks.map((block) => {
      const tensor = float32(block.dims, flat.subarray(offset, offset + block.size))
      offset += block.size
      return [block[role], tensor]
    }),
  )
}
