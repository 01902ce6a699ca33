// What a classifier's scores decide, in every element type, finite or not; of one output and of several.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Labels } from '../../src/data/dataset.js'
import { classLabels } from '../../src/data/labels.js'
import { classification } from '../../src/tasks/classification.js'
import { dropOf, type Evaluation, evaluationOf, scoreBatch } from '../../src/tasks/evaluation.js'
import { FLOAT_TYPES } from '../../src/tensor/data-type.js'
import { floatTensor } from '../../src/tensor/float-values.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

const task = classification([{ output: 'y', classes: 3 }])
const rows = (...scores: number[][]): Tensor => float32([scores.length, 3], scores.flat())

type Part = readonly [scores: Tensor, labels: Labels, samples?: number, expected?: Tensor]
const evaluated = (...parts: Part[]): Evaluation =>
  evaluationOf(
    task,
    parts.map(([scores, labels, samples = scores.dims[0] as number, expected]) =>
      scoreBatch(task, [scores], { labels, samples, expected: expected && [expected] }),
    ),
  )

describe('decisions', () => {
  for (const type of FLOAT_TYPES) {
    test(`${type} scores`, () => {
      const scores = floatTensor(type, [2, 3, 1, 1], Float32Array.of(0.5, 2, -1, 3, 1, 2)) as Tensor
      const { metrics, notFinite, samples } = evaluated([scores, classLabels([1, 2])])
      assert.deepEqual([metrics?.['top1'], notFinite, samples], [50, [], 2])
      const softmax = (chosen: number, all: number[]): number =>
        Math.log(all.reduce((sum, score) => sum + Math.exp(score - chosen), 0))
      const expected = (softmax(2, [0.5, 2, -1]) + softmax(2, [3, 1, 2])) / 2
      assert.ok(Math.abs((metrics?.['crossEntropy'] ?? NaN) - expected) < 1e-6)
    })
  }

  test('what filled up the batch does not count', () => {
    const { metrics, samples } = evaluated([rows([0, 1, 0], [5, 0, 0]), classLabels([1]), 1])
    assert.deepEqual([metrics?.['top1'], samples], [100, 1])
  })

  test('scores that are not finite decide nothing, and are told by their place', () => {
    const { notFinite, metrics } = evaluated(
      [rows([0, 1, 2], [NaN, NaN, NaN]), classLabels([2, 0])],
      [rows([1, Infinity, 0], [0, 1, NaN], [-Infinity, -Infinity, -Infinity]), classLabels([1, 1, 0])],
    )
    assert.deepEqual([notFinite, metrics?.['top1']], [[1, 2, 3, 4], 20])
  })

  test('a class that is ruled out is no fault', () => {
    const { notFinite, metrics } = evaluated([rows([-Infinity, 0, 1]), classLabels([2])])
    assert.deepEqual(notFinite, [])
    assert.ok(Math.abs((metrics?.['crossEntropy'] ?? NaN) - Math.log(1 + Math.exp(-1))) < 1e-6)
  })

  test('probabilities of a softmax are read as such', () => {
    const made = classification([{ output: 'y', classes: 3, isProbabilities: true }])
    const { metrics } = evaluationOf(made, [
      scoreBatch(made, [rows([0.2, 0.5, 0.3])], { labels: classLabels([1]), samples: 1 }),
    ])
    assert.ok(Math.abs((metrics?.['crossEntropy'] ?? NaN) - Math.log(2)) < 1e-6)
  })

  test('top-5: the label is among the five highest, equal ones in their order', () => {
    const many = classification([{ output: 'y', classes: 10 }])
    const scores = float32([3, 10], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, ...new Array<number>(20).fill(1)])
    const { metrics } = evaluationOf(many, [scoreBatch(many, [scores], { labels: classLabels([4, 4, 5]), samples: 3 })])
    assert.ok(Math.abs((metrics?.['top5'] ?? NaN) - 200 / 3) < 1e-9)
    assert.equal(metrics?.['top1'], 0)
  })

  test('several heads: each by its labels, the mean in front', () => {
    const two = classification([
      { output: 'a', classes: 3 },
      { output: 'b', classes: 2 },
    ])
    const labels = { a: float32([2], [2, 0]), b: float32([2], [1, 1]) }
    const outputs = [rows([0, 0, 1], [1, 0, 0]), float32([2, 2], [0, 1, 1, 0])]
    const { metrics } = evaluationOf(two, [scoreBatch(two, outputs, { labels, samples: 2 })])
    assert.deepEqual([metrics?.['top1'], metrics?.['top1:a'], metrics?.['top1:b']], [75, 100, 50])
    assert.deepEqual(
      two.targets(labels, 2, { labelSmoothing: 0 }).map(({ data }) => [...(data as Float32Array)]),
      [
        [0, 0, 1, 1, 0, 0],
        [0, 1, 0, 1],
      ],
    )
  })
})

describe('comparison', () => {
  test('what decides nothing agrees with nothing, not even itself', () => {
    const scores = rows([NaN, 0, 0], [1, 0, 0])
    const broken = evaluated([scores, {}, 2, scores])
    assert.equal(broken.likeness?.['agreement'], 50)
    assert.equal(dropOf(task, broken, broken), 50)
  })

  test('points of top-1 where there are labels, else decisions that changed', () => {
    const [a, b] = [rows([1, 0, 0], [1, 0, 0]), rows([1, 0, 0], [0, 1, 0])]
    assert.equal(dropOf(task, evaluated([a, {}]), evaluated([b, {}, 2, a])), 50)
    const labels = classLabels([0, 1])
    assert.equal(dropOf(task, evaluated([a, labels]), evaluated([b, labels, 2, a])), -50)
  })

  test('divergence is that of the probabilities; infinite where there are none', () => {
    const divergence = (expected: Tensor, found: Tensor): number =>
      evaluated([found, {}, 1, expected]).likeness?.['divergence'] ?? NaN
    const [a, b] = [rows([0, 0, 0]), rows([Math.log(2), 0, 0])]
    const expected = -Math.log(3) - (Math.log(2 / 4) + 2 * Math.log(1 / 4)) / 3
    assert.ok(Math.abs(divergence(a, b) - expected) < 1e-6)
    assert.ok(Math.abs(divergence(a, a)) < 1e-12)
    assert.equal(divergence(a, rows([NaN, 0, 0])), Infinity)
    assert.equal(divergence(rows([-Infinity, 0, 0]), rows([-Infinity, 0, 0])), 0)
  })

  test('the digest tells every bit', () => {
    const digest = (...scores: number[]): string => evaluated([rows(scores), {}]).digest
    assert.equal(digest(1, 2, 3), digest(1, 2, 3))
    assert.notEqual(digest(0, 2, 3), digest(-0, 2, 3))
  })
})

test('without labels nothing is known of accuracy; labels are looked at, and smoothed', () => {
  assert.equal(evaluated([rows([0, 1, 2]), {}]).metrics, null)
  assert.equal(evaluated([rows([0, 1, 2]), classLabels([1])], [rows([0, 1, 2]), {}]).metrics, null)
  assert.deepEqual(task.checkLabels(classLabels([0, 3]), 2), { sample: 1, problem: 'label 3, expected 0..2' })
  assert.deepEqual(task.checkLabels({ '': float32([2, 2], [0, 1, 2, 0]) }, 2), {
    sample: 0,
    problem: '2 labels, expected one class',
  })
  const [targets] = task.targets(classLabels([1]), 1, { labelSmoothing: 0.3 })
  const expected = [0.1, 0.8, 0.1]
  for (const [i, value] of expected.entries()) assert.ok(Math.abs((targets?.data[i] as number) - value) < 1e-6)
})
