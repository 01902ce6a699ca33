// Stochastic gradient descent with momentum.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'
import { declareSlot, nextOf, type Optimizer, type OptimizerStep } from './optimizer.js'

interface SgdOptions {
  /** Share of the velocity kept from step to step, in [0, 1). */
  momentum: number
}

const SGD_DEFAULTS: SgdOptions = { momentum: 0.9 }

/**
 * v' = mu v + (g + wd w); w' = w - lr v'. State: `momentum`, only if mu > 0. As in PyTorch, whose formula has the
 * learning rate outside the velocity:
 * https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
 */
export function sgd(options: Partial<SgdOptions> = {}): Optimizer {
  const { momentum } = { ...SGD_DEFAULTS, ...options }
  return {
    followsGradientSize: true,
    update: (graph, step) => {
      const scalar = (value: number): ValueName => graph.constant(float32([], [value]))
      const gradient = withDecay(graph, step)
      const descend = (direction: ValueName): void => {
        graph.emit('Sub', [step.value, graph.emit('Mul', [direction, step.learningRate])], {}, step.next)
      }
      if (momentum === 0) {
        descend(gradient)
        return []
      }
      const slot = declareSlot(graph, step, 'momentum')
      const velocity = graph.emit(
        'Add',
        [graph.emit('Mul', [slot.name, scalar(momentum)]), gradient],
        {},
        nextOf(slot.name),
      )
      descend(velocity)
      return [slot]
    },
  }
}

function withDecay(graph: GraphBuilder, { value, gradient, weightDecay }: OptimizerStep): ValueName {
  if (weightDecay === 0) return gradient
  return graph.emit('Add', [gradient, graph.emit('Mul', [value, graph.constant(float32([], [weightDecay]))])])
}
