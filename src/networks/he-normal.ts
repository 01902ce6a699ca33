// Random start weights.
import type { RandomSource } from '../data/random.js'

/**
 * Fills `data`: normal with variance 2 / fan-in, which keeps the size of activations from layer to layer behind ReLUs
 * (He et al. 2015, arXiv 1502.01852, section 2.2).
 * @param fanIn weights that one output value adds up
 * @returns `data`
 */
export function heNormal(data: Float32Array, fanIn: number, random: RandomSource): Float32Array {
  const deviation = Math.sqrt(2 / fanIn)
  for (let i = 0; i < data.length; i += 2) {
    // Box-Muller: two independent normal numbers from two uniform ones; 1 - u keeps the logarithm's argument above 0.
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.float()))
    const angle = 2 * Math.PI * random.float()
    data[i] = radius * Math.cos(angle)
    if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle)
  }
  return data
}
