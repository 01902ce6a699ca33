// Learning from several networks: loss and gradient against the formula.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { withLoaded } from '../../src/runtime/engine.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { classification } from '../../src/tasks/classification.js'
import { multilabel } from '../../src/tasks/multilabel.js'
import { regression } from '../../src/tasks/regression.js'
import type { Task } from '../../src/tasks/task.js'
import { float32 } from '../../src/tensor/tensor.js'
import { DISTILL_INPUT, TARGETS_INPUT, targetsInput } from '../../src/training/loss-graph.js'
import { buildTrainingGraph } from '../../src/training/training-graph.js'

const [ROWS, INPUTS, OUTPUTS] = [4, 3, 2]
const wave = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(i * 1.3 + phase))
const X = wave(ROWS * INPUTS, 0.4)
const WEIGHTS = [wave(INPUTS * OUTPUTS, 1), wave(INPUTS * OUTPUTS, 2.5), wave(INPUTS * OUTPUTS, 4)] as const
const TARGETS = [1, 0, 0, 1, 1, 0, 0.25, 0.75]

// y = x W.
function linear(weights: readonly number[]): Model {
  const b = new GraphBuilder()
  b.input('x', 'float32', ['N', INPUTS])
  b.initializers.set('w', float32([INPUTS, OUTPUTS], weights))
  b.emit('MatMul', ['x', 'w'], {}, 'y')
  b.output('y')
  return { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('linear') }
}

const outputOf = (weights: readonly number[]): number[][] =>
  Array.from({ length: ROWS }, (_, row) =>
    Array.from({ length: OUTPUTS }, (_, column) =>
      Array.from(
        { length: INPUTS },
        (_, i) => (X[row * INPUTS + i] as number) * (weights[i * OUTPUTS + column] as number),
      ).reduce((a, b) => a + b, 0),
    ),
  )
const softmax = (row: readonly number[]): number[] => {
  const sum = row.reduce((total, value) => total + Math.exp(value), 0)
  return row.map((value) => Math.exp(value) / sum)
}
const sigmoid = (row: readonly number[]): number[] => row.map((value) => 1 / (1 + Math.exp(-value)))
const divided = (row: readonly number[], by: number): number[] => row.map((value) => value / by)
const mean = (rows: readonly (readonly number[])[], weights: readonly number[]): number[] =>
  (rows[0] as number[]).map((_, at) =>
    rows.reduce((sum, row, i) => sum + (weights[i] as number) * (row[at] as number), 0),
  )
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

interface Formula {
  task: Task
  /** The loss of one row, times the rows, of labels and of what the teachers give in their mean. */
  hard: (own: readonly number[], target: readonly number[]) => number
  soft: (
    own: readonly number[],
    teachers: readonly (readonly number[])[],
    weights: readonly number[],
    t: number,
  ) => number
}

const FORMULAS: Record<string, Formula> = {
  classes: {
    task: classification([{ output: 'y', classes: OUTPUTS }]),
    hard: (own, target) => -sum(softmax(own).map((p, i) => (target[i] as number) * Math.log(p))),
    soft: (own, teachers, weights, t) => {
      const expected = mean(
        teachers.map((row) => softmax(divided(row, t))),
        weights,
      )
      const found = softmax(divided(own, t))
      return t * t * sum(expected.map((p, i) => p * Math.log(p / (found[i] as number))))
    },
  },
  answers: {
    task: multilabel({ output: 'y', count: OUTPUTS, isProbabilities: false }),
    hard: (own, target) =>
      -sum(
        sigmoid(own).map((p, i) => (target[i] as number) * Math.log(p) + (1 - (target[i] as number)) * Math.log(1 - p)),
      ) / OUTPUTS,
    soft: (own, teachers, weights, t) => {
      const expected = mean(
        teachers.map((row) => sigmoid(divided(row, t))),
        weights,
      )
      const found = sigmoid(divided(own, t))
      const divergence = (p: number, q: number): number => p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))
      return (t * t * sum(expected.map((p, i) => divergence(p, found[i] as number)))) / OUTPUTS
    },
  },
  numbers: {
    task: regression({ output: 'y', count: OUTPUTS, variance: 2 }),
    hard: (own, target) => sum(own.map((value, i) => (value - (target[i] as number)) ** 2)) / 2 / OUTPUTS,
    soft: (own, teachers, weights) =>
      sum(mean(teachers, weights).map((value, i) => (value - (own[i] as number)) ** 2)) / 2 / OUTPUTS,
  },
}

describe('loss and gradient from two teachers', () => {
  const [TEMPERATURE, SHARES] = [4, [0.25, 0.75]]
  const lossOf = ({ hard, soft }: Formula, weights: readonly number[], distill: number): number => {
    const [own, ...teachers] = [weights, WEIGHTS[1], WEIGHTS[2]].map(outputOf)
    return (
      sum(
        (own as number[][]).map((row, at) => {
          const target = TARGETS.slice(at * OUTPUTS, (at + 1) * OUTPUTS)
          const given = teachers.map((rows) => rows[at] as number[])
          return (1 - distill) * hard(row, target) + distill * soft(row, given, SHARES, TEMPERATURE)
        }),
      ) / ROWS
    )
  }
  for (const [name, formula] of Object.entries(FORMULAS))
    for (const [how, distill, distillEnd] of [
      ['a constant share', 0.7, undefined],
      ['a share that is fed', 0.3, 0.1],
    ] as const)
      test(`${name}, ${how}: by the formula and its differences`, async () => {
        const pool = { engine: onnxRuntime, device: 'cpu', load: onnxRuntime.load } as const
        const feeds = { x: float32([ROWS, INPUTS], X) }
        const learnsFrom = [WEIGHTS[1], WEIGHTS[2]].map((weights, i) => ({
          of: linear(weights),
          weight: SHARES[i] as number,
        }))
        const options = { batch: ROWS, distill, temperature: TEMPERATURE, distillEnd }
        const { model, loss, gradients } = await buildTrainingGraph(
          pool,
          linear(WEIGHTS[0]),
          learnsFrom,
          feeds,
          formula.task,
          options,
        )
        const found = await withLoaded(onnxRuntime, writeModel(model), { threads: 1 }, (graph) =>
          graph.run({
            ...feeds,
            w: float32([INPUTS, OUTPUTS], WEIGHTS[0]),
            [TARGETS_INPUT]: float32([ROWS, OUTPUTS], TARGETS),
            ...(name === 'answers' && {
              [targetsInput(1)]: float32(
                [ROWS, OUTPUTS],
                TARGETS.map(() => 1),
              ),
            }),
            ...(distillEnd !== undefined && { [DISTILL_INPUT]: float32([], [distill]) }),
          }),
        )
        const expected = lossOf(formula, WEIGHTS[0], distill)
        const value = found[loss]?.data[0] as number
        assert.ok(Math.abs(value - expected) < 1e-5, `${value}, expected ${expected}`)
        const gradient = found[gradients.get('w') as string]?.data as Float32Array
        WEIGHTS[0].forEach((_, at) => {
          const moved = (by: number): number =>
            lossOf(
              formula,
              WEIGHTS[0].map((weight, i) => (i === at ? weight + by : weight)),
              distill,
            )
          const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
          assert.ok(Math.abs((gradient[at] as number) - slope) < 1e-4, `${at}: ${gradient[at]}, expected ${slope}`)
        })
      })
})
