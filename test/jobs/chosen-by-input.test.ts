// Networks whose layers lie in the branches of an If that an input chooses, as of voices at one sample rate or another.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import type { Progress } from '../../src/training/progress.js'
import { int64 } from '../../src/tensor/tensor.js'
import { randomWeight, seeded } from '../onnx/fixtures.js'

// Windows of at least 100 numbers, a state whose batch comes second, and a rate that says which layers are for it.
function network(): Uint8Array {
  const random = seeded(9)
  const branch = (name: string, width: number): Graph => {
    const b = new GraphBuilder()
    const weight = (dims: number[]): ValueName => randomWeight(b, random, ...dims)
    const row = b.emit('Unsqueeze', ['x', b.constant(int64([1]))])
    const heard = b.emit('Relu', [b.emit('Conv', [row, weight([16, 1, width])], { strides: [width] })])
    const second = b.emit('Relu', [b.emit('Conv', [heard, weight([16, 16, 1])])])
    const mean = b.emit('ReduceMean', [second], { axes: [2], keepdims: 0 })
    const kept = b.emit('Add', [mean, b.emit('ReduceMean', ['state'], { axes: [0], keepdims: 0 })])
    b.emit('MatMul', [b.emit('Relu', [b.emit('MatMul', [kept, weight([16, 16])])]), weight([16, 1])], {}, `${name}.y`)
    return { ...b.build(name), outputs: [{ name: `${name}.y`, type: undefined }] }
  }
  const b = new GraphBuilder()
  b.input('x', 'float32', ['N', 'T'])
  b.input('state', 'float32', [2, 'N', 16])
  const isWide = b.emit('Equal', [b.input('rate', 'int64', []), b.constant(int64([16000]))])
  b.emit(
    'If',
    [b.emit('Squeeze', [isWide])],
    {
      then_branch: { kind: 'graph', value: branch('wide', 100) },
      else_branch: { kind: 'graph', value: branch('narrow', 50) },
    },
    'y',
  )
  b.output('y', 'float32', ['N', 1])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('voices') })
}

test('without a choice both branches are compressed, and a note says how to choose', async () => {
  const notes: string[] = []
  const onProgress = (progress: Progress): void => {
    if (progress.kind === 'note') notes.push(progress.message)
  }
  const { report } = await compress(network(), { name: 'm', samples: 64, onProgress })
  assert.equal(report.layers.filter(({ ternary }) => ternary).length, 4)
  assert.equal(report.reconstruction?.layers.length, 2)
  assert.match(notes.join(), /the input "rate" chooses among layers: with fixInput rate=<value>/)
})

for (const [rate, width] of [
  [16000, 100],
  [8000, 50],
])
  test(`a rate of ${rate}: its branch is fitted layer by layer`, async () => {
    const { file, report } = await compress(network(), { name: 'm', fixInput: [`rate=${rate}`], samples: 64 })
    const { graph } = unpack(file).model
    assert.deepEqual(
      graph.inputs.map(({ name }) => name),
      ['x', 'state'],
    )
    assert.ok(!graph.nodes.some(({ opType }) => opType === 'If'))
    assert.ok([...graph.initializers.values()].some(({ dims }) => dims[2] === width))
    assert.ok(report.layers.filter(({ ternary }) => ternary).length >= 1)
    assert.ok((report.reconstruction?.distance ?? NaN) < 100)
  })
