// A network's architecture with new random weights: what training from scratch starts from.
import { randomSource } from '../data/random.js'
import { heNormal } from '../networks/he-normal.js'
import { attribute } from '../onnx/attributes.js'
import type { Model, Node } from '../onnx/model.js'
import { elementCount, float32 } from '../tensor/tensor.js'
import { learnedInputs, type LearnedInput } from './trainable.js'

/** Slope that PRelu starts from (He et al. 2015, arXiv 1502.01852, section 2.1). */
const PRELU_SLOPE = 0.25

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
    const fanIn = fanInOf(use, dims)
    initializers.set(
      use.name,
      float32(dims, fanIn === undefined ? data.fill(constantOf(use)) : heNormal(data, fanIn, random)),
    )
  }
  return { ...model, graph: { ...model.graph, initializers } }
}

// Weights that one output value adds up; undefined for what is no weight.
function fanInOf({ node, index }: LearnedInput, dims: readonly number[]): number | undefined {
  switch (node.opType) {
    case 'Conv':
      return index === 1 ? elementCount(dims.slice(1)) : undefined
    // [in, out / groups, ...]: every group of output channels sees its share of the input channels.
    case 'ConvTranspose':
      return index === 1 ? elementCount(dims) / ((dims[1] as number) * attribute(node, 'group', 'int', 1)) : undefined
    case 'Gemm':
      return index === 2 ? undefined : dims[rowAxis(node, index)]
    case 'MatMul':
      return dims.at(index === 1 && dims.length > 1 ? -2 : -1)
    default:
      return undefined
  }
}

// The axis of a Gemm's matrix that the product sums over.
function rowAxis(node: Node, index: number): 0 | 1 {
  const turned = attribute(node, index === 0 ? 'transA' : 'transB', 'int', 0) !== 0
  return (index === 0) === turned ? 0 : 1
}

function constantOf({ node, index }: LearnedInput): number {
  switch (node.opType) {
    case 'BatchNormalization':
      return index === 1 || index === 4 ? 1 : 0
    case 'InstanceNormalization':
    case 'LayerNormalization':
      return index === 1 ? 1 : 0
    case 'PRelu':
      return PRELU_SLOPE
    default:
      return 0
  }
}
