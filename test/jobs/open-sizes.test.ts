// Images whose size the network leaves open but does not take as it comes: lines of text of one height.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, ValueName } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { int64 } from '../../src/tensor/tensor.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'

function network(height: number): Uint8Array {
  const random = seeded(5)
  const b = new GraphBuilder()
  const weight = (...dims: number[]): ValueName => randomWeight(b, random, ...dims)
  const x = b.emit('Relu', [
    b.emit('Conv', [b.input('x', 'float32', ['N', 3, 'H', 'W']), weight(8, 3, height, 4)], { strides: [height, 4] }),
  ])
  // One row: images that are higher have more.
  const row = b.emit('Squeeze', [x, b.constant(int64([2]))])
  const second = b.emit('Relu', [b.emit('Conv', [row, weight(16, 8, 3)])])
  b.emit('MatMul', [b.emit('ReduceMean', [second], { axes: [2], keepdims: 0 }), weight(16, 4)], {}, 'y')
  b.output('y', 'float32', ['N', 4])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('line') })
}

test('a few sizes are tried until the network runs', async () => {
  for (const height of [224, 32]) {
    const { report } = await compress(network(height), { name: 'm', samples: 16 })
    assert.ok((report.reconstruction?.distance ?? NaN) < 100, String(height))
  }
})

test('a batch that the network declares but does not take: samples go one at a time', async () => {
  const random = seeded(8)
  const b = new GraphBuilder()
  const weight = (...dims: number[]): ValueName => randomWeight(b, random, ...dims)
  const first = b.emit('Relu', [b.emit('MatMul', [b.input('x', 'float32', ['N', 24]), weight(24, 32)])])
  const state = b.emit('Add', [
    b.emit('Reshape', [first, b.constant(int64([1, 32]))]),
    b.input('h', 'float32', [1, 32]),
  ])
  b.emit('MatMul', [b.emit('Relu', [b.emit('MatMul', [state, weight(32, 32)])]), weight(32, 4)], {}, 'y')
  b.output('y', 'float32', ['N', 4])
  const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('single') })
  const { report } = await compress(bytes, { name: 'm', samples: 64 })
  assert.ok((report.reconstruction?.distance ?? NaN) < 100)
})

test('inputSize says it where none of them is right, and is checked', async () => {
  const options = { name: 'm', samples: 16 }
  const { report: without } = await compress(network(60), options)
  assert.ok(without.warnings.some((warning) => /does not run on made-up samples/.test(warning)))
  const { report } = await compress(network(60), { ...options, inputSize: '60x100' })
  assert.ok((report.reconstruction?.distance ?? NaN) < 100)
  await assert.rejects(compress(network(60), { ...options, inputSize: '60x' }), {
    code: 'usage',
    message: /^inputSize: found "60x", expected 224 or 224x192/,
  })
  const fixed = readModel(network(60))
  const [input] = fixed.graph.inputs
  const sized = {
    ...fixed.graph,
    inputs: [{ ...input, name: 'x', type: { elementType: 'float32', dims: ['N', 3, 60, 100] } }],
  }
  await assert.rejects(compress(writeModel({ ...fixed, graph: sized as Graph }), { ...options, inputSize: '60x100' }), {
    code: 'usage',
    message: /^inputSize: the network has no images whose size it leaves open/,
  })
})
