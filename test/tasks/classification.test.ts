// What a classifier's scores decide, in every element type, finite or not.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { classification } from '../../src/tasks/classification.js'
import { FLOAT_TYPES } from '../../src/tensor/data-type.js'
import { floatTensor } from '../../src/tensor/float-values.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

const task = classification(3)
const none = { inputs: {}, labels: new Int32Array() }
const labelled = (...labels: number[]): typeof none => ({ inputs: {}, labels: Int32Array.from(labels) })
const rows = (...scores: number[][]): Tensor => float32([scores.length, 3], scores.flat())

describe('decisions', () => {
  for (const type of FLOAT_TYPES) {
    test(`${type} scores`, () => {
      const scores = floatTensor(type, [2, 3, 1, 1], Float32Array.of(0.5, 2, -1, 3, 1, 2))
      const { score, loss, decisions, notFinite, samples } = task.evaluation([task.score(scores, labelled(1, 2), 2)])
      assert.deepEqual([...decisions], [1, 0])
      assert.deepEqual([score, notFinite, samples], [50, [], 2])
      const softmax = (chosen: number, all: number[]): number =>
        Math.log(all.reduce((sum, score) => sum + Math.exp(score - chosen), 0))
      assert.ok(Math.abs((loss ?? NaN) - (softmax(2, [0.5, 2, -1]) + softmax(2, [3, 1, 2])) / 2) < 1e-6)
    })
  }

  test('what filled up the batch does not count', () => {
    const { decisions } = task.evaluation([task.score(rows([0, 1, 0], [5, 0, 0]), labelled(1), 1)])
    assert.deepEqual([...decisions], [1])
  })

  test('scores that are not finite decide nothing, and are told by their place', () => {
    const parts = [
      task.score(rows([0, 1, 2], [NaN, NaN, NaN]), labelled(2, 0), 2),
      task.score(rows([1, Infinity, 0], [0, 1, NaN], [-Infinity, -Infinity, -Infinity]), labelled(1, 1, 0), 3),
    ]
    const { decisions, notFinite, score } = task.evaluation(parts)
    assert.deepEqual([...decisions], [2, -1, -1, -1, -1])
    assert.deepEqual(notFinite, [1, 2, 3, 4])
    assert.equal(score, 20)
  })

  test('a class that is ruled out is no fault', () => {
    const { decisions, notFinite, loss } = task.evaluation([task.score(rows([-Infinity, 0, 1]), labelled(2), 1)])
    assert.deepEqual([[...decisions], notFinite], [[2], []])
    assert.ok(Math.abs((loss ?? NaN) - Math.log(1 + Math.exp(-1))) < 1e-6)
  })
})

describe('comparison', () => {
  const evaluated = (scores: Tensor, batch = none): ReturnType<typeof task.evaluation> =>
    task.evaluation([task.score(scores, batch, scores.dims[0] as number)])

  test('what decides nothing agrees with nothing, not even itself', () => {
    const broken = evaluated(rows([NaN, 0, 0], [1, 0, 0]))
    assert.equal(task.agreement(broken, broken), 50)
    assert.equal(task.drop(broken, broken), 50)
  })

  test('points of top-1 where there are labels, else decisions that changed', () => {
    const [a, b] = [rows([1, 0, 0], [1, 0, 0]), rows([1, 0, 0], [0, 1, 0])]
    assert.equal(task.drop(evaluated(a), evaluated(b)), 50)
    assert.equal(task.drop(evaluated(a, labelled(0, 1)), evaluated(b, labelled(0, 1))), -50)
  })

  test('divergence is that of the probabilities; infinite where there are none', () => {
    const [a, b] = [rows([0, 0, 0]), rows([Math.log(2), 0, 0])]
    const expected = -Math.log(3) - (Math.log(2 / 4) + 2 * Math.log(1 / 4)) / 3
    assert.ok(Math.abs(task.divergence(a, b, 1) - expected) < 1e-6)
    assert.equal(task.divergence(a, a, 1), 0)
    assert.equal(task.divergence(a, rows([NaN, 0, 0]), 1), Infinity)
    assert.equal(task.divergence(rows([-Infinity, 0, 0]), rows([-Infinity, 0, 0]), 1), 0)
  })
})

test('without labels nothing is known of accuracy; targets are asked for', () => {
  assert.deepEqual(task.evaluation([task.score(rows([0, 1, 2]), none, 1)]).score, null)
  assert.throws(() => task.targets(none, 1, { labelSmoothing: 0, unlabelled: false }), { code: 'data' })
  const { data } = task.targets(labelled(1), 1, { labelSmoothing: 0.3, unlabelled: false })
  const expected = [0.1, 0.8, 0.1]
  for (const [i, value] of expected.entries()) assert.ok(Math.abs((data[i] as number) - value) < 1e-6)
})
