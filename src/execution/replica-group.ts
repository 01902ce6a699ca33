// The replicas of one training, one in each worker: set up, stepped together, and looked into.
import { TtqError } from '../errors/ttq-error.js'
import { writeModel } from '../onnx/write-model.js'
import type { Model, ValueName } from '../onnx/model.js'
import type { Feeds } from '../runtime/engine.js'
import { arrangeExchange } from './exchanges.js'
import type { FlatParameters, Placement } from './flat-parameters.js'
import type { Rates, ReplicaSetup, StepTimes } from './replica.js'
import type { ReplicaPlan } from './replica-plan.js'
import type { Ranks } from './ranks.js'
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

/** What a step comes to. */
export interface StepResult {
  /** Mean over all replicas. */
  loss: number
  /** The signal that interrupted a rank; all ranks hear of it of the same step. */
  stopBy: string | undefined
  /** What rank 0 said of `isDue`. */
  isDue: boolean
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
    private readonly ranks: Ranks,
  ) {}

  /**
   * Sets up one replica per shard, of several ranks each its own; values and graphs are let go of when this returns.
   * @param flat laid out over the replicas of all ranks
   */
  static async create(
    workers: Workers,
    graph: GradientGraph,
    { size, placements, shards }: FlatParameters,
    { clipNorm, plan, from }: ReplicaOptions,
  ): Promise<ReplicaGroup> {
    const gradientModel = writeModel(graph.model)
    const { ranks } = workers
    const replicas = shards.length / ranks.count
    const first = replicas * ranks.rank
    const ends = [...shards.slice(1).map(({ offset }) => offset), size]
    const { start, state } = await startOfAll(ranks, { size, placements, shards }, from)
    const regions = Array.from(
      { length: ranks.count },
      (_, rank) => (ends[(rank + 1) * replicas - 1] as number) - (shards[rank * replicas]?.offset as number),
    )
    const meeting = arrangeExchange({ replicas, floats: size, link: ranks.link, regions })
    const own = shards.slice(first, first + replicas)
    const setups = own.map(({ update, offset }, rank): Omit<ReplicaSetup, 'parameters'> => {
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
          state: update.state.map((slot) => ({ ...slot, initial: state.get(slot.name) ?? slot.initial })),
          size: (ends[first + rank] as number) - offset,
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
      ranks,
    )
  }

  /**
   * One training step.
   * @param shares of each replica of this rank, in pieces of the gradient graph's size
   * @param isDue whether it is time to keep the position
   */
  async step(shares: readonly (readonly Feeds[])[], rates: Rates, isDue = false): Promise<StepResult> {
    const { workers, ranks } = this
    const own = await workers.callAll('step', (rank) => ({ batches: shares[rank] as readonly Feeds[], rates }))
    const said = await ranks.gather('step', { losses: own, stopBy: ranks.wantsToStop, isDue })
    const losses = said.flatMap((each) => each.losses)
    return {
      loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      stopBy: said.find((each) => each.stopBy !== undefined)?.stopBy,
      isDue: said[0]?.isDue === true,
    }
  }

  /** Copies of all values and state slots as they are now. */
  async snapshot(): Promise<Values> {
    const own = await this.workers.callAll('snapshot', () => null)
    const parts = (await this.ranks.gather('snapshot', own)).flat()
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

interface Start {
  /** All parameters, laid out flat. */
  start: Float32Array
  /** By the names of slots, where it is not the update graphs' own. */
  state: ReadonlyMap<ValueName, Float32Array>
}

/**
 * What training starts from: of several ranks what rank 0 has, because other processors may have computed other last
 * bits.
 * @throws TtqError `runtime` where ranks have come to other parameters altogether
 */
async function startOfAll(
  ranks: Ranks,
  { size, placements, shards }: FlatParameters,
  from: Values | undefined,
): Promise<Start> {
  const layout = JSON.stringify(placements.map(({ name, size: count }) => [name, count]))
  const isFirst = ranks.rank === 0
  const said = await ranks.gather('start', {
    layout,
    own: isFirst
      ? { start: flatStart(size, placements, shards, from), state: stateOf(shards, from, ranks) }
      : undefined,
  })
  const other = said.findIndex((each) => each.layout !== said[0]?.layout)
  if (other > 0)
    throw new TtqError(
      'runtime',
      `ranks: found other parameters to train on rank ${other} than on rank 0, expected the same on all`,
      {
        hint: 'start all of them on machines of one kind: processors compute different last bits',
        facts: { rank: other },
      },
    )
  return said[0]?.own as Start
}

function flatStart(
  size: number,
  placements: readonly Placement[],
  shards: FlatParameters['shards'],
  from: Values | undefined,
): Float32Array {
  const start = new Float32Array(size)
  for (const { update, offset } of shards) {
    let end = offset
    for (const block of update.blocks) {
      start.set(block.initialValue, end)
      end += block.size
    }
  }
  for (const { name, offset } of placements) start.set(from?.values.get(name) ?? [], offset)
  return start
}

// Of a rank that is alone, the update graphs say what nobody else does.
function stateOf(shards: FlatParameters['shards'], from: Values | undefined, { count }: Ranks): Start['state'] {
  if (count === 1) return from?.state ?? new Map<ValueName, Float32Array>()
  const slots = shards.flatMap(({ update }) => update.state)
  return new Map(slots.map(({ name, initial }) => [name, from?.state.get(name) ?? initial]))
}
