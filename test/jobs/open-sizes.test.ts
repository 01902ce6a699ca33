// Inputs whose size the network leaves open: images that it does not take as they come (lines of text of one height),
// channels that only its first weights tell.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { syntheticSamples, waysToTry } from '../../src/binding/synthetic-samples.js'
import { compress } from '../../src/jobs/compress.js'
import { inspectModel } from '../../src/jobs/inspect.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, Model, ValueName } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32, int64 } from '../../src/tensor/tensor.js'
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

type Dims = (number | string | null)[]

// Two convolutions, or two products, behind an input of these dimensions.
function behind(
  dims: Dims,
  first: (b: GraphBuilder, x: ValueName, weight: ValueName) => ValueName,
  own: number[],
): Model {
  const random = seeded(11)
  const b = new GraphBuilder()
  const weight = (...shape: number[]): ValueName => randomWeight(b, random, ...shape)
  const x = b.emit('Relu', [first(b, b.input('x', 'float32', dims), weight(...own))])
  const isProduct = own.length === 2
  const second = isProduct ? b.emit('MatMul', [x, weight(8, 8)]) : b.emit('Conv', [x, weight(8, 8, ...own.slice(2))])
  const last = isProduct ? second : b.emit('Flatten', [b.emit('GlobalAveragePool', [b.emit('Relu', [second])])])
  b.emit('MatMul', [last, weight(8, 4)], {}, 'y')
  b.output('y', 'float32', ['N', 4])
  return { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('open') }
}

const conv = (b: GraphBuilder, x: ValueName, weight: ValueName): ValueName => b.emit('Conv', [x, weight])

test('all dimensions are open: the weights of the layer that takes the input say how many channels it has', async () => {
  const turned = (b: GraphBuilder, x: ValueName, weight: ValueName): ValueName =>
    conv(b, b.emit('Transpose', [b.emit('Div', [x, b.constant(float32([], [2]))])], { perm: [0, 3, 1, 2] }), weight)
  const product = (b: GraphBuilder, x: ValueName, weight: ValueName): ValueName => b.emit('MatMul', [x, weight])
  const grouped = (b: GraphBuilder, x: ValueName, weight: ValueName): ValueName =>
    b.emit('Conv', [x, weight], { group: 2 })
  const networks: [string, Model][] = [
    ...[
      ['N', 'C', 'H', 'W'],
      [null, null, null, null],
      ['', '', '', ''],
      ['N', 'N', 'N', 'N'],
    ].map((dims): [string, Model] => [String(dims), behind(dims, conv, [8, 3, 3, 3])]),
    ['channels last', behind(['N', 'H', 'W', 'C'], turned, [8, 3, 3, 3])],
    ['groups, one side', behind(['N', 'C', 'L'], grouped, [8, 5, 3])],
    ['features', behind(['N', 'F'], product, [24, 8])],
  ]
  for (const [name, model] of networks) {
    const bytes = writeModel(model)
    assert.equal((await inspectModel(bytes, { name })).training?.problem, undefined, name)
    // Images take longer.
    if (name !== 'features') continue
    const { report } = await compress(bytes, { name: 'm', samples: 16 })
    assert.ok((report.reconstruction?.distance ?? NaN) < 150, name)
  }
})

test('open dimensions that no weight tells: what is tried is bounded, and lets others have their turn', async () => {
  const dims = ['N', 'A', 'B', 'C']
  const network = behind(dims, (b, x, weight) => b.emit('Conv', [b.emit('Reshape', [x, x]), weight]), [8, 3, 3, 3])
  const sizes = waysToTry(network.graph).map(({ open }) => open.length)
  assert.deepEqual([...new Set(sizes)], [64])
  // 2^22 values take many rounds of making.
  const { graph } = behind([1, 2 ** 22], (b, x, weight) => b.emit('MatMul', [x, weight]), [8, 8])
  const [way] = syntheticSamples(graph, { count: 2, seed: 0 })
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  await way?.split.batch([0])
  clearInterval(timer)
  assert.ok(turns > 1, `${turns} turns`)
})

test('two images of a made-up sample differ, and the first is that of a network with one', async () => {
  const image = (name: string): Graph['inputs'][number] => ({
    name,
    type: { elementType: 'float32', dims: ['N', 3, 16, 16] },
  })
  const values = async (...names: string[]): Promise<Record<string, unknown>> => {
    const { graph } = behind(['N', 8], (b, x, weight) => b.emit('MatMul', [x, weight]), [8, 8])
    const [way] = syntheticSamples({ ...graph, inputs: names.map(image) }, { count: 2, seed: 1 })
    const batch = await way?.split.batch([0])
    assert.ok(batch)
    const { inputs } = batch
    return Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]))
  }
  const [one, two] = [await values('a'), await values('a', 'b')]
  assert.deepEqual(two['a'], one['a'])
  assert.notDeepEqual(two['a'], two['b'])
})
