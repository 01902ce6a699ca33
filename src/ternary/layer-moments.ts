// What a layer's inputs and the outputs that it should have look like together, over many samples: the sums of all
// products, from which least squares follows. The networks run in the engine, sums over chunks are float64.
import type { Split } from '../data/dataset.js'
import { walkSamples } from '../binding/walk-samples.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { removeUnusedNodes, valueNames } from '../onnx/graph-queries.js'
import { addGraph } from '../onnx/add-graph.js'
import { attributes } from '../onnx/attributes.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { Results } from '../runtime/engine.js'
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
const INPUT_MEANS = 'ttq:input_means'
const OUTPUT_MEANS = 'ttq:output_means'
const VARIANCES = 'ttq:variances'

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
  const parts: Part[] = []
  const graphs = await pool.loadInAll(bytes, { threads: 1 })
  try {
    // A chunk that had to be filled up would count some samples twice.
    const whole =
      fixedBatch === null ? indices : Array.prototype.slice.call(indices, 0, wholeBatches(indices.length, batch))
    await walkSamples(
      split,
      { indices: whole as ArrayLike<number>, batch, fixedBatch },
      graphs.map((graph) => async ({ index, inputs: feeds, count }) => {
        parts[index] = { results: await graph.run(feeds), count: count * rows.perSample }
      }),
    )
  } finally {
    await Promise.all(graphs.map((graph) => graph.release().catch(() => undefined)))
  }
  return together(parts, rows)
}

function wholeBatches(count: number, batch: number): number {
  return Math.max(batch, count - (count % batch))
}

// x: [groups, rows, columns], y: [groups, rows, channels]; less their means over the rows, MEANS, they make SUMS = xᵀ x
// and CROSSED = xᵀ y, and SQUARES of y. Means first: products of values far from zero would leave nothing of what lies
// between them in float32.
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
  // Behind the input's own values, a zero for what lies outside.
  const edge = emit('Mul', [
    emit('Gather', [flat(input, inputSize), b.constant({ type: 'int32', dims: [1], data: Int32Array.of(0) })], {
      axis: 1,
    }),
    b.constant(float32([1, 1], [0])),
  ])
  const padded = emit('Concat', [flat(input, inputSize), edge], { axis: 1 })
  // From this opset on, the axes are an input.
  const axesInput = (student.opsets.get('') ?? 0) >= 18
  const meanOverRows = (value: ValueName, name: ValueName): void => {
    const inputs = axesInput ? [value, b.constant(int64([1]))] : [value]
    b.push(plain('ReduceMean', inputs, name, attributes({ keepdims: 1, ...(!axesInput && { axes: [1] }) })))
  }
  const centred = (value: ValueName, name: ValueName): ValueName => {
    meanOverRows(value, name)
    return emit('Sub', [value, name])
  }
  const x = centred(picked(padded, inputPlaces, columns), INPUT_MEANS)
  const y = centred(picked(flat(wanted, rows.outputSize), outputPlaces, channels), OUTPUT_MEANS)
  const turned = emit('Transpose', [x], { perm: [0, 2, 1] })
  b.push(plain('MatMul', [turned, x], SUMS))
  b.push(plain('MatMul', [turned, y], CROSSED))
  const squares = emit('Mul', [y, y])
  meanOverRows(squares, VARIANCES)
  b.output(SUMS, 'float32', [groups, columns, columns])
  b.output(CROSSED, 'float32', [groups, columns, channels])
  b.output(INPUT_MEANS, 'float32', [groups, 1, columns])
  b.output(OUTPUT_MEANS, 'float32', [groups, 1, channels])
  b.output(VARIANCES, 'float32', [groups, 1, channels])
  const graph: Graph = removeUnusedNodes(b.build('moments'))
  return { irVersion: student.irVersion, opsets: new Map([...original.opsets, ...student.opsets]), graph }
}

function plain(opType: string, inputs: ValueName[], output: ValueName, own: ReturnType<typeof attributes> = {}): Node {
  return { name: output, opType, domain: '', inputs, outputs: [output], attributes: own }
}

/** What one chunk gives: moments about its own means. */
interface Part {
  count: number
  results: Results
}

// Means over all chunks first, then the moments about them: those of a chunk, and those of its means.
function together(parts: readonly Part[], { groups, columns, channels }: LayerRows): LayerMoments[] {
  const all = parts.reduce((sum, { count }) => sum + count, 0)
  const of = ({ results }: Part, name: ValueName, group: number, size: number): Float32Array =>
    (results[name] as Tensor<'float32'>).data.subarray(group * size, (group + 1) * size)
  return Array.from({ length: groups }, (_, group): LayerMoments => {
    const mean = (name: ValueName, size: number): Float64Array => {
      const sum = new Float64Array(size)
      for (const part of parts) {
        const own = of(part, name, group, size)
        for (let i = 0; i < size; i++) sum[i] = (sum[i] as number) + (part.count / all) * (own[i] as number)
      }
      return sum
    }
    const [inputMean, outputMean] = [mean(INPUT_MEANS, columns), mean(OUTPUT_MEANS, channels)]
    const gram = new Float64Array(columns * columns)
    const cross = new Float64Array(channels * columns)
    const outputVariance = new Float64Array(channels)
    for (const part of parts) {
      const share = part.count / all
      const x = of(part, INPUT_MEANS, group, columns).map((value, i) => value - (inputMean[i] as number))
      const y = of(part, OUTPUT_MEANS, group, channels).map((value, c) => value - (outputMean[c] as number))
      const sums = of(part, SUMS, group, columns * columns)
      const crossed = of(part, CROSSED, group, columns * channels)
      const variances = of(part, VARIANCES, group, channels)
      for (let i = 0; i < columns; i++) {
        const own = share * (x[i] as number)
        for (let j = 0, at = i * columns; j < columns; j++, at++)
          gram[at] = (gram[at] as number) + (sums[at] as number) / all + own * (x[j] as number)
        for (let c = 0; c < channels; c++) {
          const at = c * columns + i
          cross[at] = (cross[at] as number) + (crossed[i * channels + c] as number) / all + own * (y[c] as number)
        }
      }
      for (let c = 0; c < channels; c++)
        outputVariance[c] =
          (outputVariance[c] as number) + share * ((variances[c] as number) + (y[c] as number) * (y[c] as number))
    }
    return { count: all, gram, cross, inputMean, outputMean, outputVariance }
  })
}

/** Whether sums over what the networks computed are numbers that something can be fitted to. */
export function areFinite(moments: readonly LayerMoments[]): boolean {
  return moments.every((moment) =>
    [moment.gram, moment.cross, moment.inputMean, moment.outputMean, moment.outputVariance].every((values) =>
      values.every(Number.isFinite),
    ),
  )
}
