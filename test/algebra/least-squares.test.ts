import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leastSquares } from '../../src/algebra/least-squares.js'
import { seeded } from '../onnx/fixtures.js'
import { gramOf } from './gram.js'

const N = 9
const random = seeded(3)
const rows = (): Float64Array => Float64Array.from({ length: 2 * N }, () => random() - 0.5)

// Where the derivative is 0: w (G + ridge) = cross + ridge prior.
test('the normal equations hold', () => {
  const gram = gramOf(N, 4)
  const [cross, prior] = [rows(), rows()]
  const ridge = 0.3
  const w = leastSquares({ gram, cross, prior }, ridge)
  let size = 0
  for (let i = 0; i < N; i++) size += (ridge * (gram[i * N + i] as number)) / N
  cross.forEach((value, at) => {
    const [row, column] = [at - (at % N), at % N]
    let sum = 0
    for (let k = 0; k < N; k++) sum += (w[row + k] as number) * (gram[k * N + column] as number)
    assert.ok(Math.abs(sum + size * ((w[at] as number) - (prior[at] as number)) - value) < 1e-12)
  })
})

test('inputs that are all zero leave what was', () => {
  const prior = rows()
  const none = { gram: new Float64Array(N * N), cross: new Float64Array(2 * N), prior }
  leastSquares(none, 0.02).forEach((value, i) => {
    assert.ok(Math.abs(value - (prior[i] as number)) < 1e-12)
  })
})
