// A layer as a product of rows: which input values make up each value of its output. From here on a convolution, a Gemm
// and a MatMul are the same thing.
import { attribute } from '../onnx/attributes.js'
import type { Node } from '../onnx/model.js'
import type { RandomSource } from '../data/random.js'
import { elementCount } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'

/** Per group: `columns` inputs make `channels` outputs. */
export interface LayerRows {
  groups: number
  columns: number
  channels: number
  /** Rows taken of each sample. */
  perSample: number
  /**
   * [perSample, groups, columns]: places in a sample's flattened input; `inputSize` stands for the zeros around it.
   */
  inputPlaces: Int32Array
  inputSize: number
  /** [perSample, groups, channels]: places in a sample's flattened output. */
  outputPlaces: Int32Array
  outputSize: number
}

interface LayerDims {
  /** Without the batch. */
  input: readonly number[]
  output: readonly number[]
}

/**
 * The rows of a layer, at no more than `most` places of its output, drawn at random.
 * @returns undefined for layers that are no such product
 */
export function layerRows(
  node: Node,
  choice: LayerChoice,
  dims: LayerDims,
  most: number,
  random: RandomSource,
): LayerRows | undefined {
  switch (choice.op) {
    case 'Conv':
      return convolutionRows(node, choice, dims, most, random)
    case 'Gemm':
    case 'MatMul':
      return productRows(node, choice, dims, most, random)
    default:
      return undefined
  }
}

// https://onnx.ai/onnx/operators/onnx__Conv.html
function convolutionRows(
  node: Node,
  { dims: weight }: LayerChoice,
  { input, output }: LayerDims,
  most: number,
  random: RandomSource,
): LayerRows {
  const [outputChannels = 1, groupChannels = 1, ...kernel] = weight
  const groups = attribute(node, 'group', 'int', 1)
  const channels = outputChannels / groups
  const [inputShape, outputShape] = [input.slice(1), output.slice(1)]
  const ones = kernel.map(() => 1)
  const strides = attribute(node, 'strides', 'ints', ones)
  const dilations = attribute(node, 'dilations', 'ints', ones)
  const begins = paddingBegins(node, { inputShape, outputShape, kernel, strides, dilations })
  const [inputSize, inputArea, outputArea] = [elementCount(input), elementCount(inputShape), elementCount(outputShape)]
  const places = draw(outputArea, most, random)
  const kernelArea = elementCount(kernel)
  const columns = groupChannels * kernelArea
  const inputPlaces = new Int32Array(places.length * groups * columns)
  const outputPlaces = new Int32Array(places.length * outputChannels)
  const offsets = Array.from({ length: kernelArea }, (_, i) => coordinates(i, kernel))
  places.forEach((place, row) => {
    const at = coordinates(place, outputShape)
    for (let tap = 0; tap < kernelArea; tap++) {
      const offset = offsets[tap] as number[]
      let inside: number | undefined = 0
      for (const [axis, size] of inputShape.entries()) {
        const coordinate =
          (at[axis] as number) * (strides[axis] as number) -
          (begins[axis] as number) +
          (offset[axis] as number) * (dilations[axis] as number)
        inside = inside === undefined || coordinate < 0 || coordinate >= size ? undefined : inside * size + coordinate
      }
      for (let group = 0; group < groups; group++)
        for (let c = 0; c < groupChannels; c++)
          inputPlaces[(row * groups + group) * columns + c * kernelArea + tap] =
            inside === undefined ? inputSize : (group * groupChannels + c) * inputArea + inside
    }
    for (let channel = 0; channel < outputChannels; channel++)
      outputPlaces[row * outputChannels + channel] = channel * outputArea + place
  })
  const outputSize = elementCount(output)
  return { groups, columns, channels, perSample: places.length, inputPlaces, inputSize, outputPlaces, outputSize }
}

interface Window {
  inputShape: readonly number[]
  outputShape: readonly number[]
  kernel: readonly number[]
  strides: readonly number[]
  dilations: readonly number[]
}

function paddingBegins(node: Node, { inputShape, outputShape, kernel, strides, dilations }: Window): number[] {
  const way = attribute(node, 'auto_pad', 'string', 'NOTSET')
  if (way === 'VALID') return kernel.map(() => 0)
  if (way === 'NOTSET' || way === '')
    return [
      ...attribute(
        node,
        'pads',
        'ints',
        kernel.map(() => 0),
      ),
    ].slice(0, kernel.length)
  return kernel.map((taps, axis) => {
    const reach = (taps - 1) * (dilations[axis] as number) + 1
    const whole = ((outputShape[axis] as number) - 1) * (strides[axis] as number) + reach
    const total = Math.max(0, whole - (inputShape[axis] as number))
    return way === 'SAME_LOWER' ? Math.ceil(total / 2) : Math.floor(total / 2)
  })
}

// All axes but the last count rows.
function productRows(
  _node: Node,
  { dims: weight, channelAxis }: LayerChoice,
  { input, output }: LayerDims,
  most: number,
  random: RandomSource,
): LayerRows | undefined {
  if (weight.length !== 2) return undefined
  const [channels, columns] = [weight[channelAxis] as number, weight[1 - channelAxis] as number]
  if (input.at(-1) !== columns || output.at(-1) !== channels) return undefined
  const [inputSize, outputSize] = [elementCount(input), elementCount(output)]
  if (inputSize / columns !== outputSize / channels) return undefined
  const rows = draw(inputSize / columns, most, random)
  const spread = (size: number): Int32Array =>
    Int32Array.from(
      { length: rows.length * size },
      (_, i) => (rows[Math.floor(i / size)] as number) * size + (i % size),
    )
  return {
    groups: 1,
    columns,
    channels,
    perSample: rows.length,
    inputPlaces: spread(columns),
    inputSize,
    outputPlaces: spread(channels),
    outputSize,
  }
}

// So many of the numbers below `count`, in order.
function draw(count: number, most: number, random: RandomSource): Int32Array {
  const chosen = Int32Array.from({ length: count }, (_, i) => i)
  if (count <= most) return chosen
  for (let i = 0; i < most; i++) {
    const other = i + random.int(count - i)
    ;[chosen[i], chosen[other]] = [chosen[other] as number, chosen[i] as number]
  }
  return chosen.slice(0, most).sort()
}

function coordinates(index: number, shape: readonly number[]): number[] {
  const result = new Array<number>(shape.length)
  let rest = index
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    result[axis] = rest % (shape[axis] as number)
    rest = Math.floor(rest / (shape[axis] as number))
  }
  return result
}

/** A layer's weights as rows: [groups, channels, columns], each row one output channel. */
export function weightRows({ op, dims, channelAxis }: LayerChoice, weights: ArrayLike<number>): Float64Array {
  if (op === 'Conv' || channelAxis === 0) return Float64Array.from(weights)
  const [columns, channels] = dims as [number, number]
  return Float64Array.from(weights, (_, i) => weights[(i % columns) * channels + Math.floor(i / columns)] as number)
}

/** The reverse of weightRows. */
export function fromRows<T extends Int8Array | Float32Array>({ op, dims, channelAxis }: LayerChoice, rows: T): T {
  if (op === 'Conv' || channelAxis === 0) return rows
  const [columns, channels] = dims as [number, number]
  return rows.map((_, i) => rows[(i % channels) * columns + Math.floor(i / channels)] as number) as T
}
