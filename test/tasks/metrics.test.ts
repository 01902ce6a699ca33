// What each task measures, against numbers worked out by hand and by PyTorch 2.13; and what it says of labels that are
// not its own.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Labels } from '../../src/data/dataset.js'
import { language, segmentation } from '../../src/tasks/dense-classification.js'
import { distill } from '../../src/tasks/distill.js'
import { dropOf, type Evaluation, evaluationOf, scoreBatch } from '../../src/tasks/evaluation.js'
import { multilabel } from '../../src/tasks/multilabel.js'
import { regression } from '../../src/tasks/regression.js'
import type { Task } from '../../src/tasks/task.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

const only = (dims: readonly number[], values: readonly number[]): Labels => ({ '': float32(dims, values) })

function measured(task: Task, outputs: Tensor[], labels: Labels, expected?: Tensor[]): Evaluation {
  return evaluationOf(task, [scoreBatch(task, outputs, { labels, samples: outputs[0]?.dims[0] as number, expected })])
}

function near(found: number | undefined, expected: number, name: string): void {
  assert.ok(
    Math.abs((found ?? NaN) - expected) < 1e-5 * Math.max(1, Math.abs(expected)),
    `${name}: ${found}, ${expected}`,
  )
}

function check(found: Readonly<Record<string, number>> | null, expected: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(expected)) near(found?.[key], value, key)
}

describe('segmentation', () => {
  // Two samples of 2x2 places, classes in front and behind; decisions 0 1 / 2 0 and 1 1 / 2 0.
  const decisions = [0, 1, 2, 0, 1, 1, 2, 0]
  const scores = (sample: number, c: number, place: number): number => (decisions[sample * 4 + place] === c ? 2 : 0)
  const front = float32(
    [2, 3, 2, 2],
    Array.from({ length: 24 }, (_, i) => scores(Math.floor(i / 12), Math.floor(i / 4) % 3, i % 4)),
  )
  const behind = float32(
    [2, 2, 2, 3],
    Array.from({ length: 24 }, (_, i) => scores(Math.floor(i / 12), i % 3, Math.floor(i / 3) % 4)),
  )
  const labels = [0, 1, 2, 2, 1, 0, 255, -100]

  for (const [axis, output] of [
    [1, front],
    [3, behind],
  ] as const) {
    test(`classes along axis ${axis}: mIoU and pixel accuracy by hand, ignored places left out`, () => {
      const task = segmentation({ output: 'y', axis, classes: 3, places: 4, isProbabilities: false })
      const { metrics } = measured(task, [output], only([2, 2, 2], labels))
      // Class 0: 1 of {0, 3, 5}; class 1: 2 of {1, 4, 5}; class 2: 1 of {2, 3}.
      check(metrics, { mIoU: (100 * (1 / 3 + 2 / 3 + 1 / 2)) / 3, pixelAccuracy: (100 * 4) / 6 })
      const right = Math.log(1 + 2 * Math.exp(-2))
      check(metrics, { crossEntropy: (4 * right + 2 * (right + 2)) / 6 })
    })
  }

  test('labels out of range are named by sample and place; 255 is a class where there are so many', () => {
    const task = segmentation({ output: 'y', axis: 1, classes: 3, places: 4, isProbabilities: false })
    assert.deepEqual(task.checkLabels(only([2, 4], [0, 1, 2, 0, 0, 3, 0, 0]), 2), {
      sample: 1,
      problem: 'label 3 at place 1, expected 0..2, or 255 or -100 where none counts',
    })
    assert.deepEqual(task.checkLabels(only([2, 2], [0, 1, 2, 0]), 2), {
      sample: 0,
      problem: '2 labels, expected 4, one class per place',
    })
    const many = segmentation({ output: 'y', axis: 1, classes: 300, places: 1, isProbabilities: false })
    const [targets] = many.targets(only([2, 1], [255, -100]), 2, { labelSmoothing: 0 })
    assert.deepEqual([...(targets?.data as BigInt64Array)], [255n, 300n])
  })

  test('compared with the original: agreement of places', () => {
    const task = segmentation({ output: 'y', axis: 1, classes: 3, places: 4, isProbabilities: false })
    const other = float32(
      front.dims,
      front.data.map((value, i) => (i === 0 ? -5 : value)),
    )
    check(measured(task, [other], {}, [front]).likeness, { agreement: 87.5 })
    check(measured(task, [front], {}, [front]).likeness, { agreement: 100, divergence: 0 })
  })
})

test("language: perplexity is that of PyTorch's cross_entropy with ignore_index -100", () => {
  const task = language({ output: 'y', axis: 2, classes: 3, places: 2, isProbabilities: false })
  const output = float32([2, 2, 3], [0.5, 1, -1, 2, 0, 0, -0.5, 0.25, 1.5, 0, 0, 0])
  const { metrics } = measured(task, [output], only([2, 2], [1, 2, 2, -100]))
  const loss = (chosen: number, ...all: number[]): number =>
    Math.log(all.reduce((sum, score) => sum + Math.exp(score - chosen), 0))
  const mean = (loss(1, 0.5, 1, -1) + loss(0, 2, 0, 0) + loss(1.5, -0.5, 0.25, 1.5)) / 3
  near(mean, 1.0488178498888923, 'by PyTorch')
  check(metrics, { perplexity: 2.8542749414433994, tokenAccuracy: 200 / 3, crossEntropy: mean })
  assert.equal(task.metrics[0]?.better, 'lower')
  const worse = measured(task, [float32([2, 2, 3], new Array<number>(12).fill(0))], only([2, 2], [1, 2, 2, -100]))
  near(worse.metrics?.['perplexity'], 3, 'of a network that knows nothing')
})

describe('multilabel and binary', () => {
  const labels = [1, 0, 1, 1, 0, 0, 0, 1]
  const logits = [2, -1, 0.5, -0.5, 0.25, -2, -1, 1]

  test('F1, accuracy, area and cross-entropy from their definitions', () => {
    const task = multilabel({ output: 'y', count: 1, isProbabilities: false })
    const { metrics } = measured(task, [float32([8, 1], logits)], only([8], labels))
    // TP 3, FP 1, FN 1; of 16 pairs 13 stand in order, and one more by 0.25 < 0.5.
    const pairs = labels.flatMap((yes, i) => labels.map((no, j) => (yes > no ? Number(logits[i]! > logits[j]!) : -1)))
    const counted = pairs.filter((pair) => pair >= 0)
    const auc = counted.reduce((sum, pair) => sum + pair, 0) / counted.length
    const bce = labels.reduce((sum, y, i) => sum - Math.log(1 / (1 + Math.exp(y === 1 ? -logits[i]! : logits[i]!))), 0)
    check(metrics, { f1: 75, accuracy: 75, auc, crossEntropy: bce / 8 })
    assert.equal(task.name, 'binary')
  })

  test('equal scores count one half; a question without a yes has no area', () => {
    const task = multilabel({ output: 'y', count: 2, isProbabilities: false })
    const { metrics } = measured(task, [float32([2, 2], [1, 0, 1, 0])], only([2, 2], [1, 0, 0, 0]))
    check(metrics, { auc: 0.5 })
  })

  test('probabilities and logits say the same; what is ignored does not count', () => {
    const made = multilabel({ output: 'y', count: 4, isProbabilities: true })
    const plain = multilabel({ output: 'y', count: 4, isProbabilities: false })
    const some = labels.map((label, i) => (i === 3 ? 255 : label))
    const probabilities = logits.map((logit) => 1 / (1 + Math.exp(-logit)))
    const [a, b] = [
      measured(made, [float32([2, 4], probabilities)], only([2, 4], some)).metrics,
      measured(plain, [float32([2, 4], logits)], only([2, 4], some)).metrics,
    ]
    check(a, b ?? {})
    check(b, { f1: 600 / 7, accuracy: 600 / 7 })
    assert.deepEqual(plain.checkLabels(only([1, 4], [0, 1, 2, 0]), 1)?.sample, 0)
    assert.match(
      plain.checkLabels(only([1, 4], [0, 1, 2, 0]), 1)?.problem ?? '',
      /^label 2 at 2, expected 0 \(no\) or 1/,
    )
  })
})

describe('regression', () => {
  test('R2, the mean over numbers, and the mean squared error', () => {
    const task = regression({ output: 'y', count: 2, variance: 1 })
    const { metrics } = measured(task, [float32([3, 2], [1, 10, 2, 20, 4, 30])], only([3, 2], [1, 11, 2, 19, 3, 30]))
    // First number: 1 - 1 / 2; second: 1 - 2 / 182.
    check(metrics, { r2: (1 - 1 / 2 + (1 - 2 / 182)) / 2, mse: 3 / 6 })
  })

  test('images: peak signal-to-noise ratio', () => {
    const task = regression({ output: 'y', count: 64, variance: 1, peak: 255 })
    const { metrics } = measured(
      task,
      [float32([1, 1, 8, 8], new Array<number>(64).fill(10))],
      only(
        [1, 1, 8, 8],
        Array.from({ length: 64 }, (_, i) => (i < 32 ? 10 : 14)),
      ),
    )
    check(metrics, { mse: 8, psnr: 10 * Math.log10(255 ** 2 / 8) })
  })
})

describe('distill', () => {
  test('relative error, cosine, agreement and PSNR by hand', () => {
    const task = distill([{ output: 'a' }, { output: 'b', decides: { along: 1 } }])
    const a = float32([2, 2], [3, 4, 0, 5])
    const b = float32([2, 3], [1, 0, 0, 0, 2, 0])
    const found = [float32([2, 2], [3, 4, 0, 6]), float32([2, 3], [0, 1, 0, 0, 2, 0])]
    const { metrics, likeness } = measured(task, found, {}, [a, b])
    assert.equal(metrics, null)
    const [first, second] = [1 / 50, 2 / 5]
    check(likeness, {
      relativeError: 100 * Math.sqrt((first + second) / 2),
      'relativeError:a': 100 * Math.sqrt(first),
      'relativeError:b': 100 * Math.sqrt(second),
      cosine: (55 / Math.sqrt(50 * 61) + 4 / Math.sqrt(5 * 5)) / 2,
      agreement: 50,
    })
    const same = measured(task, [a, b], {}, [a, b])
    check(same.likeness, { relativeError: 0, cosine: 1, agreement: 100, divergence: 0 })
    near(dropOf(task, same, measured(task, found, {}, [a, b])), likeness?.['relativeError'] ?? NaN, 'drop')
  })

  test('outputs that are not finite are told', () => {
    const task = distill([{ output: 'a' }])
    const { notFinite } = measured(task, [float32([3, 1], [0, Infinity, 1])], {})
    assert.deepEqual(notFinite, [1])
  })
})
