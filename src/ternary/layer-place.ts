// Where a layer stands in both networks: what goes in, what has to come out, and what stands beside it.
import { randomSource } from '../data/random.js'
import { attribute } from '../onnx/attributes.js'
import { consumers, producers } from '../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import type { FloatType } from '../tensor/data-type.js'
import { float32Values } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import { ternaryScales } from '../methods/threshold.js'
import { scalableLayer } from './divide-channels.js'
import { takesChannelScales } from './insert-channel-scales.js'
import { channelCount, isRecurrent, type LayerChoice } from './layer-choice.js'
import { layerRows, type ProductRows } from './layer-rows.js'
import { rowsOf } from './recurrent-layers.js'
import { gainsOf, normParameters, ownNorm } from './own-norm.js'
import { weightRows } from './weight-rows.js'

/** Rows that a layer is fitted on, at most, and places of its output that are looked at in each sample. */
const ROWS = 65_536
const PLACES = { least: 16, most: 256 } as const

export interface Place {
  rows: ProductRows
  layer: ValueName
  input: ValueName
  target: ValueName
  beside: ValueName | undefined
  /** The batch norm behind the layer that takes up factors and shifts. */
  norm: Node | undefined
  /** What one unit of the layer's own output is in the target, per channel. */
  gain: Float64Array
  /** Of the student, in rows. */
  weights: Float64Array
  type: FloatType
  outputRank: number
  /** A factor of the product that is no weight: Gemm's alpha. */
  product: number
}

export interface Seen {
  /** Of all values, for a batch of so many. */
  shapes: ReadonlyMap<ValueName, readonly number[]>
  batch: number
  samples: number
  seed: number
  /** Weights that are ternary as they are do not stay so: another share of them is to be zero. */
  becomeOthers?: boolean
}

/** undefined where the layer is no product of rows: it is fitted by itself then. */
export function placeOf(
  original: Model,
  student: Model,
  choice: LayerChoice,
  { shapes, batch, samples, seed, becomeOthers }: Seen,
): Place | undefined {
  if (isRecurrent(choice)) return recurrentPlace(student, choice, { shapes, batch, samples, seed })
  const node = scalableLayer(student.graph, choice, becomeOthers)
  if (node === undefined || !takesChannelScales(student)) return undefined
  const weight = student.graph.initializers.get(choice.weight) as Tensor<FloatType>
  const bias = choice.op === 'MatMul' ? '' : (node.inputs[2] ?? '')
  const channels = channelCount(choice)
  if (bias !== '' && ![1, channels].includes(student.graph.initializers.get(bias)?.data.length ?? 0)) return undefined
  const [input, output] = [node.inputs[0] as ValueName, choice.outputs[0] as ValueName]
  const norm = choice.op === 'MatMul' ? undefined : ownNorm(student.graph, output)
  const [inputDims, outputDims] = [shapes.get(input), shapes.get(output)]
  if (inputDims === undefined || outputDims === undefined) return undefined
  const [inputOwn, outputOwn] = [ofSample(inputDims, choice, batch), ofSample(outputDims, choice, batch)]
  if (inputOwn === undefined || outputOwn === undefined) return undefined
  const random = randomSource(seed, 'places', choice.weight)
  const { places, parts } = placesPerSample(inputDims, batch, samples)
  const rows = layerRows(node, choice, { input: inputOwn, output: outputOwn }, places, random)
  if (rows === undefined) return undefined
  const target = norm === undefined ? output : (norm.outputs[0] as ValueName)
  const gain = normGain(student.graph, norm, rows.groups * rows.channels)
  return {
    rows: { ...rows, perSample: rows.perSample * parts },
    layer: output,
    input,
    target,
    beside: valueBeside(original.graph, target, shapes),
    norm,
    gain,
    weights: weightRows(rows.weightPlaces, float32Values(weight)),
    type: weight.type,
    outputRank: outputDims.length,
    product: choice.op === 'Gemm' ? attribute(node, 'alpha', 'float', 1) : 1,
  }
}

// Of a layer that stands outside of its node (opened-layers.ts), whose output is its product.
function recurrentPlace(
  student: Model,
  choice: LayerChoice,
  { shapes, batch, samples, seed }: Seen,
): Place | undefined {
  const { weight, outputs } = choice
  const target = outputs[0] as ValueName
  const input = rowsOf(weight)
  const tensor = student.graph.initializers.get(weight) as Tensor<FloatType>
  const [inputDims, outputDims] = [shapes.get(input), shapes.get(target)]
  if (inputDims === undefined || outputDims === undefined || !takesChannelScales(student)) return undefined
  if (ternaryScales(float32Values(tensor)) !== undefined) return undefined
  const [inputOwn, outputOwn] = [ofSample(inputDims, choice, batch), ofSample(outputDims, choice, batch)]
  if (inputOwn === undefined || outputOwn === undefined) return undefined
  const { places, parts } = placesPerSample(inputDims, batch, samples)
  const node = producers(student.graph).get(target) as Node
  const rows = layerRows(
    node,
    choice,
    { input: inputOwn, output: outputOwn },
    places,
    randomSource(seed, 'places', weight),
  )
  return (
    rows && {
      rows: { ...rows, perSample: rows.perSample * parts },
      layer: target,
      input,
      target,
      beside: undefined,
      norm: undefined,
      gain: new Float64Array(rows.groups * rows.channels).fill(1),
      weights: weightRows(rows.weightPlaces, float32Values(tensor)),
      type: tensor.type,
      outputRank: outputDims.length,
      product: 1,
    }
  )
}

// Rows to take of a sample, or of each of the windows or turns that it has along the first axis.
function placesPerSample(dims: readonly number[], batch: number, samples: number): { places: number; parts: number } {
  const parts = Math.max(1, Math.floor((dims[0] ?? 0) / batch))
  const wanted = Math.max(PLACES.least, Math.min(PLACES.most, Math.floor(ROWS / samples)))
  return { places: Math.ceil(wanted / parts), parts }
}

// A value's dimensions without the batch, or what takes its place along the first axis: windows of images, turns of a
// loop. Of a network that is run on one sample at a time all rows of a product are that sample's, whatever axis they
// lie on.
function ofSample(dims: readonly number[], { outputAxis }: LayerChoice, batch: number): readonly number[] | undefined {
  if (batch === 1 && outputAxis < 0 && dims.length === 1) return dims
  return dims[0] !== undefined && dims[0] > 0 && dims[0] % batch === 0 ? dims.slice(1) : undefined
}

function normGain(graph: Graph, norm: Node | undefined, channels: number): Float64Array {
  if (norm === undefined) return new Float64Array(channels).fill(1)
  return gainsOf(normParameters(graph, norm))
}

// The other operand of the sum that a value goes into, where it does not depend on the value itself: what the student
// has lost on that branch is made up for on this one.
function valueBeside(
  graph: Graph,
  value: ValueName,
  shapes: ReadonlyMap<ValueName, readonly number[]>,
): ValueName | undefined {
  const users = consumers(graph).get(value) ?? []
  const [sum] = users
  if (
    users.length !== 1 ||
    sum?.opType !== 'Add' ||
    sum.domain !== '' ||
    graph.outputs.some(({ name }) => name === value)
  )
    return undefined
  const other = sum.inputs.find((name) => name !== value)
  if (other === undefined || graph.initializers.has(other)) return undefined
  if (shapes.get(other)?.join() !== shapes.get(value)?.join()) return undefined
  return dependsOn(graph, other, value) ? undefined : other
}

function dependsOn(graph: Graph, value: ValueName, source: ValueName): boolean {
  const makers = producers(graph)
  const seen = new Set<ValueName>()
  const open = [value]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === source) return true
    if (seen.has(name)) continue
    seen.add(name)
    open.push(...(makers.get(name)?.inputs ?? []))
  }
  return false
}
