import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roundTernary as roundProblem } from '../../src/algebra/round-ternary.js'
import { seeded } from '../onnx/fixtures.js'
import { gramOf } from './gram.js'

// (s q - w) G (s q - w)ᵀ with the best s.
function costOf(gram: Float64Array, w: Float64Array, codes: ArrayLike<number>): number {
  const n = w.length
  const product = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
    let sum = 0
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) sum += (a[i] as number) * (gram[i * n + j] as number) * (b[j] as number)
    return sum
  }
  const [own, cross, whole] = [product(codes, codes), product(codes, w), product(w, w)]
  return own > 0 && cross > 0 ? whole - (cross * cross) / own : whole
}

// Rows that should give what these weights give.
function roundTernary({ gram, weights }: { gram: Float64Array; weights: Float64Array }): Int8Array {
  const n = Math.sqrt(gram.length)
  const cross = weights.map((_, i) => {
    const row = i - (i % n)
    let sum = 0
    for (let k = 0; k < n; k++) sum += (weights[row + k] as number) * (gram[k * n + (i % n)] as number)
    return sum
  })
  return roundProblem({ gram, cross, prior: weights })
}

function allCodes(n: number): number[][] {
  return Array.from({ length: 3 ** n }, (_, index) =>
    Array.from({ length: n }, (__, i) => (Math.floor(index / 3 ** i) % 3) - 1),
  )
}

test('weights that are ternary come back, whatever the inputs', () => {
  const n = 40
  const random = seeded(5)
  const codes = Int8Array.from({ length: 3 * n }, () => Math.floor(random() * 3) - 1)
  const scales = [0.01, 1, 300]
  const weights = Float64Array.from(codes, (code, i) => code * (scales[Math.floor(i / n)] as number))
  assert.deepEqual(roundTernary({ gram: gramOf(n, 11), weights }), codes)
})

test('against all codes there are: mostly the best, and never far from it', () => {
  const n = 7
  const every = allCodes(n)
  let best = 0
  for (let seed = 1; seed <= 60; seed++) {
    const gram = gramOf(n, seed)
    const random = seeded(seed + 100)
    const weights = Float64Array.from({ length: n }, () => random() * 2 - 1)
    const least = every.reduce((found, codes) => Math.min(found, costOf(gram, weights, codes)), Infinity)
    const found = costOf(gram, weights, roundTernary({ gram, weights }))
    assert.ok(found <= 1.8 * least, `seed ${seed}: ${found}, possible ${least}`)
    if (found <= least * (1 + 1e-9)) best++
  }
  assert.ok(best >= 36, `${best} of 60`)
})

test('rows do not depend on one another', () => {
  const n = 20
  const gram = gramOf(n, 2)
  const random = seeded(9)
  const weights = Float64Array.from({ length: 4 * n }, () => random() - 0.5)
  const together = roundTernary({ gram, weights })
  const alone = roundTernary({ gram, weights: weights.slice(2 * n, 3 * n) })
  assert.deepEqual(together.slice(2 * n, 3 * n), alone)
})

test('a row of zeros stays zero', () => {
  assert.deepEqual(roundTernary({ gram: gramOf(5, 1), weights: new Float64Array(5) }), new Int8Array(5))
})
