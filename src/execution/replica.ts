// One replica of the training: its share of every batch, its shard of every update. Runs inside a worker thread.
//
// One step: gradients of the own share -> exchange -> update of the own shard by the mean over all replicas ->
// exchange. Each shard is updated once, by one replica, so that the update is spread over the cores as well; what comes
// out depends on the seed and the number of replicas, never on which of them was faster.
import type { Device } from '../options/choices.js'
import type { Engine, Feeds, LocalGraph } from '../runtime/engine.js'
import { float32, type Tensor } from '../tensor/tensor.js'
import type { StateSlot, UpdateBlock, UpdateScalar } from '../optimizer/parameters.js'
import type { Exchange } from './exchange.js'
import { joinExchange, type Meeting } from './exchanges.js'
import type { Placement } from './flat-parameters.js'

/** All that a replica needs, as it crosses to its thread. */
export interface ReplicaSetup {
  /** Among the replicas of this process. */
  rank: number
  /** Serialized gradient graph; its inputs are the batch, the labels and every placement's name. */
  gradientModel: Uint8Array
  /** Its one-element loss output. */
  loss: string
  /** Gradient output of each placement, in order. */
  gradientNames: readonly string[]
  placements: readonly Placement[]
  shard: ShardSetup
  meeting: Meeting
  /** Initial values of all parameters, laid out flat. */
  parameters: Float32Array
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

export type Rates = Readonly<Record<UpdateScalar, number>>

/** Where the time of a step went, milliseconds. */
export interface StepTimes {
  gradient: number
  reduce: number
  update: number
  wait: number
}

export class Replica {
  private readonly exchange: Exchange
  private readonly parameterFeeds: Feeds
  private readonly gradients: Float32Array
  private readonly gradientFetches: Feeds
  private readonly meanFeeds: Feeds
  /** The part of the mean that holds gradients: statistics have their new values there. */
  private readonly meanGradients: readonly Float32Array[]
  private readonly ownValues: Float32Array
  private readonly valueFetches: Feeds
  private state: Record<string, Tensor>
  private spare: Record<string, Tensor>
  readonly times: StepTimes = { gradient: 0, reduce: 0, update: 0, wait: 0 }

  private constructor(
    private setup: ReplicaSetup,
    private readonly gradientGraph: LocalGraph,
    private readonly updateGraph: LocalGraph,
  ) {
    const { rank, meeting, parameters, placements, shard, gradientNames } = setup
    const { offset, size } = shard
    const gradients = new Float32Array(parameters.length)
    this.gradients = gradients
    this.exchange = joinExchange(meeting, { rank, gradients, parameters, offset, size })
    const { mean } = this.exchange
    this.parameterFeeds = Object.fromEntries(placements.map((place) => [place.name, view(parameters, place)]))
    this.gradientFetches = Object.fromEntries(
      placements.map((place, i) => [gradientNames[i] as string, view(gradients, place)]),
    )
    this.meanGradients = gradientParts(mean, shard)
    this.ownValues = parameters.subarray(offset, offset + size)
    this.meanFeeds = blockViews(mean, shard, 'gradient')
    this.valueFetches = blockViews(this.ownValues, shard, 'value')
    this.state = Object.fromEntries(shard.state.map(({ name, dims, initial }) => [name, float32(dims, initial)]))
    this.spare = Object.fromEntries(
      shard.state.map(({ name, dims, initial }) => [name, float32(dims, new Float32Array(initial.length))]),
    )
  }

  /** @param device runs the gradient graph; the update, whose state lies in main memory, stays on the cpu */
  static async create(setup: ReplicaSetup, engine: Engine, device: Device): Promise<Replica> {
    const { frugal } = setup
    const threads = device === 'cpu' ? setup.threads : 0
    const gradient = await engine.load(setup.gradientModel, { threads, device, frugal })
    const update = await engine.load(setup.shard.model, { threads, frugal })
    const replica = new Replica(setup, gradient, update)
    // What the graphs were made from is as large as the network.
    const none = new Uint8Array()
    replica.setup = { ...setup, gradientModel: none, shard: { ...setup.shard, model: none } }
    return replica
  }

  /**
   * One training step, together with all other replicas.
   * @param batches this replica's share of the batch, in pieces of the size that the gradient graph is for
   * @returns the loss over this share
   */
  async step(batches: readonly Feeds[], rates: Rates): Promise<number> {
    try {
      return await this.stepWithOthers(batches, rates)
    } catch (error) {
      this.exchange.abandon()
      throw error
    }
  }

  private async stepWithOthers(batches: readonly Feeds[], rates: Rates): Promise<number> {
    const { clipNorm } = this.setup
    const { exchange, times } = this
    const start = performance.now()
    const loss = await this.meanOver(batches)
    const ran = performance.now()
    const waited = exchange.waitedMs
    await exchange.reduce()
    if (clipNorm !== undefined) await this.clip(clipNorm)
    const reduced = performance.now()
    const waitedToReduce = exchange.waitedMs - waited
    await this.update(rates)
    const updated = performance.now()
    await exchange.share()
    times.gradient += ran - start
    times.reduce += reduced - ran - waitedToReduce
    times.update += updated - reduced
    times.wait += waitedToReduce + performance.now() - updated
    return loss
  }

  // Loss and gradients (of statistics: their next values) as means over the pieces, which are of one size.
  private async meanOver(batches: readonly Feeds[]): Promise<number> {
    const { gradients, gradientFetches, parameterFeeds } = this
    const { loss } = this.setup
    const sums = batches.length > 1 ? new Float32Array(gradients.length) : undefined
    let losses = 0
    for (const batch of batches) {
      const results = await this.gradientGraph.runInto({ ...batch, ...parameterFeeds }, gradientFetches)
      losses += (results[loss] as Tensor<'float32'>).data[0] ?? NaN
      if (sums !== undefined)
        for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (gradients[i] as number)
    }
    if (sums !== undefined) gradients.set(sums.map((sum) => sum / batches.length))
    return losses / batches.length
  }

  /** Current state slots and parameter values of the own shard: copies. */
  snapshot(): { state: Record<string, Float32Array>; values: Float32Array } {
    const state = Object.fromEntries(
      Object.entries(this.state).map(([name, tensor]) => [name, Float32Array.from(tensor.data as Float32Array)]),
    )
    return { state, values: Float32Array.from(this.ownValues) }
  }

  async release(): Promise<void> {
    await this.gradientGraph.release()
    await this.updateGraph.release()
  }

  /**
   * Scales the mean gradient down to the norm `limit` where it is longer, as PyTorch's clip_grad_norm_ does. The norm
   * is that of all replicas' shards, of the gradients of the weights as the network sees them: those of Wp, Wn and
   * latent weights are made from these.
   */
  private async clip(limit: number): Promise<void> {
    const { meanGradients } = this
    const squares = meanGradients.reduce(
      (sum, part) => part.reduce((squared, value) => squared + value * value, sum),
      0,
    )
    const norm = Math.sqrt(await this.exchange.addUp(squares))
    if (!(norm > limit)) return
    for (const part of meanGradients)
      for (let i = 0; i < part.length; i++) part[i] = (part[i] as number) * (limit / norm)
  }

  private async update(rates: Rates): Promise<void> {
    const { scalars, state, size } = this.setup.shard
    if (size === 0) return
    const scalarFeeds = Object.fromEntries(scalars.map((name) => [name, float32([], [rates[name]])]))
    const next = Object.fromEntries(state.map(({ name }) => [`${name}_next`, this.spare[name] as Tensor]))
    await this.updateGraph.runInto(
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
