// Mean and variance per channel of some of a network's values over calibration samples.
import { cloneModel } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { Split } from '../data/dataset.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { WorkerPool } from './worker-pool.js'

export interface ChannelStatistics { mean: Float32Array; variance: Float32Array }

/** Samples that the statistics are taken over, in batches of `BATCH`. */
const SAMPLES = 512
const BATCH = 64

/** A node output whose channels are measured. */
export interface MeasuredValue {
  /** What the result is filed under. */
  key: string
  value: ValueName
  /** Channel axis; negative from the end. */
  axis: number
}

/** Runs the network on some of the samples. @returns mean and (population) variance of every channel, over samples and positions */
export async function channelStatistics(
  pool: WorkerPool, model: Model, split: Split, indices: ArrayLike<number>, values: readonly MeasuredValue[],
): Promise<Map<string, ChannelStatistics>> {
  if (values.length === 0) return new Map()
  const probe = cloneModel(model)
  probe.graph.outputs = values.map(({ value }) => ({ name: value, type: undefined }))
  const id = 'channel statistics'
  await pool.call(0, 'load', { id, model: writeModel(probe), threads: 1 })
  const sums = new Map<string, Sums>()
  const chosen = Array.prototype.slice.call(indices, 0, SAMPLES) as number[]
  for (let start = 0; start < chosen.length; start += BATCH) {
    const { inputs } = await split.batch(chosen.slice(start, start + BATCH))
    const results = await pool.call(0, 'run', { id, feeds: inputs })
    for (const { key, value, axis } of values) {
      const { dims, data } = results[value] as Tensor<'float32'>
      const at = axis < 0 ? dims.length + axis : axis
      const sum = sums.get(key) ?? { count: 0, sum: new Float64Array(dims[at] as number), squares: new Float64Array(dims[at] as number) }
      sums.set(key, sum)
      add(sum, data, dims, at)
    }
  }
  await pool.call(0, 'release', { id })
  return new Map([...sums].map(([key, { count, sum, squares }]) => {
    const mean = Float32Array.from(sum, (value) => value / count)
    const variance = Float32Array.from(squares, (value, c) => Math.max(0, value / count - ((sum[c] as number) / count) ** 2))
    return [key, { mean, variance }]
  }))
}

interface Sums { count: number; sum: Float64Array; squares: Float64Array }

function add(into: Sums, data: Float32Array, dims: readonly number[], axis: number): void {
  const channels = dims[axis] as number
  const inner = elementCount(dims.slice(axis + 1))
  into.count += data.length / channels
  for (let i = 0, c = 0; i < data.length; i += inner, c = (c + 1) % channels) {
    let sum = 0
    let squares = 0
    for (let j = i; j < i + inner; j++) {
      const value = data[j] as number
      sum += value
      squares += value * value
    }
    into.sum[c] = (into.sum[c] as number) + sum
    into.squares[c] = (into.squares[c] as number) + squares
  }
}
