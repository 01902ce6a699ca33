// The loss of numbers: squared errors, counted in the numbers' own variance.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'

/** factor * sum((a - b)^2). */
export function squaredLoss(b: GraphBuilder, one: ValueName, other: ValueName, factor: number): ValueName {
  const sum = b.emit('ReduceSumSquare', [b.emit('Sub', [one, other])], { keepdims: 0 })
  return b.emit('Mul', [sum, b.constant(float32([], [factor]))])
}

/** Of numbers that do not vary: their mean square, so that something is left to divide by; of zeros 1. */
export function varianceOf(numbers: ArrayLike<number>): number {
  let [sum, squares] = [0, 0]
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number
    sum += value
    squares += value ** 2
  }
  const count = Math.max(1, numbers.length)
  const variance = squares / count - (sum / count) ** 2
  if (variance > 1e-9 * (squares / count)) return variance
  return squares > 0 ? squares / count : 1
}
