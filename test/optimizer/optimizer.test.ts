// Optimizers run by ONNX Runtime against PyTorch's, and against one step by hand.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkGraph } from '../../src/onnx/check-graph.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { adam } from '../../src/optimizer/adam.js'
import type { Optimizer } from '../../src/optimizer/optimizer.js'
import { sgd } from '../../src/optimizer/sgd.js'
import { Session } from '../../src/runtime/session.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

const GRADIENTS = [
  [0.5, -0.25],
  [-0.125, 1],
  [2, 0.0625],
]

// Printed by golden.py in this folder (source tree: test/optimizer), torch 2.13.0 in float64.
const GOLDEN: Record<string, number[][]> = {
  sgd: [
    [0.949, -1.973],
    [0.914651, -2.046727],
    [0.682822249, -2.117284573],
  ],
  'sgd plain': [
    [0.95, -1.975],
    [0.9625, -2.075],
    [0.7625, -2.08125],
  ],
  adamw: [
    [0.899000002, -1.898000004],
    [0.851154186, -1.952052353],
    [0.779391251, -1.99713903],
  ],
  'adamw, other rates': [
    [0.899002, -1.898004],
    [0.856089027, -1.956947701],
    [0.779267667, -2.003293861],
  ],
}

const OPTIMIZERS: Record<string, { optimizer: Optimizer; weightDecay: number; slots: string[] }> = {
  sgd: { optimizer: sgd(), weightDecay: 0.01, slots: ['x.momentum'] },
  'sgd plain': { optimizer: sgd({ momentum: 0 }), weightDecay: 0, slots: [] },
  adamw: { optimizer: adam(), weightDecay: 0.01, slots: ['x.mean', 'x.square'] },
  'adamw, other rates': {
    optimizer: adam({ beta1: 0.8, beta2: 0.99, epsilon: 1e-5 }),
    weightDecay: 0.01,
    slots: ['x.mean', 'x.square'],
  },
}

interface Run {
  values: number[][]
  state: Record<string, Tensor>
  slots: string[]
  inputs: string[]
}

async function run(
  optimizer: Optimizer,
  weightDecay: number,
  learningRate: number,
  start: number[],
  gradients: number[][],
): Promise<Run> {
  const graph = new GraphBuilder()
  const dims = [start.length]
  for (const name of ['value', 'gradient']) graph.input(name, 'float32', dims)
  graph.input('rate', 'float32', [])
  let stepDeclared = false
  const stepNumber = (): string => {
    if (!stepDeclared) graph.input('step', 'float32', [])
    stepDeclared = true
    return 'step'
  }
  const slots = optimizer.update(graph, {
    prefix: 'x.',
    dims,
    value: 'value',
    gradient: 'gradient',
    learningRate: 'rate',
    weightDecay,
    next: 'next',
    stepNumber,
  })
  graph.output('next')
  const built = graph.build('optimizer')
  checkGraph(built)
  const session = await Session.create(writeModel({ irVersion: 8, opsets: new Map([['', 18]]), graph: built }), {
    threads: 1,
  })
  let value: Tensor = float32(dims, start)
  let state = Object.fromEntries(
    slots.map((slot) => [slot.name, float32(slot.dims, new Float32Array(start.length)) as Tensor]),
  )
  const values: number[][] = []
  for (const [i, gradient] of gradients.entries()) {
    const scalars = { rate: float32([], [learningRate]), ...(stepDeclared ? { step: float32([], [i + 1]) } : {}) }
    const result = await session.run({ value, gradient: float32(dims, gradient), ...scalars, ...state })
    value = result['next'] as Tensor
    state = Object.fromEntries(slots.map(({ name }) => [name, result[`${name}_next`] as Tensor]))
    values.push(Array.from(value.data as Float32Array))
  }
  await session.release()
  return { values, state, slots: slots.map(({ name }) => name), inputs: [...session.inputNames] }
}

function assertClose(found: number[], expected: number[], tolerance: number): void {
  assert.equal(found.length, expected.length)
  found.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] as number)) <= tolerance, `element ${i}: ${value}, expected ${expected[i]}`)
  })
}

describe('optimizers', () => {
  for (const [name, { optimizer, weightDecay, slots }] of Object.entries(OPTIMIZERS)) {
    test(`${name}: three steps as PyTorch makes them`, async () => {
      const { values, slots: found } = await run(optimizer, weightDecay, 0.1, [1, -2], GRADIENTS)
      values.forEach((row, i) => {
        assertClose(row, GOLDEN[name]?.[i] as number[], 1e-6)
      })
      assert.deepEqual(found, slots)
    })
  }

  test('sgd by hand: v = 0.5 v + g, w = w - 0.25 v', async () => {
    const { values, state, inputs } = await run(sgd({ momentum: 0.5 }), 0, 0.25, [1], [[2], [4]])
    assert.deepEqual(values, [[0.5], [-0.75]])
    assert.deepEqual(Array.from(state['x.momentum']?.data as Float32Array), [5])
    assert.ok(!inputs.includes('step'))
  })

  test('adam: the first step is the learning rate, whatever the gradient', async () => {
    const { values } = await run(adam(), 0, 0.01, [0, 0, 0], [[1e-3, -7, 1e4]])
    assertClose(values[0] as number[], [-0.01, 0.01, -0.01], 1e-7)
  })

  test('adam: decoupled decay shrinks a value that has no gradient', async () => {
    const { values } = await run(adam(), 0.5, 0.1, [2], [[0]])
    assertClose(values[0] as number[], [1.9], 1e-6)
  })
})
