// The replicas of one training, one in each worker: set up, stepped together, and looked into.
import { writeModel } from '../onnx/write-model.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { Feeds } from '../runtime/engine.js'
import { arrangeExchange } from './exchanges.js'
import type { FlatParameters, Placement } from './flat-parameters.js'
import type { Rates, ReplicaSetup, StepTimes } from './replica.js'
import type { ReplicaPlan } from './replica-plan.js'
import type { Workers } from './worker-pool.js'

/** Values of all parameters and state slots by name. */
interface Values {
  values: ReadonlyMap<ValueName, Float32Array>
  state: ReadonlyMap<ValueName, Float32Array>
}

interface GradientGraph {
  model: Model
  loss: ValueName
  /** Parameter -> output with its gradient. */
  gradients: ReadonlyMap<ValueName, ValueName>
}

interface ReplicaOptions {
  plan: ReplicaPlan
  /** Largest norm of the mean gradient over all parameters; absent: no limit. */
  clipNorm?: number | undefined
  /** What to start from in the place of the update graphs' own values. */
  from?: Values | undefined
}

export class ReplicaGroup {
  private constructor(
    private readonly workers: Workers,
    private readonly placements: readonly Placement[],
    private readonly shardOffsets: readonly number[],
  ) {}

  /** Sets up one replica per shard; values and graphs are let go of when this returns. */
  static async create(
    workers: Workers,
    graph: GradientGraph,
    { size, placements, shards }: FlatParameters,
    { clipNorm, plan, from }: ReplicaOptions,
  ): Promise<ReplicaGroup> {
    const start = new Float32Array(size)
    const gradientModel = writeModel(graph.model)
    const meeting = arrangeExchange(shards.length, size)
    const setups = shards.map(({ update, offset }, rank): Omit<ReplicaSetup, 'parameters'> => {
      let end = offset
      for (const block of update.blocks) {
        start.set(block.initialValue, end)
        end += block.size
      }
      return {
        rank,
        threads: plan.threads,
        frugal: plan.frugal,
        gradientModel,
        loss: graph.loss,
        placements,
        meeting,
        ...(clipNorm === undefined ? {} : { clipNorm }),
        gradientNames: placements.map(({ name }) => graph.gradients.get(name) as string),
        shard: {
          model: writeModel(update.model),
          scalars: update.scalars,
          offset,
          state: update.state.map((slot) => ({ ...slot, initial: from?.state.get(slot.name) ?? slot.initial })),
          size: end - offset,
          blocks: update.blocks.map(({ role, gradient, value, size: count, dims }) => ({
            role,
            gradient,
            value,
            size: count,
            dims,
          })),
        },
      }
    })
    for (const { name, offset } of placements) start.set(from?.values.get(name) ?? [], offset)
    await workers.callAll(
      'createReplica',
      (rank) => ({
        ...(setups[rank] as (typeof setups)[number]),
        parameters: rank < setups.length - 1 ? start.slice() : start,
      }),
      ({ parameters }) => [parameters.buffer as ArrayBuffer],
    )
    return new ReplicaGroup(
      workers,
      placements,
      shards.map(({ offset }) => offset),
    )
  }

  /** One training step. @param shares each replica's, in pieces of the gradient graph's size; @returns the mean loss */
  async step(shares: readonly (readonly Feeds[])[], rates: Rates): Promise<number> {
    const losses = await this.workers.callAll('step', (rank) => ({ batches: shares[rank] as readonly Feeds[], rates }))
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
  }

  /** Copies of all values and state slots as they are now. */
  async snapshot(): Promise<Values> {
    const parts = await this.workers.callAll('snapshot', () => null)
    const valuesOf = ({ offset, size }: Placement): Float32Array => {
      const rank = this.shardOffsets.findLastIndex((start) => start <= offset)
      const start = offset - (this.shardOffsets[rank] as number)
      return (parts[rank]?.values as Float32Array).subarray(start, start + size)
    }
    return {
      values: new Map(this.placements.map((place) => [place.name, valuesOf(place)])),
      state: new Map(parts.flatMap(({ state }) => Object.entries(state))),
    }
  }

  /** Where the first replica's time went so far. */
  async times(): Promise<StepTimes> {
    return (await this.workers.callAll('times', () => null))[0] as StepTimes
  }
}
