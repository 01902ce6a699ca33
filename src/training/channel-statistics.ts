// Mean and variance per channel of some of a network's values over calibration samples.
import { cloneModel } from '../onnx/graph-queries.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { Split } from '../data/dataset.js'
import { elementCount } from '../tensor/tensor.js'
import type { WorkerPool } from './worker-pool.js'

export interface ChannelStatistics { mean: Float32Array; variance: Float32Array }

/** Samples that the statistics are taken over, in batches of `BATCH`. */
const SAMPLES = 512
const BATCH = 64

/**
 * @param values node outputs of shape [N, C, ...] with their channel axis
 */
export async function channelStatistics(
  pool: WorkerPool, model: Model, split: Split, indices: ArrayLike<number>, values: ReadonlyMap<ValueName, number>,
): Promise<Map<ValueName, ChannelStatistics>> {
  if (values.size === 0) return new Map()
  const probe = cloneModel(model)
  probe.graph.outputs = [...values.keys()].map((name) => ({ name, type: undefined }))
  const id = 'channel statistics'
  await pool.call(0, 'load', { id, model: writeModel(probe), threads: 1 })
  const sums = new Map<ValueName, Sums>()
  const chosen = Array.prototype.slice.call(indices, 0, SAMPLES) as number[]
  for (let start = 0; start < chosen.length; start += BATCH) {
    const { inputs } = await split.batch(chosen.slice(start, start + BATCH))
    const results = await pool.call(0, 'run', { id, feeds: inputs })
    for (const [name, axis] of values) {
      const { dims, data } = results[name] as { dims: readonly number[]; data: Float32Array }
      const sum = sums.get(name) ?? { count: 0, sum: new Float64Array(dims[axis] as number), squares: new Float64Array(dims[axis] as number) }
      sums.set(name, sum)
      add(sum, data, dims, axis)
    }
  }
  await pool.call(0, 'release', { id })
  return new Map([...sums].map(([name, { count, sum, squares }]) => {
    const mean = Float32Array.from(sum, (value) => value / count)
    const variance = Float32Array.from(squares, (value, c) => Math.max(0, value / count - ((sum[c] as number) / count) ** 2))
    return [name, { mean, variance }]
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
