import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBeyond, isKept } from '../../src/training/best-epoch.js'

// Of a course, the epoch that is kept in the end, from 1.
const kept = (samples: number, ...scores: number[]): number =>
  scores.reduce((best, score, i) => (isKept(score, scores.slice(0, i), samples) ? i + 1 : best), 0)

test('the first epoch is kept, and any that is better or as good', () => {
  assert.equal(kept(2000, 50), 1)
  assert.equal(kept(2000, 50, 60, 60), 3)
  assert.equal(kept(2000, 0, 0), 2)
})

test('a later epoch is kept within a standard error of the best: 0.38 points for 97 % of 2000 samples', () => {
  assert.equal(kept(2000, 97, 96.65), 2)
  assert.equal(kept(2000, 97, 96.6), 1)
  assert.equal(kept(20_000, 97, 96.65), 1)
})

test('many small steps down do not add up', () => {
  assert.equal(kept(2000, 97, 96.7, 96.4, 96.1), 2)
})

test('nothing is as good as all samples right', () => {
  assert.equal(kept(2000, 100, 99.95), 1)
})

test('a start that was fitted: as good is not better, of few samples less than of many', () => {
  assert.equal(isBeyond(99, 99, 102), false)
  assert.equal(isBeyond(100, 99, 102), true)
  assert.equal(isBeyond(98, 97, 102), false)
  assert.equal(isBeyond(98, 97, 2000), true)
  assert.equal(isBeyond(100, 100, 2000), false)
  const error = { better: 'lower' } as const
  assert.deepEqual([isBeyond(0.3, 0.4, 10, error), isBeyond(0.4, 0.4, 10, error)], [true, false])
})
