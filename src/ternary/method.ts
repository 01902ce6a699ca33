// What a method is: how latent weights, scales and the gradient of the quantized weights become the next quantized weights.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import type { Optimizer } from '../optimizer/optimizer.js'
import type { Parameter, StateSlot, UpdateScalar } from './parameters.js'
import { float32 } from '../tensor/tensor.js'
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
  /** Whether the latent weights stay what they are, and with them each weight's level. */
  holdLatent: boolean
  /** What the learning rate is multiplied by. The weight decay is divided by it beforehand: it does not take more of the weights. */
  rateFactor: number
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

/** Updates `value` by the block's optimizer, unless it is held; the result has the name `next`. */
export function optimize(
  block: MethodBlock,
  step: { prefix: string; dims: readonly number[]; value: ValueName; gradient: ValueName; next: ValueName; rate: 'learningRate' | 'scaleLearningRate'; weightDecay: number },
): StateSlot[] {
  if (block.holdLatent && step.rate === 'learningRate') {
    block.graph.emit('Identity', [step.value], {}, step.next)
    return []
  }
  const slots = block.optimizer.update(block.graph, { ...step, learningRate: rateOf(block, step.rate), stepNumber: () => block.scalar('step') })
  return slots.map(({ name, dims }) => ({ name, dims, initial: new Float32Array(dims.reduce((count, dim) => count * dim, 1)) }))
}

function rateOf({ graph, scalar, rateFactor }: MethodBlock, rate: 'learningRate' | 'scaleLearningRate'): ValueName {
  return rateFactor === 1 ? scalar(rate) : graph.emit('Mul', [scalar(rate), graph.constant(float32([], [rateFactor]))])
}
