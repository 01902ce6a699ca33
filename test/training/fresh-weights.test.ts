// New random weights for the architecture of a file.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newNetwork } from '../../src/networks/new-network.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { elementCount, float32, int64 } from '../../src/tensor/tensor.js'
import { freshWeights } from '../../src/training/fresh-weights.js'
import { stripesNetwork } from './stripes-network.js'

const valuesOf = (model: Model, name: string): number[] => [
  ...(model.graph.initializers.get(name)?.data as Float32Array),
]
const variance = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value * value, 0) / values.length

test('a network of this project gets the very weights that it has for that seed', () => {
  const options = { classes: 10, input: [3, 32, 32], seed: 5 } as const
  const fresh = freshWeights(newNetwork('resnet20', { ...options, seed: 1 }), 5)
  const expected = newNetwork('resnet20', options)
  for (const [name, { data }] of expected.graph.initializers)
    assert.deepEqual(fresh.graph.initializers.get(name)?.data, data, name)
})

test('trained batch norms and biases start anew; the seed fixes the weights', () => {
  const trained = readModel(stripesNetwork({ norm: true }), { name: 'stripes' })
  const fresh = freshWeights(trained, 1)
  for (const [part, value] of [
    ['scale', 1],
    ['shift', 0],
    ['mean', 0],
    ['var', 1],
  ] as const) {
    assert.deepEqual(valuesOf(fresh, `c2.${part}`), new Array<number>(16).fill(value), part)
  }
  assert.deepEqual(valuesOf(fresh, 'fc.bias'), [0, 0, 0])
  assert.deepEqual(valuesOf(freshWeights(trained, 1), 'c2.weight'), valuesOf(fresh, 'c2.weight'))
  assert.notDeepEqual(valuesOf(freshWeights(trained, 2), 'c2.weight'), valuesOf(fresh, 'c2.weight'))
  assert.notDeepEqual(valuesOf(trained, 'c2.mean'), valuesOf(fresh, 'c2.mean'))
})

// Square matrices, so that nothing but the attributes tells rows from columns: one axis is 8 times the other's fan-in.
const LAYERS: Record<
  string,
  { build: (b: GraphBuilder, x: string, weight: string) => string; dims: number[]; fanIn: number }
> = {
  Gemm: { build: (b, x, w) => b.emit('Gemm', [x, w]), dims: [40, 320], fanIn: 40 },
  'Gemm, transB': { build: (b, x, w) => b.emit('Gemm', [x, w], { transB: 1 }), dims: [320, 40], fanIn: 40 },
  'Gemm, weight on the left': { build: (b, x, w) => b.emit('Gemm', [w, x]), dims: [320, 40], fanIn: 40 },
  'Gemm, weight on the left, transA': {
    build: (b, x, w) => b.emit('Gemm', [w, x], { transA: 1 }),
    dims: [40, 320],
    fanIn: 40,
  },
  MatMul: { build: (b, x, w) => b.emit('MatMul', [x, w]), dims: [40, 320], fanIn: 40 },
  'MatMul, weight on the left': { build: (b, x, w) => b.emit('MatMul', [w, x]), dims: [320, 40], fanIn: 40 },
  'Conv in groups': { build: (b, x, w) => b.emit('Conv', [x, w], { group: 4 }), dims: [64, 8, 3, 3], fanIn: 72 },
  'ConvTranspose in groups': {
    build: (b, x, w) => b.emit('ConvTranspose', [x, w], { group: 2 }),
    dims: [16, 64, 3, 3],
    fanIn: 72,
  },
}

for (const [name, { build, dims, fanIn }] of Object.entries(LAYERS)) {
  test(`He initialisation by fan-in: ${name}`, () => {
    const b = new GraphBuilder()
    b.initializers.set('w', float32(dims, new Float32Array(elementCount(dims))))
    b.output(build(b, b.input('x', 'float32', ['N']), 'w'))
    const found = variance(
      valuesOf(freshWeights({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('layer') }, 3), 'w'),
    )
    assert.ok(Math.abs((found * fanIn) / 2 - 1) < 0.1, `variance ${found} for fan-in ${fanIn}`)
  })
}

test('what training does not change stays: tables, factors of the function, integers', () => {
  const b = new GraphBuilder()
  b.initializers.set(
    'table',
    float32(
      [4, 8],
      Float32Array.from({ length: 32 }, (_, i) => i),
    ),
  )
  b.initializers.set('three', float32([], [3]))
  b.initializers.set('axes', int64([0]))
  const rows = b.emit('Gather', ['table', b.input('x', 'int64', ['N'])])
  b.output(b.emit('Unsqueeze', [b.emit('Add', [rows, 'three']), 'axes']))
  const model: Model = { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('table') }
  assert.deepEqual(freshWeights(model, 1), model)
})
