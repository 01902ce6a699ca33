// Mean and variance per channel of some of a network's values over calibration samples.
import { cloneModel } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { Split } from '../data/dataset.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { type SampleBatch, walkSamples } from './walk-samples.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { withLoaded } from '../runtime/engine.js'

/** Samples that the statistics are taken over, in batches of `BATCH`. */
const SAMPLES = 512
const BATCH = 64

/** Over samples and positions; the variance is the population's. */
export interface ChannelStatistics {
  mean: ArrayLike<number>
  variance: ArrayLike<number>
}

/** A node output whose channels are measured. */
interface MeasuredValue {
  /** What the result is filed under. */
  key: string
  value: ValueName
  /** Channel axis; negative from the end. */
  axis: number
}

export interface CalibrationSamples {
  split: Split
  indices: ArrayLike<number>
  /** The only batch size that the network takes, or null. */
  fixedBatch: number | null
}

/**
 * Runs the network on some of the samples. @returns mean and (population) variance of every channel, over samples and
 * positions
 */
export async function channelStatistics(
  pool: WorkerPool,
  model: Model,
  { split, indices, fixedBatch }: CalibrationSamples,
  values: readonly MeasuredValue[],
): Promise<Map<string, ChannelStatistics>> {
  if (values.length === 0) return new Map()
  const probe = cloneModel(model)
  probe.graph.outputs = values.map(({ value }) => ({ name: value, type: undefined }))
  const sums = new Map(values.map(({ key, axis }) => [key, new ChannelSums(axis)]))
  const chosen = Array.prototype.slice.call(indices, 0, SAMPLES) as number[]
  await withLoaded(pool, writeModel(probe), { threads: 1, device: pool.device }, async (graph) => {
    const add = async ({ inputs }: SampleBatch): Promise<void> => {
      const results = await graph.run(inputs)
      for (const { key, value } of values) sums.get(key)?.add(results[value] as Tensor<'float32'>)
    }
    await walkSamples(split, { indices: chosen, batch: BATCH, fixedBatch }, [add])
  })
  return new Map([...sums].map(([key, sum]) => [key, sum.statistics()]))
}

/** Adds up one layer's outputs, so that no more than one batch of them is held. */
export class ChannelSums {
  private count = 0
  private sum = new Float64Array()
  private squares = new Float64Array()

  /** @param axis channel axis of the outputs; negative from the end */
  constructor(private readonly axis: number) {}

  add({ dims, data }: Tensor<'float32'>): void {
    const axis = this.axis < 0 ? dims.length + this.axis : this.axis
    const channels = dims[axis] as number
    if (this.count === 0) [this.sum, this.squares] = [new Float64Array(channels), new Float64Array(channels)]
    const inner = elementCount(dims.slice(axis + 1))
    for (let start = 0, channel = 0; start < data.length; start += inner, channel = (channel + 1) % channels) {
      let sum = 0
      let squares = 0
      for (let i = start; i < start + inner; i++) {
        const value = data[i] as number
        sum += value
        squares += value * value
      }
      this.sum[channel] = (this.sum[channel] as number) + sum
      this.squares[channel] = (this.squares[channel] as number) + squares
    }
    this.count += data.length / channels
  }

  statistics(): ChannelStatistics {
    const mean = this.sum.map((sum) => sum / this.count)
    return {
      mean,
      variance: this.squares.map((squares, channel) =>
        Math.max(0, squares / this.count - (mean[channel] as number) ** 2),
      ),
    }
  }
}
