// The one way through the samples of a split: in order, in batches of one size, by any number of workers.
import { ALONE, isOwn, type Ranks } from '../execution/ranks.js'
import type { Batch, Split } from '../data/dataset.js'
import { firstLabels } from '../data/labels.js'
import { elementCount } from '../tensor/tensor.js'

export interface SampleBatch extends Batch {
  /** Place of the batch among all of them, and of its first sample among the samples. */
  index: number
  start: number
  /** Samples asked for; what stands behind them fills up the batch. */
  count: number
}

export interface WalkOptions {
  /** Samples to walk over, default all of the split. */
  indices?: ArrayLike<number> | undefined
  /**
   * The only batch size the network takes: a last, smaller batch is filled up. Default null: as many samples as have
   * about a million values, at most 250.
   */
  fixedBatch?: number | null | undefined
  /** Samples per batch, where the network takes any. */
  batch?: number | undefined
  /** Of several ranks that share the walk, the one that takes its batches here. Default: all batches. */
  share?: Pick<Ranks, 'rank' | 'count'> | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** @param visitors one per worker, each of which is given the next batch as soon as it is done with one */
export async function walkSamples(
  split: Split,
  options: WalkOptions,
  visitors: readonly ((batch: SampleBatch) => Promise<void>)[],
): Promise<void> {
  const indices = options.indices ?? Array.from({ length: split.size }, (_, i) => i)
  const { fixedBatch, share = ALONE } = options
  const size = fixedBatch ?? options.batch ?? (await defaultBatch(split))
  const batches = Math.ceil(indices.length / size)
  let next = 0
  let done = 0
  const walk = async (visit: (batch: SampleBatch) => Promise<void>): Promise<void> => {
    for (let index = next++; index < batches; index = next++) {
      if (!isOwn(share, index)) continue
      const start = index * size
      const chosen = Array.prototype.slice.call(indices, start, start + size) as number[]
      const fill = fixedBatch === undefined || fixedBatch === null ? 0 : size - chosen.length
      const { inputs, labels } = await split.batch([...chosen, ...new Array<number>(fill).fill(chosen[0] as number)])
      await visit({ index, start, count: chosen.length, inputs, labels: firstLabels(labels, chosen.length) })
      done += chosen.length
      // The other ranks are about as far.
      options.onProgress?.(Math.min(done * share.count, indices.length), indices.length)
    }
  }
  await Promise.all(visitors.map(walk))
}

async function defaultBatch(split: Split): Promise<number> {
  const { inputs } = await split.batch([0])
  const values = Object.values(inputs).reduce((sum, { dims }) => sum + elementCount(dims), 0)
  return Math.max(1, Math.min(250, Math.floor(1e6 / values)))
}
