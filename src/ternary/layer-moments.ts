// What a layer's inputs and the outputs that it should have look like together, over many samples: the sums of all
// products, from which least squares follows. The networks run in the engine, sums over chunks are float64.
import type { Split } from '../data/dataset.js'
import { walkSamples } from '../binding/walk-samples.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { removeUnusedNodes, valueNames } from '../onnx/graph-queries.js'
import { addGraph } from '../onnx/add-graph.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { DATA_TYPES, type FloatType } from '../tensor/data-type.js'
import { float32, int64, type Tensor } from '../tensor/tensor.js'
import type { LayerRows } from './layer-rows.js'

/** Per group, over all rows; centred: the means are taken out. */
export interface LayerMoments {
  /** Rows that were added up. */
  count: number
  /** [columns, columns]: mean product of two inputs. */
  gram: Float64Array
  /** [channels, columns]: mean product of an output and an input. */
  cross: Float64Array
  inputMean: Float64Array
  outputMean: Float64Array
  /** Of each channel of the output. */
  outputVariance: Float64Array
}

export interface LayerPlace {
  /** The network as it was, and as far as it is compressed. */
  original: Model
  student: Model
  /** The layer's input, in the student. */
  input: ValueName
  /** What the layer has to give, in the original. */
  target: ValueName
  /** A value that is added to the target: what the student's lacks of the original's, the layer makes up for. */
  beside: ValueName | undefined
  rows: LayerRows
  /** Of the layer's input and output. */
  type: FloatType
}

export interface Samples {
  split: Split
  indices: ArrayLike<number>
  /** The only batch size that the network takes, or null. */
  fixedBatch: number | null
}

const ORIGINAL = 'ttq:original/'
const SUMS = 'ttq:sums'
const CROSSED = 'ttq:crossed'

/** Numbers that one chunk holds of the layer's rows, and of the network's inputs. */
const CHUNK_VALUES = 2 ** 23
const CHUNK_INPUTS = 2 ** 21
const CHUNK_SAMPLES = 128

/** One per group. @throws TtqError `runtime` when the networks do not run */
export async function layerMoments(pool: WorkerPool, place: LayerPlace, samples: Samples): Promise<LayerMoments[]> {
  const { rows } = place
  const { split, indices, fixedBatch } = samples
  const first = await split.batch([indices[0] as number])
  const inputs = Object.values(first.inputs).reduce((sum, { data }) => sum + data.length, 0)
  const perSample = rows.perSample * rows.groups * (rows.columns + 2 * rows.channels)
  const batch =
    fixedBatch ??
    Math.max(1, Math.min(CHUNK_SAMPLES, Math.floor(CHUNK_VALUES / perSample), Math.floor(CHUNK_INPUTS / inputs)))
  const bytes = writeModel(momentsModel(place))
  const parts: [Tensor<'float32'>, Tensor<'float32'>, number][] = []
  const graphs = await pool.loadInAll(bytes, { threads: 1 })
  try {
    // A chunk that had to be filled up would count some samples twice.
    const whole =
      fixedBatch === null ? indices : Array.prototype.slice.call(indices, 0, wholeBatches(indices.length, batch))
    await walkSamples(
      split,
      { indices: whole as ArrayLike<number>, batch, fixedBatch },
      graphs.map((graph) => async ({ index, inputs: feeds, count }) => {
        const results = await graph.run(feeds, [SUMS, CROSSED])
        parts[index] = [
          results[SUMS] as Tensor<'float32'>,
          results[CROSSED] as Tensor<'float32'>,
          count * rows.perSample,
        ]
      }),
    )
  } finally {
    await Promise.all(graphs.map((graph) => graph.release().catch(() => undefined)))
  }
  return centred(parts, rows)
}

function wholeBatches(count: number, batch: number): number {
  return Math.max(batch, count - (count % batch))
}

// x: [groups, rows, columns + 1], whose last column is 1; y: [groups, rows, 2 channels], outputs and their squares.
// SUMS = xᵀ x, CROSSED = xᵀ y.
function momentsModel({ original, student, input, target, beside, rows, type }: LayerPlace): Model {
  const b = new GraphBuilder(valueNames(student.graph))
  addGraph(b, student.graph, (name) => name)
  const shared = new Set(student.graph.inputs.map(({ name }) => name))
  const named = (name: ValueName): ValueName => (shared.has(name) ? name : ORIGINAL + name)
  addGraph(b, original.graph, named)
  // Names of nodes must differ from those of the networks, too.
  const emit = (op: string, inputs: readonly ValueName[], attributes: Parameters<typeof b.emit>[2] = {}): ValueName =>
    b.emit(op, inputs, attributes, `ttq:${op}`)
  b.inputs.push(...student.graph.inputs)
  const wanted =
    beside === undefined ? named(target) : emit('Add', [named(target), emit('Sub', [named(beside), beside])])
  const { groups, columns, channels, inputPlaces, inputSize, outputPlaces } = rows
  const single = (value: ValueName): ValueName =>
    type === 'float32' ? value : emit('Cast', [value], { to: DATA_TYPES.float32.onnx })
  const flat = (value: ValueName, size: number): ValueName =>
    emit('Reshape', [single(value), b.constant(int64([-1, size]))])
  const picked = (value: ValueName, places: Int32Array, width: number): ValueName => {
    const index: Tensor = { type: 'int32', dims: [places.length], data: places }
    const all = emit('Gather', [value, b.constant(index, 'ttq:places')], { axis: 1 })
    const byRow = emit('Reshape', [all, b.constant(int64([-1, groups, width]))])
    return emit('Transpose', [byRow], { perm: [1, 0, 2] })
  }
  // Behind the input's own values: a zero for what lies outside, and the one of the last column.
  const edge = emit('Mul', [
    emit('Gather', [flat(input, inputSize), b.constant({ type: 'int32', dims: [1], data: Int32Array.of(0) })], {
      axis: 1,
    }),
    b.constant(float32([1, 2], [0, 0])),
  ])
  const ends = emit('Add', [edge, b.constant(float32([1, 2], [0, 1]))])
  const padded = emit('Concat', [flat(input, inputSize), ends], { axis: 1 })
  const x = picked(padded, withOnes(inputPlaces, columns, inputSize + 1), columns + 1)
  const y = picked(flat(wanted, rows.outputSize), outputPlaces, channels)
  const turned = emit('Transpose', [x], { perm: [0, 2, 1] })
  const both = emit('Concat', [y, emit('Mul', [y, y])], { axis: 2 })
  b.push({ name: SUMS, opType: 'MatMul', domain: '', inputs: [turned, x], outputs: [SUMS], attributes: {} })
  b.push({ name: CROSSED, opType: 'MatMul', domain: '', inputs: [turned, both], outputs: [CROSSED], attributes: {} })
  b.output(SUMS, 'float32', [groups, columns + 1, columns + 1])
  b.output(CROSSED, 'float32', [groups, columns + 1, 2 * channels])
  const graph: Graph = removeUnusedNodes(b.build('moments'))
  return { irVersion: student.irVersion, opsets: new Map([...original.opsets, ...student.opsets]), graph }
}

function withOnes(places: Int32Array, columns: number, one: number): Int32Array {
  const rows = places.length / columns
  return Int32Array.from({ length: rows * (columns + 1) }, (_, i) => {
    const column = i % (columns + 1)
    return column === columns ? one : (places[Math.floor(i / (columns + 1)) * columns + column] as number)
  })
}

function centred(
  parts: readonly [Tensor<'float32'>, Tensor<'float32'>, number][],
  { groups, columns, channels }: LayerRows,
): LayerMoments[] {
  const [side, wide] = [columns + 1, 2 * channels]
  return Array.from({ length: groups }, (_, group) => {
    const sums = total(parts.map(([part]) => part.data.subarray(group * side * side, (group + 1) * side * side)))
    const crossed = total(parts.map(([, part]) => part.data.subarray(group * side * wide, (group + 1) * side * wide)))
    const count = sums[side * side - 1] as number
    const inputMean = Float64Array.from({ length: columns }, (__, i) => (sums[columns * side + i] as number) / count)
    const outputMean = Float64Array.from(
      { length: channels },
      (__, c) => (crossed[columns * wide + c] as number) / count,
    )
    const gram = new Float64Array(columns * columns)
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < columns; j++)
        gram[i * columns + j] =
          (sums[i * side + j] as number) / count - (inputMean[i] as number) * (inputMean[j] as number)
    const cross = new Float64Array(channels * columns)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < columns; i++)
        cross[c * columns + i] =
          (crossed[i * wide + c] as number) / count - (outputMean[c] as number) * (inputMean[i] as number)
    const outputVariance = outputMean.map((mean, c) =>
      Math.max(0, (crossed[columns * wide + channels + c] as number) / count - mean * mean),
    )
    return { count, gram, cross, inputMean, outputMean, outputVariance }
  })
}

// In the order of the samples, whoever was done first.
function total(parts: readonly Float32Array[]): Float64Array {
  const sum = new Float64Array(parts[0]?.length ?? 0)
  for (const part of parts) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (part[i] as number)
  return sum
}
