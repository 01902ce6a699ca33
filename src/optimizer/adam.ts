// Adam with decoupled weight decay (AdamW).
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'
import { declareSlot, nextOf, type Optimizer, type OptimizerStep } from './optimizer.js'

interface AdamOptions {
  /** Decay rates of the running means of the gradient and of its square, in [0, 1). */
  beta1: number
  beta2: number
  epsilon: number
}

const ADAM_DEFAULTS: AdamOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }

/**
 * m' = b1 m + (1 - b1) g; v' = b2 v + (1 - b2) g^2; w' = w (1 - lr wd) - lr / (1 - b1^step) m' / (sqrt(v' / (1 -
 * b2^step)) + eps). State: `mean` and `square`. Source: Kingma and Ba, arXiv 1412.6980, algorithm 1; the decay that
 * shrinks the value directly: Loshchilov and Hutter, arXiv 1711.05101.
 */
export function adam(options: Partial<AdamOptions> = {}): Optimizer {
  const { beta1, beta2, epsilon } = { ...ADAM_DEFAULTS, ...options }
  return {
    followsGradientSize: false,
    update: (graph, step) => {
      const scalar = (value: number): ValueName => graph.constant(float32([], [value]))
      const mul = (a: ValueName, b: ValueName): ValueName => graph.emit('Mul', [a, b])
      const { gradient } = step
      const mean = declareSlot(graph, step, 'mean')
      const square = declareSlot(graph, step, 'square')
      const nextMean = graph.emit(
        'Add',
        [mul(mean.name, scalar(beta1)), mul(gradient, scalar(1 - beta1))],
        {},
        nextOf(mean.name),
      )
      const newSquare = mul(mul(gradient, gradient), scalar(1 - beta2))
      const nextSquare = graph.emit('Add', [mul(square.name, scalar(beta2)), newSquare], {}, nextOf(square.name))
      const rootOfCorrection = graph.emit('Sqrt', [biasCorrection(graph, step, beta2)])
      const deviation = graph.emit('Add', [
        graph.emit('Div', [graph.emit('Sqrt', [nextSquare]), rootOfCorrection]),
        scalar(epsilon),
      ])
      const rate = graph.emit('Div', [step.learningRate, biasCorrection(graph, step, beta1)])
      const change = mul(graph.emit('Div', [nextMean, deviation]), rate)
      graph.emit('Sub', [shrunk(graph, step), change], {}, step.next)
      return [mean, square]
    },
  }
}

function shrunk(graph: GraphBuilder, { value, learningRate, weightDecay }: OptimizerStep): ValueName {
  if (weightDecay === 0) return value
  const loss = graph.emit('Mul', [learningRate, graph.constant(float32([], [weightDecay]))])
  return graph.emit('Mul', [value, graph.emit('Sub', [graph.constant(float32([], [1])), loss])])
}

// 1 - beta^step in float64: in float32, 1 - 0.999 is off by 1.3e-5 of its value.
function biasCorrection(graph: GraphBuilder, step: OptimizerStep, beta: number): ValueName {
  const double = (value: number): ValueName =>
    graph.constant({ type: 'float64', dims: [], data: Float64Array.of(value) })
  const power = graph.emit('Pow', [double(beta), graph.emit('Cast', [step.stepNumber()], { to: 11 })])
  return graph.emit('Cast', [graph.emit('Sub', [double(1), power])], { to: 1 })
}
