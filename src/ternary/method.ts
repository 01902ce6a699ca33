// What a method is: how latent weights, scales and the gradient of the quantized weights become the next quantized weights.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import type { Optimizer } from '../optimizer/optimizer.js'
import type { Parameter, StateSlot, UpdateScalar } from './parameters.js'
import type { ThresholdRule } from './threshold.js'

/** One ternary parameter, to be updated inside `graph`. */
export interface MethodBlock {
  graph: GraphBuilder
  parameter: Parameter
  /** Number of weights. */
  size: number
  rule: ThresholdRule
  optimizer: Optimizer
  /** Whether Wp and Wn start at 1 instead of the fit: harmless only where a batch norm follows the layer. */
  scalesFromOne: boolean
  /** For the latent weights. */
  weightDecay: number
  /** Gradient of the loss by the quantized weights, [size]. */
  gradient: ValueName
  /** Name that the next quantized weights, [size], get. */
  value: ValueName
  /** Name of a scalar input, declared at the first call. */
  scalar: (name: UpdateScalar) => ValueName
}

export interface MethodResult {
  /** Quantized weights before the first step, [size]. */
  initialValue: Float32Array
  state: StateSlot[]
}

/** Emits one step of the method for one parameter. */
export type Method = (block: MethodBlock) => MethodResult

/** Updates `value` by the block's optimizer; the result has the name `next`. */
export function optimize(
  block: MethodBlock,
  step: { prefix: string; dims: readonly number[]; value: ValueName; gradient: ValueName; next: ValueName; rate: 'learningRate' | 'scaleLearningRate'; weightDecay: number },
): StateSlot[] {
  const slots = block.optimizer.update(block.graph, { ...step, learningRate: block.scalar(step.rate), stepNumber: () => block.scalar('step') })
  return slots.map(({ name, dims }) => ({ name, dims, initial: new Float32Array(dims.reduce((count, dim) => count * dim, 1)) }))
}
