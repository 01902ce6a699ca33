// What happens to each layer of a network: the record that layers.ts makes and the rooms above read.
import type { BodyPath } from '../onnx/bring-out.js'
import type { ValueName } from '../onnx/model.js'
import type { MethodName } from '../options/choices.js'
import type { DataType } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'

/** One weight of the network, and what happens to it. */
export interface LayerChoice {
  /** Name of the weight's initializer. */
  weight: ValueName
  /** Name of the node, its first output where it has none; the first node's where several share the weight. */
  node: string
  /**
   * First outputs of all nodes that use the weight, in graph order; of nodes in the body of a Loop or the like, what
   * that gives.
   */
  outputs: readonly ValueName[]
  /** Of the only node that uses the weight, where it lies in a body: which, and its first output. */
  body?: { path: BodyPath; output: ValueName }
  op: LayerOperator
  dims: readonly number[]
  elementType: DataType
  ternary: boolean
  /** Why the layer stays full precision; absent for ternary layers. */
  reason?: string
  /** Axis of the weight that counts output channels, of one group. */
  channelAxis: number
  /**
   * Groups, along axis 0 of the weight as the layer takes it, that have output channels of their own: of a transposed
   * convolution, or the directions of a recurrent layer, 1 elsewhere.
   */
  groups: number
  /**
   * Axis of the layer's output that counts its channels: 1, or from the end -1 (-2 where the weight is on a MatMul's
   * left side, and where the node's output is not the product: of a recurrent layer).
   */
  outputAxis: number
}

export type RecurrentOperator = 'LSTM' | 'GRU' | 'RNN'
export type LayerOperator = 'Conv' | 'Gemm' | 'MatMul' | 'ConvTranspose' | RecurrentOperator

/** Whether its weight is multiplied inside of a node that does more: its factors cannot stand behind that. */
export function isRecurrent({ op }: Pick<LayerChoice, 'op'>): boolean {
  return op === 'LSTM' || op === 'GRU' || op === 'RNN'
}

export interface LayerOptions {
  /**
   * Layers to keep in full precision: names of weights or nodes, `*` for any characters, `?` for one. Stronger than
   * `ternary`.
   */
  keep: readonly string[]
  /** Layers to make ternary although they are first, last or tiny: names as for `keep`. */
  ternary: readonly string[]
  /**
   * What chooses the codes. Only by `ttq`, its default, and without the latter two, do weights stay that are ternary.
   */
  method?: MethodName
  sparsity?: number | undefined
  threshold?: number | undefined
}

/** Output channels of a layer. */
export function channelCount({ dims, channelAxis, groups }: LayerChoice): number {
  return groups * (dims[channelAxis] as number)
}

/** Of a layer that takes its weight as it is: which output channel the weight at an index belongs to. */
export function channelFinder({ dims, channelAxis, groups }: LayerChoice): (index: number) => number {
  const channels = dims[channelAxis] as number
  const inner = elementCount(dims.slice(channelAxis + 1))
  const perGroup = elementCount(dims) / groups
  if (groups === 1) return (index) => Math.floor(index / inner) % channels
  return (index) => Math.floor(index / perGroup) * channels + (Math.floor(index / inner) % channels)
}

/** Of each layer: how many weights one value of its output adds up. */
export function fanInsOf(choices: readonly LayerChoice[]): Map<ValueName, number> {
  return new Map(choices.map((choice) => [choice.weight, elementCount(choice.dims) / channelCount(choice)]))
}
