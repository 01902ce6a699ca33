// Thresholds and scales against exhaustive search and against numbers by hand.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomSource } from '../../src/data/random.js'
import { TtqError } from '../../src/errors/ttq-error.js'
import { codesBeyond, dequantize, fitTernary, type ThresholdRule } from '../../src/methods/threshold.js'

const SEED = 20

function randomWeights(length: number, seed: number): Float32Array {
  const random = randomSource(seed, 'threshold test')
  return Float32Array.from({ length }, () => (random.float() + random.float() + random.float() - 1.6) ** 3)
}

function squaredError(weights: Float32Array, fitted: Float32Array): number {
  return weights.reduce((sum, weight, i) => sum + (weight - (fitted[i] as number)) ** 2, 0)
}

// Least error over every threshold there is, each side's scale its mean: the definition, in quadratic time.
function leastError(weights: Float32Array): number {
  return Math.min(
    ...[0, ...weights].map((candidate) => {
      const mean = (side: number[]): number => side.reduce((sum, value) => sum + value, 0) / side.length
      const delta = Math.abs(candidate)
      const wp = mean([...weights].filter((weight) => weight > delta))
      const wn = mean([...weights].filter((weight) => weight < -delta))
      return weights.reduce((sum, weight) => sum + (weight - (weight > delta ? wp : weight < -delta ? wn : 0)) ** 2, 0)
    }),
  )
}

describe('fitTernary', () => {
  for (const [i, length] of [1, 2, 3, 7, 64, 300].entries()) {
    test(`auto: no threshold fits ${length} weights better (seed ${SEED + i})`, () => {
      const weights = randomWeights(length, SEED + i)
      const error = squaredError(weights, dequantize(fitTernary(weights, { kind: 'auto' }, 'w')))
      const least = leastError(weights)
      assert.ok(
        Math.abs(error - least) <= 1e-6 * squaredError(weights, new Float32Array(length)),
        `${error}, least ${least}`,
      )
    })
  }

  test('auto by hand: separate means on both sides', () => {
    const fit = fitTernary(Float32Array.of(1, 0.75, -2, -1.75, 0.0625, -0.0625), { kind: 'auto' }, 'w')
    assert.deepEqual([...fit.codes], [1, 1, -1, -1, 0, 0])
    assert.equal(fit.wp, 0.875)
    assert.equal(fit.wn, 1.875)
    assert.equal(fit.threshold, (0.75 + 0.0625) / 2 / 2)
  })

  test('constant: delta is a share of the largest magnitude, weights at delta become zero', () => {
    const fit = fitTernary(Float32Array.of(2, 0.5, 0.625, -0.5, -1), { kind: 'constant', t: 0.25 }, 'w')
    assert.deepEqual([...fit.codes], [1, 0, 1, 0, -1])
    assert.deepEqual([fit.wp, fit.wn, fit.threshold], [1.3125, 1, 0.25])
  })

  for (const r of [0, 0.1, 0.5, 0.77, 0.99]) {
    test(`sparsity ${r}: exactly that share is zero (seed ${SEED})`, () => {
      const weights = randomWeights(1000, SEED)
      const { codes } = fitTernary(weights, { kind: 'sparsity', r }, 'w')
      assert.equal(codes.filter((code) => code === 0).length, Math.round(1000 * r))
    })
  }

  test('sparsity with ties: all weights at the threshold become zero', () => {
    const { codes } = fitTernary(Float32Array.of(1, -1, 1, 2), { kind: 'sparsity', r: 0.5 }, 'w')
    assert.deepEqual([...codes], [0, 0, 0, 1])
  })

  test('sparsity with many ties: as near as may be, and never a layer of zeros', () => {
    const zerosOf = (weights: readonly number[], r: number): number =>
      fitTernary(Float32Array.from(weights), { kind: 'sparsity', r }, 'w').codes.filter((code) => code === 0).length
    // 4 zeros, 6 of one size: ternary as they are.
    const ternary = [0, 1, -1, 0, 1, 0, -1, 1, 0, 1]
    for (const r of [0, 0.1, 0.4, 0.7, 0.95]) assert.equal(zerosOf(ternary, r), 4, String(r))
    // Two scales: 4, or with the smaller side 6.
    const scaled = ternary.map((weight) => (weight < 0 ? weight / 2 : weight))
    assert.deepEqual(
      [0.4, 0.5, 0.6, 0.9].map((r) => zerosOf(scaled, r)),
      [4, 6, 6, 6],
    )
    assert.equal(zerosOf(new Array<number>(8).fill(3), 0.9), 0)
    // Eight bits: a tie takes a few more or fewer.
    const bits = Array.from({ length: 200 }, (_, i) => (i % 20) - 10)
    assert.deepEqual(
      [0.14, 0.16, 0.3].map((r) => zerosOf(bits, r)),
      [30, 30, 70],
    )
  })

  test('zeros: no survivor, scales of 1', () => {
    assert.deepEqual(fitTernary(new Float32Array(3), { kind: 'auto' }, 'w'), {
      codes: new Int8Array(3),
      wp: 1,
      wn: 1,
      threshold: 0,
    })
    assert.deepEqual(fitTernary(new Float32Array(0), { kind: 'auto' }, 'w'), {
      codes: new Int8Array(0),
      wp: 1,
      wn: 1,
      threshold: 0,
    })
  })

  test('a constant tensor is fitted exactly, and the empty side takes the other scale', () => {
    const fit = fitTernary(new Float32Array(4).fill(-0.375), { kind: 'auto' }, 'w')
    assert.deepEqual([[...fit.codes], fit.wp, fit.wn], [[-1, -1, -1, -1], 0.375, 0.375])
  })

  test('scales are float32 numbers', () => {
    const { wp, wn } = fitTernary(randomWeights(50, SEED), { kind: 'constant', t: 0.05 }, 'w')
    assert.deepEqual([wp, wn], [Math.fround(wp), Math.fround(wn)])
  })

  for (const bad of [NaN, Infinity, -Infinity]) {
    test(`${bad} among the weights is refused by name`, () => {
      assert.throws(
        () => fitTernary(Float32Array.of(1, bad, 2), { kind: 'auto' }, 'conv1.weight'),
        (error: unknown) =>
          error instanceof TtqError &&
          error.code === 'model' &&
          error.message === `onnx: initializer "conv1.weight": element 1 is ${bad}, expected finite weights`,
      )
    })
  }

  const badRules: ThresholdRule[] = [
    { kind: 'constant', t: 1 },
    { kind: 'constant', t: -0.1 },
    { kind: 'sparsity', r: 1.5 },
    { kind: 'sparsity', r: NaN },
  ]
  for (const rule of badRules) {
    test(`${JSON.stringify(rule)} is refused`, () => {
      assert.throws(
        () => fitTernary(Float32Array.of(1), rule, 'w'),
        (error: unknown) => error instanceof TtqError && error.code === 'usage',
      )
    })
  }
})

describe('codesBeyond and dequantize', () => {
  test('a weight at the threshold is zero', () => {
    assert.deepEqual([...codesBeyond(Float32Array.of(4, 1, -1.25, -1, 0), 1)], [1, 0, -1, 0, 0])
  })

  test('levels are exactly wp, 0 and -wn', () => {
    assert.deepEqual(dequantize({ codes: Int8Array.of(1, 0, -1), wp: 0.25, wn: 0.5 }), Float32Array.of(0.25, 0, -0.5))
  })
})
