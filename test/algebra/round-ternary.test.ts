import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Rounded, roundTernary as roundProblem } from '../../src/algebra/round-ternary.js'
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
function roundTernary({
  gram,
  weights,
  ...more
}: {
  gram: Float64Array
  weights: Float64Array
  bitPrice?: number
}): Rounded {
  const n = Math.sqrt(gram.length)
  const cross = weights.map((_, i) => {
    const row = i - (i % n)
    let sum = 0
    for (let k = 0; k < n; k++) sum += (weights[row + k] as number) * (gram[k * n + (i % n)] as number)
    return sum
  })
  return roundProblem({ gram, cross, prior: weights, ...more })
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
  const rounded = roundTernary({ gram: gramOf(n, 11), weights })
  assert.deepEqual(rounded.codes, codes)
  rounded.latent.forEach((value, i) => {
    assert.ok(Math.abs(value - (codes[i] as number)) < 1e-6)
  })
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
    const found = costOf(gram, weights, roundTernary({ gram, weights }).codes)
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
  assert.deepEqual(together.codes.slice(2 * n, 3 * n), alone.codes)
  assert.deepEqual(together.latent.slice(2 * n, 3 * n), alone.latent)
})

test('where bits have a price there are more zeros, and error and bits together cost less', () => {
  const n = 60
  const gram = gramOf(n, 4)
  const random = seeded(12)
  const weights = Float64Array.from({ length: n }, () => random() + random() + random() - 1.5)
  const entropyOf = (codes: Int8Array): number =>
    [-1, 0, 1].reduce((sum, code) => {
      const share = codes.filter((each) => each === code).length / n
      return sum - (share === 0 ? 0 : share * Math.log2(share))
    }, 0)
  const whole = costOf(gram, weights, new Int8Array(n))
  const found = [0, 0.5, 1, 1.5].map((cost) => {
    const bitPrice = (cost * whole) / n
    const { codes } = roundTernary({ gram, weights, bitPrice })
    return { cost, codes, error: costOf(gram, weights, codes) / whole, bits: entropyOf(codes) }
  })
  for (const [i, { error, bits, cost }] of found.entries()) {
    const before = found[i - 1]
    if (before === undefined) continue
    assert.ok(bits < before.bits - 0.02, `${bits} bits, before ${before.bits}`)
    assert.ok(error + cost * bits < before.error + cost * before.bits, `price ${cost}`)
  }
})

test('a row of zeros stays zero', () => {
  assert.deepEqual(roundTernary({ gram: gramOf(5, 1), weights: new Float64Array(5) }).codes, new Int8Array(5))
})

test('a latent value is the best that its weight alone can have, and its code the level next to it', () => {
  const n = 12
  const gram = gramOf(n, 7)
  const random = seeded(21)
  const weights = Float64Array.from({ length: n }, () => random() * 2 - 1)
  const { codes, latent } = roundTernary({ gram, weights })
  latent.forEach((value) => {
    assert.ok(Math.abs(Math.abs(value) - 0.5) > 1e-4)
  })
  latent.forEach((value, i) => {
    assert.equal(Math.abs(value) > 0.5 ? Math.sign(value) : 0, codes[i])
  })
  // One of them moved a little either way is worse: costOf with the scale that the codes have together.
  const scale = scaleOf(gram, weights, codes)
  const k = latent.findIndex((value, i) => Math.abs(value - (codes[i] as number)) > 0.05 && Math.abs(value) < 0.49)
  const costAt = (value: number): number => {
    const values = Float64Array.from(codes)
    values[k] = value
    let sum = 0
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        sum +=
          (scale * (values[i] as number) - (weights[i] as number)) *
          (gram[i * n + j] as number) *
          (scale * (values[j] as number) - (weights[j] as number))
    return sum
  }
  const best = latent[k] as number
  assert.ok(costAt(best) < costAt(best + 0.1) && costAt(best) < costAt(best - 0.1))
})

function scaleOf(gram: Float64Array, w: Float64Array, codes: Int8Array): number {
  const n = w.length
  let [own, cross] = [0, 0]
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      own += (codes[i] as number) * (gram[i * n + j] as number) * (codes[j] as number)
      cross += (codes[i] as number) * (gram[i * n + j] as number) * (w[j] as number)
    }
  return cross / own
}
