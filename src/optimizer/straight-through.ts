// Rules that take the gradient of the value which the network computes with for that of the weights behind it, as it is
// (straight-through): plain full-precision training, and methods whose value follows from the latent weights.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { rootMeanSquare } from './he-steps.js'
import { nextOf } from './optimizer.js'
import { optimizeWeights, type UpdateRule } from './update-rule.js'

interface StraightThroughOptions {
  /** Whether the latent weights stay what they are. */
  held?: boolean
  /** The value of latent weights before the first step. */
  initialValue: (weights: Float32Array) => Float32Array
}

/**
 * A rule with the weights themselves as its only state, `.latent` [size], beside the optimizer's.
 * @param quantize emits the nodes that compute the value from the next latent weights
 */
export function straightThrough(
  { held = false, initialValue: valueOf }: StraightThroughOptions,
  quantize: (graph: GraphBuilder, latent: ValueName, value: ValueName) => void,
): UpdateRule {
  return (block) => {
    const {
      graph,
      parameter: { name, initial },
      size,
      gradient,
    } = block
    const latent = graph.input(`${name}.latent`, 'float32', [size])
    const initialValue = valueOf(initial)
    const step = { prefix: `${name}.`, dims: [size], value: latent, gradient, next: nextOf(latent) }
    const sizes = { learning: rootMeanSquare(initial), computing: rootMeanSquare(initialValue), gain: 1 }
    const slots = held ? hold(graph, latent) : optimizeWeights(block, step, sizes)
    graph.output(nextOf(latent))
    quantize(graph, nextOf(latent), block.value)
    return { initialValue, state: [{ name: latent, dims: [size], initial: initial.slice() }, ...slots] }
  }
}

/** Full-precision training: the value is the weights. State: `.latent`. */
export const plain = straightThrough({ initialValue: (weights) => weights.slice() }, (graph, latent, value) => {
  graph.emit('Identity', [latent], {}, value)
})

/** Passes latent weights on as they are. @returns the state of the optimizer that is not there */
export function hold(graph: GraphBuilder, latent: ValueName): [] {
  graph.emit('Identity', [latent], {}, nextOf(latent))
  return []
}
