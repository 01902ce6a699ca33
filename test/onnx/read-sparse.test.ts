// Sparse tensors: dense where they are read, as values between nodes where that would be out of proportion.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constantValues } from '../../src/onnx/static-values.js'
import { messages } from '../../src/onnx/proto.js'
import { readModel } from '../../src/onnx/read-model.js'
import { float32 } from '../../src/tensor/tensor.js'

const FLOAT = 1
const INT64 = 7

// Four values of a matrix, as the initializer "w".
function model(dims: readonly number[], places: readonly number[], perValue: 1 | 2): Uint8Array {
  const count = places.length / perValue
  const sparse = {
    dims: [...dims],
    values: { name: 'w', dataType: FLOAT, dims: [count], floatData: Array.from({ length: count }, (_, i) => i + 1) },
    indices: { dataType: INT64, dims: perValue === 1 ? [count] : [count, 2], int64Data: [...places] },
  }
  const graph = {
    name: 'sparse',
    node: [{ opType: 'Identity', input: ['w'], output: ['y'] }],
    output: [{ name: 'y' }],
    sparseInitializer: [sparse],
  }
  const proto = messages.ModelProto.fromObject({ irVersion: 8, opsetImport: [{ version: 17 }], graph })
  return messages.ModelProto.encode(proto).finish()
}

for (const [form, perValue, places] of [
  ['flat', 1, [1, 3, 4]],
  ['one per axis', 2, [0, 1, 1, 0, 1, 1]],
] as const) {
  test(`indices ${form}`, () => {
    const { graph } = readModel(model([2, 3], places, perValue))
    assert.deepEqual(graph.initializers.get('w'), float32([2, 3], [0, 1, 0, 2, 3, 0]))
    assert.deepEqual(
      graph.nodes.map(({ opType }) => opType),
      ['Identity'],
    )
  })
}

test('places outside', () => {
  for (const [places, perValue, found] of [
    [[6], 1, '[6]'],
    [[-1], 1, '[-1]'],
    [[0, 3], 2, '[0,3]'],
  ] as const)
    assert.throws(() => readModel(model([2, 3], places, perValue)), {
      code: 'model',
      message: `onnx: sparse tensor "w": found value 0 at ${found}, expected places in [2,3]`,
    })
})

test('what a few bytes would make a gigabyte of stays a constant that is computed', () => {
  const { graph } = readModel(model([2 ** 15, 2 ** 15], [5], 1))
  assert.equal(graph.initializers.size, 0)
  assert.deepEqual([...constantValues(graph)], ['w', 'y'])
})
