// Several networks that are learned from: what each gives, by its weight in their mean.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'

export interface Weighted<T> {
  readonly of: T
  /** All of them together are 1. */
  readonly weight: number
}

/** The same weights for what is made of each. */
export function mapWeighted<T, U>(all: readonly Weighted<T>[], make: (of: T) => U): readonly Weighted<U>[] {
  return all.map(({ of, weight }) => ({ of: make(of), weight }))
}

/** The mean of values of one shape; of a single one that value itself. */
export function weightedMean(b: GraphBuilder, values: readonly Weighted<ValueName>[]): ValueName {
  const [first] = values
  if (first !== undefined && values.length === 1) return first.of
  return b.emit(
    'Sum',
    values.map(({ of, weight }) => b.emit('Mul', [of, b.constant(float32([], [weight]))])),
  )
}
