// What a layer's inputs and the outputs that it should have look like together, over many samples: the sums of all
// products, from which least squares follows. The networks run in the engine, sums over chunks are float64.
import { attributes } from '../onnx/attributes.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { Model, Node, ValueName } from '../onnx/model.js'
import type { Results } from '../runtime/engine.js'
import { DATA_TYPES, type FloatType } from '../tensor/data-type.js'
import { float32, int64, type Tensor } from '../tensor/tensor.js'
import type { LayerRows } from './layer-rows.js'
import type { Ending, PairedNetworks } from './paired-networks.js'

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
  /** The layer's input, in the student. */
  input: ValueName
  /** What the layer has to give, in the original. */
  target: ValueName
  /** A value that is added to the target: what the student's lacks of the original's, the layer makes up for. */
  beside: ValueName | undefined
  rows: LayerRows
  /** Whether the target is what the student's lacks of the original's. */
  residual?: boolean
  /** Of the layer's input and output. */
  type: FloatType
}

const SUMS = 'ttq:sums'
const CROSSED = 'ttq:crossed'
const INPUT_MEANS = 'ttq:input_means'
const OUTPUT_MEANS = 'ttq:output_means'
const VARIANCES = 'ttq:variances'

/**
 * One per group.
 * @param student the network as far as it is compressed
 * @throws TtqError `runtime` when the networks do not run
 */
export async function layerMoments(
  networks: PairedNetworks,
  student: Model,
  place: LayerPlace,
): Promise<LayerMoments[]> {
  const opset = student.opsets.get('') ?? 0
  const outputs = [SUMS, CROSSED, INPUT_MEANS, OUTPUT_MEANS, VARIANCES]
  const sums = nothingYet(place.rows)
  const ending: Ending = (b, original) => {
    endWithMoments(b, place, original, opset)
  }
  await networks.run(student, outputs, ending, ({ samples, results }) => {
    add(sums, { count: samples * place.rows.perSample, results }, place.rows)
  })
  return sums.map(meanOf)
}

// x: [groups, rows, columns], y: [groups, rows, channels]; less their means over the rows, MEANS, they make SUMS = xᵀ x
// and CROSSED = xᵀ y, and SQUARES of y. Means first: products of values far from zero would leave nothing of what lies
// between them in float32.
function endWithMoments(
  b: GraphBuilder,
  { input, target, beside, rows, residual, type }: LayerPlace,
  named: (name: ValueName) => ValueName,
  opset: number,
): void {
  // Names of nodes must differ from those of the networks, too.
  const emit = (op: string, inputs: readonly ValueName[], attributes: Parameters<typeof b.emit>[2] = {}): ValueName =>
    b.emit(op, inputs, attributes, `ttq:${op}`)
  const whole =
    beside === undefined ? named(target) : emit('Add', [named(target), emit('Sub', [named(beside), beside])])
  const wanted = residual === true ? emit('Sub', [whole, target]) : whole
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
  const axesInput = opset >= 18
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
}

function plain(opType: string, inputs: ValueName[], output: ValueName, own: ReturnType<typeof attributes> = {}): Node {
  return { name: output, opType, domain: '', inputs, outputs: [output], attributes: own }
}

/** What one chunk gives: moments about its own means. */
interface Part {
  count: number
  results: Results
}

// Sums as they grow: chunks of wide layers are too large for all of them to be held at once.
function nothingYet({ groups, columns, channels }: LayerRows): LayerMoments[] {
  return Array.from({ length: groups }, () => ({
    count: 0,
    gram: new Float64Array(columns * columns),
    cross: new Float64Array(channels * columns),
    inputMean: new Float64Array(columns),
    outputMean: new Float64Array(channels),
    outputVariance: new Float64Array(channels),
  }))
}

// Sums about the mean of what was added before and sums about the mean of the part, moved to the mean of both:
// Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
function add(sums: LayerMoments[], { count, results }: Part, { columns, channels }: LayerRows): void {
  for (const [group, moments] of sums.entries()) {
    const of = (name: ValueName, size: number): Float32Array =>
      (results[name] as Tensor<'float32'>).data.subarray(group * size, (group + 1) * size)
    const { gram, cross, outputVariance } = moments
    const all = moments.count + count
    const between = (moments.count * count) / all
    const x = apart(moments.inputMean, of(INPUT_MEANS, columns), count / all)
    const y = apart(moments.outputMean, of(OUTPUT_MEANS, channels), count / all)
    const products = of(SUMS, columns * columns)
    const crossed = of(CROSSED, columns * channels)
    const variances = of(VARIANCES, channels)
    for (let i = 0; i < columns; i++) {
      const own = between * (x[i] as number)
      for (let j = 0, at = i * columns; j < columns; j++, at++)
        gram[at] = (gram[at] as number) + (products[at] as number) + own * (x[j] as number)
      for (let c = 0; c < channels; c++) {
        const at = c * columns + i
        cross[at] = (cross[at] as number) + (crossed[i * channels + c] as number) + own * (y[c] as number)
      }
    }
    for (let c = 0; c < channels; c++) {
      const own = (variances[c] as number) * count + between * (y[c] as number) ** 2
      outputVariance[c] = (outputVariance[c] as number) + own
    }
    moments.count = all
  }
}

// How far a part's means lie from those before, which become those of both. @param share of the part in both
function apart(mean: Float64Array, part: Float32Array, share: number): Float64Array {
  const distance = Float64Array.from(part, (value, i) => value - (mean[i] as number))
  for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + share * (distance[i] as number)
  return distance
}

function meanOf({ count, gram, cross, outputVariance, ...means }: LayerMoments): LayerMoments {
  for (const sums of [gram, cross, outputVariance])
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) / count
  return { count, gram, cross, outputVariance, ...means }
}

/** Whether sums over what the networks computed are numbers that something can be fitted to. */
export function areFinite(moments: readonly LayerMoments[]): boolean {
  return moments.every((moment) =>
    [moment.gram, moment.cross, moment.inputMean, moment.outputMean, moment.outputVariance].every((values) =>
      values.every(Number.isFinite),
    ),
  )
}
