// The loss of each task against numbers that PyTorch 2.13 computed in float64: cross_entropy (ignore_index -100),
// binary_cross_entropy_with_logits, kl_div at temperature 4.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Labels } from '../../src/data/dataset.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { withLoaded } from '../../src/runtime/engine.js'
import { language, segmentation } from '../../src/tasks/dense-classification.js'
import { distill } from '../../src/tasks/distill.js'
import { multilabel } from '../../src/tasks/multilabel.js'
import { regression } from '../../src/tasks/regression.js'
import type { LossValue, Task } from '../../src/tasks/task.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import { buildLossGraph, LOSS_OUTPUT, type ScoredGraph, targetsInput } from '../../src/training/loss-graph.js'

interface Case {
  task: Task
  student: Tensor
  teacher?: Tensor
  labels?: Labels
  /** How the values are read. */
  value?: Partial<LossValue>
  expected: number
}

const labels = (dims: readonly number[], values: readonly number[]): Labels => ({ '': float32(dims, values) })
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const LOGITS = [2, -1, 0.5, -0.5, 0.25, -2, -1, 1]
const ANSWERS = labels([4, 2], [1, 0, 1, 1, 0, 0, 0, 1])
const STUDENT = float32([2, 3], [0, 0.5, 1, 2, -1, 0])
const TEACHER = float32([2, 3], [0.5, -1, 2, 1, 1, 0])
const TOKENS = [0.5, 1, -1, 2, 0, 0, -0.5, 0.25, 1.5, 0, 0, 0]

const CASES: Record<string, Case> = {
  'a token per place': {
    task: language({ output: 'y', axis: 2, classes: 3, places: 2, isProbabilities: false }),
    student: float32([2, 2, 3], TOKENS),
    labels: labels([2, 2], [1, 2, 2, -100]),
    expected: 1.0488178498888923,
  },
  'the same behind a softmax that stays': {
    task: language({ output: 'y', axis: 2, classes: 3, places: 2, isProbabilities: true }),
    student: float32(
      [2, 2, 3],
      TOKENS.map((score, i) => {
        const row = TOKENS.slice(3 * Math.floor(i / 3), 3 * Math.floor(i / 3) + 3)
        return Math.exp(score) / row.reduce((sum, other) => sum + Math.exp(other), 0)
      }),
    ),
    labels: labels([2, 2], [1, 2, 2, -100]),
    value: { isProbabilities: true },
    expected: 1.0488178498888923,
  },
  'a class per place, classes in front': {
    task: segmentation({ output: 'y', axis: 1, classes: 3, places: 4, isProbabilities: false }),
    student: float32([1, 3, 4], [0.1, 0.5, -0.3, 2, 1, 0, 0.2, 0.1, -1, 0.3, 0.4, 0]),
    labels: labels([1, 4], [0, 2, -100, 1]),
    expected: 1.5232139590336955,
  },
  'no place that counts': {
    task: segmentation({ output: 'y', axis: 1, classes: 3, places: 2, isProbabilities: false }),
    student: float32([1, 3, 2], [1, 2, 3, 4, 5, 6]),
    labels: labels([1, 2], [255, -100]),
    expected: 0,
  },
  'answers, logits': {
    task: multilabel({ output: 'y', count: 2, isProbabilities: false }),
    student: float32([4, 2], LOGITS),
    labels: ANSWERS,
    expected: 0.43346680910995883,
  },
  'answers, probabilities': {
    task: multilabel({ output: 'y', count: 2, isProbabilities: true }),
    student: float32([4, 2], LOGITS.map(sigmoid)),
    labels: ANSWERS,
    value: { isProbabilities: true },
    expected: 0.43346680910995883,
  },
  "numbers, in the labels' variance": {
    task: regression({ output: 'y', count: 2, variance: 4 }),
    student: float32([2, 2], [1, 2, 3, 4]),
    labels: labels([2, 2], [1, 4, 3, 0]),
    expected: (4 + 16) / 4 / 4,
  },
  'scores that are compared, from the original': {
    task: distill([{ output: 'y' }]),
    student: STUDENT,
    teacher: TEACHER,
    value: { by: { softmax: -1 } },
    expected: 0.6573441101693716,
  },
  'yes and no, from the original': {
    task: distill([{ output: 'y' }]),
    student: STUDENT,
    teacher: TEACHER,
    value: { by: 'sigmoid' },
    expected: 0.1748908752184235,
  },
  'numbers, from the original, in their variance': {
    task: distill([{ output: 'y' }]),
    student: float32([2, 2], [1, 2, 3, 5]),
    teacher: float32([2, 2], [1, 2, 3, 4]),
    expected: 1 / 4 / 1.25,
  },
}

for (const [name, { task, student, teacher, labels: given, value, expected }] of Object.entries(CASES)) {
  test(`loss: ${name}`, async () => {
    const { dims } = student
    // Student and teacher give what they are fed.
    const passing = (input: string): ScoredGraph => {
      const b = new GraphBuilder()
      b.input('x', 'float32', dims)
      b.input('t', 'float32', dims)
      const y = b.emit('Identity', [input], {}, 'y')
      return { values: [{ value: y, dims, isFloat32: true, isProbabilities: false, ...value }], graph: b.build(input) }
    }
    const batch = dims[0] as number
    const options = { batch, distill: teacher === undefined ? 0 : 1, temperature: 4 }
    const graph = buildLossGraph(passing('x'), [{ of: passing('t'), weight: 1 }], task, options, teacher && [teacher])
    const targets = given === undefined ? [] : task.targets(given, batch, { labelSmoothing: 0 })
    const model = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph })
    const found = await withLoaded(onnxRuntime, model, { threads: 1 }, (loaded) =>
      loaded.run({
        x: student,
        t: teacher ?? student,
        ...Object.fromEntries(targets.map((tensor, place) => [targetsInput(place), tensor])),
      }),
    )
    const loss = found[LOSS_OUTPUT]?.data[0] as number
    assert.ok(Math.abs(loss - expected) < 1e-5, `${loss}, expected ${expected}`)
  })
}
