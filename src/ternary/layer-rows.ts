// A layer as a product of rows: which input values make up each value of its output. From here on a convolution, a Gemm
// and a MatMul are the same thing.
import { attribute } from '../onnx/attributes.js'
import type { Node } from '../onnx/model.js'
import type { RandomSource } from '../data/random.js'
import { transposedWindowOf, windowOf } from '../gradient/window.js'
import { elementCount } from '../tensor/tensor.js'
import type { LayerChoice } from './layer-choice.js'
import { type WeightPlaces, weightPlaces } from './weight-rows.js'

/** Per group: `columns` inputs make `channels` outputs. */
export interface LayerRows {
  groups: number
  columns: number
  channels: number
  /** Rows taken of each sample. */
  perSample: number
  /**
   * [rows, groups, columns]: places in a sample's flattened input, or in that of each part of a sample along the first
   * axis; `inputSize` stands for the zeros around it.
   */
  inputPlaces: Int32Array
  inputSize: number
  /** [rows, groups, channels]: places in the flattened output. */
  outputPlaces: Int32Array
  outputSize: number
}

/** Rows of inputs, and the weights that they are multiplied by. */
export interface ProductRows extends LayerRows {
  weightPlaces: WeightPlaces
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
): ProductRows | undefined {
  switch (choice.op) {
    case 'Conv':
    case 'ConvTranspose':
      return convolutionRows(node, choice, dims, most, random)
    case 'Gemm':
    case 'MatMul':
      return productRows(choice, dims, most, random)
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return recurrentRows(choice, dims, most, random)
  }
}

// https://onnx.ai/onnx/operators/onnx__Conv.html, https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
function convolutionRows(
  node: Node,
  choice: LayerChoice,
  { input, output }: LayerDims,
  most: number,
  random: RandomSource,
): ProductRows {
  const { op, dims: weight } = choice
  const groups = attribute(node, 'group', 'int', 1)
  const [groupChannels, channels] = [(input[0] as number) / groups, (output[0] as number) / groups]
  const [inputShape, outputShape, kernel] = [input.slice(1), output.slice(1), weight.slice(2)]
  const taps = (op === 'Conv' ? forwardTaps : transposedTaps)(node, kernel, inputShape, outputShape)
  const [inputSize, inputArea, outputArea] = [elementCount(input), elementCount(inputShape), elementCount(outputShape)]
  const { phases } = taps
  const places =
    phases === undefined
      ? draw(outputArea, most, random)
      : drawEvenly(outputArea, most, random, (place) => phases.ofOutput(coordinates(place, outputShape)))
  const kernelArea = elementCount(kernel)
  const columns = groupChannels * kernelArea
  const outputChannels = groups * channels
  const offsets = Array.from({ length: kernelArea }, (_, i) => coordinates(i, kernel))
  const order = columnOrder(groupChannels, offsets, taps)
  const inputPlaces = new Int32Array(places.length * groups * columns)
  const outputPlaces = new Int32Array(places.length * outputChannels)
  places.forEach((place, row) => {
    const at = coordinates(place, outputShape)
    const seen = offsets.map((offset) =>
      inputPlace(inputShape, (axis) => taps.inputAt(axis, at[axis] as number, offset[axis] as number)),
    )
    for (let group = 0; group < groups; group++)
      order.forEach((own, column) => {
        const inside = seen[own % kernelArea]
        const channel = group * groupChannels + Math.floor(own / kernelArea)
        inputPlaces[(row * groups + group) * columns + column] =
          inside === undefined ? inputSize : channel * inputArea + inside
      })
    for (let channel = 0; channel < outputChannels; channel++)
      outputPlaces[row * outputChannels + channel] = channel * outputArea + place
  })
  const outputSize = elementCount(output)
  return {
    groups,
    columns,
    channels,
    perSample: places.length,
    inputPlaces,
    inputSize,
    outputPlaces,
    outputSize,
    weightPlaces: weightPlaces(choice, order),
  }
}

// The place in an area; undefined outside, and between two places.
function inputPlace(shape: Shape, coordinateAt: (axis: number) => number): number | undefined {
  let place = 0
  for (const [axis, size] of shape.entries()) {
    const coordinate = coordinateAt(axis)
    if (!Number.isInteger(coordinate) || coordinate < 0 || coordinate >= size) return undefined
    place = place * size + coordinate
  }
  return place
}

// Columns, [channels, elements of the kernel], in the order in which they are looked at: what is seen together stands
// together, because rows that are too long are solved in blocks.
function columnOrder(channels: number, offsets: readonly Shape[], { phases }: Taps): Int32Array {
  const all = Array.from({ length: channels * offsets.length }, (_, i) => i)
  if (phases === undefined) return Int32Array.from(all)
  const ofElements = offsets.map(phases.ofElement)
  const phaseOf = (column: number): number => ofElements[column % offsets.length] as number
  return Int32Array.from(all.sort((a, b) => phaseOf(a) - phaseOf(b)))
}

type Shape = readonly number[]

/** Which inputs the outputs of a convolution see. */
interface Taps {
  /**
   * The input that a kernel's element brings to an output, along one axis; none where that is outside, or no integer.
   */
  inputAt: (axis: number, output: number, element: number) => number
  /** Where outputs see elements of the kernel that are of the same phase only; without it, all see all. */
  phases?: { ofOutput: (output: Shape) => number; ofElement: (element: Shape) => number }
}

function forwardTaps(node: Node, kernel: Shape, input: Shape, output: Shape): Taps {
  const { strides, dilations, begin } = windowOf(node, kernel, input, output)
  return {
    inputAt: (axis, place, element) =>
      place * (strides[axis] as number) - (begin[axis] as number) + element * (dilations[axis] as number),
  }
}

// The other way round: between the inputs there are stride - 1 zeros.
function transposedTaps(node: Node, kernel: Shape, input: Shape, output: Shape): Taps {
  const { strides, dilations, begin } = transposedWindowOf(node, kernel, input, output)
  const phase = (place: Shape): number =>
    place.reduce((all, at, axis) => all * (strides[axis] as number) + (at % (strides[axis] as number)), 0)
  return {
    inputAt: (axis, place, element) =>
      (place + (begin[axis] as number) - element * (dilations[axis] as number)) / (strides[axis] as number),
    phases: {
      ofOutput: (place) => phase(place.map((at, axis) => at + (begin[axis] as number))),
      ofElement: (element) => phase(element.map((at, axis) => at * (dilations[axis] as number))),
    },
  }
}

// All axes but the last count rows.
function productRows(
  choice: LayerChoice,
  { input, output }: LayerDims,
  most: number,
  random: RandomSource,
): ProductRows | undefined {
  const { dims: weight, channelAxis } = choice
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
    weightPlaces: weightPlaces(choice),
  }
}

// Input [steps, inputs], of which all directions see the same, or [steps, directions, size]; output [steps, directions
// * gates * size], with an axis of its own for the directions or without (recurrent-layers.ts).
function recurrentRows(
  choice: LayerChoice,
  { input, output }: LayerDims,
  most: number,
  random: RandomSource,
): ProductRows | undefined {
  const [groups, channels, columns] = choice.dims as [number, number, number]
  const steps = input[0] as number
  const [inputSize, outputSize] = [elementCount(input), elementCount(output)]
  const isOwn = input.length === 3
  if (inputSize !== steps * (isOwn ? groups : 1) * columns || outputSize !== steps * groups * channels) return undefined
  const rows = draw(steps, most, random)
  const places = (size: number, shared: boolean): Int32Array =>
    Int32Array.from({ length: rows.length * groups * size }, (_, i) => {
      const [row, group] = [rows[Math.floor(i / (groups * size))] as number, Math.floor(i / size) % groups]
      return (shared ? row : row * groups + group) * size + (i % size)
    })
  return {
    groups,
    columns,
    channels,
    perSample: rows.length,
    inputPlaces: places(columns, !isOwn),
    inputSize,
    outputPlaces: places(channels, false),
    outputSize,
    weightPlaces: weightPlaces(choice),
  }
}

// So many of the numbers below `count`, in order.
function draw(count: number, most: number, random: RandomSource): Int32Array {
  return shuffled(count, most, random).sort()
}

/** Places that are drawn for each one that is taken, so that there are enough of every phase. */
const CANDIDATES = 8

// The same, of each phase as many as of any other, as far as there are.
function drawEvenly(count: number, most: number, random: RandomSource, phaseOf: (place: number) => number): Int32Array {
  const turns = new Map<number, number>()
  const candidates = Array.from(shuffled(count, CANDIDATES * most, random), (place) => {
    const phase = phaseOf(place)
    const turn = turns.get(phase) ?? 0
    turns.set(phase, turn + 1)
    return { place, turn }
  })
  candidates.sort((a, b) => a.turn - b.turn)
  return Int32Array.from(candidates.slice(0, most), ({ place }) => place).sort()
}

// The numbers below `count`, `most` of them drawn at random where there are more.
function shuffled(count: number, most: number, random: RandomSource): Int32Array {
  const numbers = Int32Array.from({ length: count }, (_, i) => i)
  if (count <= most) return numbers
  for (let i = 0; i < most; i++) {
    const other = i + random.int(count - i)
    ;[numbers[i], numbers[other]] = [numbers[other] as number, numbers[i] as number]
  }
  return numbers.slice(0, most)
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
