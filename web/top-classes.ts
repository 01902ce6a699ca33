// The likeliest classes by what a network gives.
import type { Results } from '../src/runtime/engine.js'
import { type FloatType, isFloatType } from '../src/tensor/data-type.js'
import { float32Values } from '../src/tensor/float-values.js'
import { elementCount, type Tensor } from '../src/tensor/tensor.js'

export interface LikelyClass {
  index: number
  /** 0 to 1. */
  probability: number
}

/** The best first; undefined where no output has one number per class, for one image. */
export function topClasses(results: Results, count: number): LikelyClass[] | undefined {
  const scores = Object.values(results).find(
    // [C], [1,C], [1,C,1,1]
    ({ type, dims }) =>
      isFloatType(type) &&
      elementCount(dims) > 1 &&
      elementCount(dims) === dims[Math.min(1, dims.length - 1)] &&
      dims.length !== 3,
  )
  if (scores === undefined) return undefined
  const values = Array.from(float32Values(scores as Tensor<FloatType>))
  const sum = values.reduce((all, value) => all + value, 0)
  // Networks that end in a softmax give probabilities already.
  const areProbabilities = values.every((value) => value >= 0) && Math.abs(sum - 1) < 0.01
  return (areProbabilities ? values : softmax(values))
    .map((probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count)
}

function softmax(values: readonly number[]): number[] {
  const most = Math.max(...values)
  const powers = values.map((value) => Math.exp(value - most))
  const sum = powers.reduce((all, value) => all + value, 0)
  return powers.map((value) => value / sum)
}
