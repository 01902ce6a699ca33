// What an update rule is: how one parameter's state and its gradient become its next value. Full-precision weights have
// the plain one; a method of quantization has its own, with latent weights and scales behind the value.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import type { Optimizer, OptimizerStep } from './optimizer.js'
import type { Parameter, StateSlot, UpdateScalar } from './parameters.js'
import { elementCount, float32 } from '../tensor/tensor.js'
import { heSteps, type WeightSizes } from './he-steps.js'

/** One parameter, or several joined ones, to be updated inside `graph`. */
export interface RuleBlock {
  graph: GraphBuilder
  parameter: Parameter
  /** Number of weights. */
  size: number
  optimizer: Optimizer
  /** For the weights, latent ones included; scales have none. */
  weightDecay: number
  /** Weights that one value of the layer's output sums up, for layers whose weights take He steps (he-steps.ts). */
  fanIn?: number | undefined
  /** Gradient of the loss by the value that the network computes with, [size]. */
  gradient: ValueName
  /** Name that the next such value, [size], gets. */
  value: ValueName
  /** Name of a scalar input, declared at the first call. */
  scalar: (name: UpdateScalar) => ValueName
}

export interface RuleResult {
  /** The value before the first step, [size]. */
  initialValue: Float32Array
  state: StateSlot[]
}

/** Emits one step of the rule for one block. */
export type UpdateRule = (block: RuleBlock) => RuleResult

interface Step {
  prefix: string
  dims: readonly number[]
  value: ValueName
  gradient: ValueName
  next: ValueName
}

/** Updates latent or full-precision weights by the block's optimizer; the result has the name `next`. */
export function optimizeWeights(block: RuleBlock, step: Step, sizes: WeightSizes): StateSlot[] {
  const { graph, scalar, optimizer, fanIn, weightDecay } = block
  const factor = fanIn === undefined ? 1 : heSteps(fanIn, optimizer, sizes)
  const rate = scalar('learningRate')
  const learningRate = factor === 1 ? rate : graph.emit('Mul', [rate, graph.constant(float32([], [factor]))])
  // A higher rate does not mean that the decay takes more.
  return update(block, { ...step, learningRate, weightDecay: weightDecay / factor })
}

/** Updates Wp and Wn. */
export function optimizeScales(block: RuleBlock, step: Step): StateSlot[] {
  return update(block, { ...step, learningRate: block.scalar('scaleLearningRate'), weightDecay: 0 })
}

function update({ optimizer, graph, scalar }: RuleBlock, step: Omit<OptimizerStep, 'stepNumber'>): StateSlot[] {
  const slots = optimizer.update(graph, { ...step, stepNumber: () => scalar('step') })
  return slots.map(({ name, dims }) => ({ name, dims, initial: new Float32Array(elementCount(dims)) }))
}
