import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choleskyLower, inverseFactor, solveRows } from '../../src/algebra/cholesky.js'
import { gramOf } from './gram.js'

const N = 7
const a = gramOf(N, 3)
const at = (matrix: Float64Array, i: number, j: number): number => matrix[i * N + j] as number

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9 * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`)
}

test('the lower factor times its transpose is the matrix', () => {
  const l = a.slice()
  choleskyLower(l, N)
  for (let i = 0; i < N; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let k = 0; k <= j; k++) sum += at(l, i, k) * at(l, j, k)
      close(sum, at(a, i, j))
    }
})

test('rows are solved: the matrix times each gives the right-hand side back', () => {
  const l = a.slice()
  choleskyLower(l, N)
  const b = Float64Array.from({ length: 3 * N }, (_, i) => Math.sin(i))
  const x = b.slice()
  solveRows(l, N, x)
  for (let row = 0; row < 3; row++)
    for (let i = 0; i < N; i++) {
      let sum = 0
      for (let j = 0; j < N; j++) sum += at(a, i, j) * (x[row * N + j] as number)
      close(sum, b[row * N + i] as number)
    }
})

test('the factor of the inverse: upper, and its square times the matrix is the identity', () => {
  const u = a.slice()
  inverseFactor(u, N)
  for (let i = 0; i < N; i++) for (let j = 0; j < i; j++) assert.equal(at(u, i, j), 0)
  for (let i = 0; i < N; i++)
    for (let j = 0; j < N; j++) {
      let sum = 0
      for (let k = 0; k < N; k++) {
        let inverse = 0
        for (let m = 0; m <= Math.min(i, k); m++) inverse += at(u, m, i) * at(u, m, k)
        sum += inverse * at(a, k, j)
      }
      close(sum, i === j ? 1 : 0)
    }
})

test('a matrix that is not positive definite is told', () => {
  const wrong = Float64Array.of(1, 2, 2, 1)
  assert.throws(() => {
    choleskyLower(wrong.slice(), 2)
  }, /not positive definite/)
  assert.throws(() => {
    inverseFactor(wrong.slice(), 2)
  }, /not positive definite/)
})
