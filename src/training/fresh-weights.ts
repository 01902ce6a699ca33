// A network's architecture with new random weights: what training from scratch starts from.
import { randomSource } from '../data/random.js'
import { heNormal } from '../networks/he-normal.js'
import type { Model } from '../onnx/model.js'
import { type LearnedRole, operatorOf } from '../onnx/operators.js'
import { elementCount, float32 } from '../tensor/tensor.js'
import { learnedInputs, type LearnedInput } from './trainable.js'

/** What everything but weights starts from; a PRelu's slope as in He et al. 2015, arXiv 1502.01852, section 2.1. */
const START: Partial<Record<LearnedRole, number>> = { bias: 0, mean: 0, scale: 1, variance: 1, slope: 0.25 }

/**
 * The network with all that training changes set anew: weights by He initialisation from `seed`, in the graph's order;
 * biases, shifts and running means 0; normalisation scales and running variances 1. Everything else (embeddings,
 * constants of the function) stays.
 */
export function freshWeights(model: Model, seed: number): Model {
  const random = randomSource(seed, 'initial weights')
  const initializers = new Map(model.graph.initializers)
  const set = new Set<string>()
  for (const use of learnedInputs(model.graph)) {
    if (set.has(use.name)) continue
    set.add(use.name)
    const dims = model.graph.initializers.get(use.name)?.dims ?? []
    const data = new Float32Array(elementCount(dims))
    const fanIn = fanInOf(use)
    const start = fanIn === undefined ? data.fill(START[use.learned] ?? 0) : heNormal(data, fanIn, random)
    initializers.set(use.name, float32(dims, start))
  }
  return { ...model, graph: { ...model.graph, initializers } }
}

// Of weights only: how many of them one output value adds up. Recurrent ones are [directions, gates, inputs].
function fanInOf({ node, index, learned, dims }: LearnedInput): number | undefined {
  if (learned === 'recurrent') return dims.length === 3 ? dims[2] : undefined
  return learned === 'weight' ? operatorOf(node).place?.(node, index, dims).fanIn : undefined
}
