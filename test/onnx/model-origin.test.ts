import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelOrigin } from '../../src/onnx/model-origin.js'
import { readModel } from '../../src/onnx/read-model.js'
import { fixture } from './fixtures.js'

test('the producer and the metadata of a file', () => {
  assert.deepEqual(modelOrigin(readModel(fixture('accept', 'newer-fields.onnx'))), {
    producer: 'make.py',
    metadata: { where: 'ModelProto' },
  })
})

test('a model that was not read from a file has none', () => {
  const model = readModel(fixture('accept', 'newer-fields.onnx'))
  assert.deepEqual(modelOrigin({ ...model, source: undefined }), { producer: '', metadata: {} })
})
