// What a method is: how latent weights, scales and the gradient of the quantized weights become the next quantized
// weights.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import type { Optimizer, OptimizerStep } from '../optimizer/optimizer.js'
import type { Parameter, StateSlot, UpdateScalar } from '../optimizer/parameters.js'
import { elementCount, float32 } from '../tensor/tensor.js'
import { heSteps, type WeightSizes } from '../optimizer/he-steps.js'
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
  /** Weights that one value of the layer's output sums up, for layers whose weights take He steps (he-steps.ts). */
  fanIn?: number | undefined
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

interface Step {
  prefix: string
  dims: readonly number[]
  value: ValueName
  gradient: ValueName
  next: ValueName
}

/**
 * Updates latent or full-precision weights by the block's optimizer, unless they are held; the result has the name
 * `next`.
 */
export function optimizeWeights(block: MethodBlock, step: Step, sizes: WeightSizes): StateSlot[] {
  const { graph, scalar, optimizer, fanIn, holdLatent, weightDecay } = block
  if (holdLatent) {
    graph.emit('Identity', [step.value], {}, step.next)
    return []
  }
  const factor = fanIn === undefined ? 1 : heSteps(fanIn, optimizer, sizes)
  const rate = scalar('learningRate')
  const learningRate = factor === 1 ? rate : graph.emit('Mul', [rate, graph.constant(float32([], [factor]))])
  // A higher rate does not mean that the decay takes more.
  return update(block, { ...step, learningRate, weightDecay: weightDecay / factor })
}

/** Updates Wp and Wn. */
export function optimizeScales(block: MethodBlock, step: Step): StateSlot[] {
  return update(block, { ...step, learningRate: block.scalar('scaleLearningRate'), weightDecay: 0 })
}

function update({ optimizer, graph, scalar }: MethodBlock, step: Omit<OptimizerStep, 'stepNumber'>): StateSlot[] {
  const slots = optimizer.update(graph, { ...step, stepNumber: () => scalar('step') })
  return slots.map(({ name, dims }) => ({ name, dims, initial: new Float32Array(elementCount(dims)) }))
}
