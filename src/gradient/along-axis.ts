// Linear maps along one axis of a value, as matrix products.
import type { ValueName } from '../onnx/model.js'
import { elementCount } from '../tensor/tensor.js'
import type { Scope, Shape } from './rule.js'

/** As many elements (64 MB) may a matrix have: past that there is no point in a product. */
export const LARGEST_MATRIX = 2 ** 24

/**
 * A value of `shape` whose axis is replaced by its product with a matrix.
 * @param matrix [new size, old size]
 */
export function mapAxis(
  g: Scope,
  value: ValueName,
  shape: Shape,
  axis: number,
  { matrix, size }: { matrix: ValueName; size: number },
): ValueName {
  const [before, after] = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis + 1))]
  const mapped = shape.with(axis, size)
  if (after > 1) {
    const parts = g.reshape(value, shape, [before, shape[axis] as number, after])
    return g.reshape(g.emit('MatMul', [matrix, parts]), [before, size, after], mapped)
  }
  const rows = g.reshape(value, shape, [before, shape[axis] as number])
  return g.reshape(g.emit('Gemm', [rows, matrix], { transB: 1 }), [before, size], mapped)
}
