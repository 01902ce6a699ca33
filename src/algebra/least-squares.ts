// Rows of weights by least squares, from the sums of products that they have to reproduce.
import { choleskyLower, solveRows } from './cholesky.js'

export interface LeastSquares {
  /** [n, n]: mean product of two inputs. */
  gram: Float64Array
  /** [rows, n]: mean product of what a row should give and an input. */
  cross: Float64Array
  /** [rows, n]: what the weights are drawn to where the inputs say little. */
  prior: Float64Array
}

/**
 * The rows w for which (w - w*) G (w - w*)ᵀ + ridge |w - prior|² is least, w* being what reproduces the products.
 * @param ridge as a share of the inputs' mean square
 */
export function leastSquares({ gram, cross, prior }: LeastSquares, ridge: number): Float64Array {
  const n = Math.sqrt(gram.length)
  const size = ridge * meanDiagonal(gram, n)
  const factor = withRidge(gram.slice(), n, size)
  choleskyLower(factor, n)
  const weights = cross.map((value, i) => value + size * (prior[i] as number))
  solveRows(factor, n, weights)
  return weights
}

/** 1 where all inputs are zero, so that the prior is left alone. */
export function meanDiagonal(gram: Float64Array, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += gram[i * n + i] as number
  return sum > 0 ? sum / n : 1
}

/** Adds to the diagonal, in place. */
export function withRidge(matrix: Float64Array, n: number, ridge: number): Float64Array {
  for (let i = 0; i < n; i++) matrix[i * n + i] = (matrix[i * n + i] as number) + ridge
  return matrix
}
