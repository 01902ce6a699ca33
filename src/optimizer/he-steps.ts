// The learning rate of weights whose size is not the one that learning rates are made for.
import type { Optimizer } from './optimizer.js'

/** Root mean squares at the start of a training, and what the method passes on. */
export interface WeightSizes {
  /** Of what learns: latent weights, or the full-precision weights themselves. */
  learning: number
  /** Of what the network computes with. */
  computing: number
  /** By how much the method multiplies the gradient of the one on its way to the other. */
  gain: number
}

/**
 * What a layer's learning rate is multiplied by, so that a step changes the weights, relative to their size, by as much
 * as it would change He-initialised full-precision weights in their place, for which the usual rates are made. Behind a
 * batch norm the loss does not depend on the weights' size, and their gradient falls as they grow: with h = sqrt(2 /
 * fan-in), the root mean square of He's initialisation (arXiv 1502.01852, equation 10), it is h / `computing` of what
 * it is there, and has to move `learning` instead of h. Without one, the network only works while `computing` is about
 * h, and the factor is the same. An optimizer whose steps have the size of the rate needs learning / h.
 * @param fanIn weights that one value of the layer's output sums up
 * @returns 1 for weights of nothing but zeros
 */
export function heSteps(
  fanIn: number,
  { followsGradientSize }: Pick<Optimizer, 'followsGradientSize'>,
  { learning, computing, gain }: WeightSizes,
): number {
  const he = Math.sqrt(2 / fanIn)
  return (followsGradientSize ? (learning * computing) / (gain * he * he) : learning / he) || 1
}

/** sqrt(mean of squares) */
export function rootMeanSquare(weights: Float32Array): number {
  return Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0) / weights.length)
}
