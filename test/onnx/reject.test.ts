// Every file of fixtures/onnx/reject has its exact message here; a file without one fails.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { readModel } from '../../src/onnx/read-model.js'
import { externalData, fixture, fixtureNames } from './fixtures.js'

// Each message follows the file's name.
const MESSAGES: Record<string, string> = {
  'attribute-twice.onnx': 'node "leaky" (LeakyRelu): attribute "alpha" is given twice',
  'cut-in-weights.onnx': 'not an ONNX model, or a damaged one: a field reaches beyond its end',
  'data-type-0.onnx': 'tensor "w": data type 0, expected 1 to 26',
  'data-type-99.onnx': 'tensor "w": data type 99, expected 1 to 26',
  'empty.onnx': 'the file is empty, expected an ONNX model',
  'external-absolute.onnx': `tensor "w": its data is in the external file "/etc/passwd", expected a path inside the model's folder`,
  'external-drive.onnx': `tensor "w": its data is in the external file "C:\\secret.bin", expected a path inside the model's folder`,
  'external-length.onnx': 'tensor "w": 4 bytes from 0 of external file "short.bin", expected 8 bytes',
  'external-missing-file.onnx': 'tensor "w": its data is in the external file "nowhere.bin", which cannot be read',
  'external-no-location.onnx': `tensor "w": its data is in the external file "", expected a path inside the model's folder`,
  'external-offset.onnx': 'tensor "w": all bytes from -4 of external file "short.bin", expected 8 bytes',
  'external-parent.onnx': `tensor "w": its data is in the external file "../../secret.bin", expected a path inside the model's folder`,
  'external-short.onnx': 'tensor "w": 4 bytes in the external file, expected 8 for float32 of shape [2]',
  'float-data-count.onnx': 'tensor "w": 3 values, expected 2 for float32 of shape [2]',
  'git-lfs-pointer.onnx': 'a Git LFS pointer, expected an ONNX model',
  'circle.onnx':
    'node "second" (Relu): input "p" is computed later, by node "first" (Neg), in a circle; ' +
    'expected nodes that do not need one another',
  'huge-dims.onnx':
    'tensor "w": shape [1099511627776,1099511627776], expected dimensions of 0 or more that can be addressed',
  'huge-without-values.onnx': 'tensor "w": 0 bytes, expected 4398046511104 for float32 of shape [1099511627776]',
  'initializer-twice.onnx': 'value "w" is defined twice',
  'initializer-without-name.onnx': 'an initializer has no name',
  'input-twice.onnx': 'value "x" is defined twice',
  'ir-2.onnx': 'IR version 2, expected 3 or later',
  'negative-dim.onnx': 'tensor "w": shape [-2,-1], expected dimensions of 0 or more that can be addressed',
  'nested-too-deep.onnx': 'not an ONNX model, or a damaged one: messages are nested deeper than 100',
  'no-graph.onnx': 'holds no graph, expected an ONNX model',
  'no-ir-version.onnx': 'IR version 0, expected 3 or later',
  'no-opset.onnx': 'imports no operator set, expected at least one',
  'no-values.onnx': 'tensor "w": 0 bytes, expected 8 for float32 of shape [2]',
  'output-over-initializer.onnx': 'value "w" is defined twice',
  'output-over-input.onnx': 'value "x" is defined twice',
  'output-twice.onnx': 'value "y" is defined twice',
  'png.onnx': 'not an ONNX model, or a damaged one: a field has number 0',
  'raw-too-long.onnx': 'tensor "w": 9 bytes, expected 8 for float32 of shape [2]',
  'raw-too-short.onnx': 'tensor "w": 7 bytes, expected 8 for float32 of shape [2]',
  'string-count.onnx': 'tensor "w": 1 strings, expected 2 for string of shape [2]',
  'text.onnx': 'not an ONNX model, or a damaged one: a field reaches beyond its end',
  'undefined-in-branch.onnx': 'node "inside" (Relu): input "later" is not defined anywhere',
  'undefined-input.onnx': 'node "add" (Add): input "w" is not defined anywhere',
  'undefined-output.onnx': 'graph output "z" is not computed by any node',
  'wrong-field.onnx': 'tensor "w": 0 bytes, expected 8 for float32 of shape [2]',
  'zeros.onnx': 'not an ONNX model, or a damaged one: a field has number 0',
  'zip.onnx': 'not an ONNX model, or a damaged one: a field has number 0',
}

test('every reject file has a message', () => {
  assert.deepEqual(fixtureNames('reject'), Object.keys(MESSAGES).sort())
})

for (const file of fixtureNames('reject')) {
  test(`refuses ${file}`, () => {
    assert.equal(refusal(file).message, `${file}: ${MESSAGES[file] ?? ''}`)
    assert.equal(refusal(file).code, 'model')
  })
}

function refusal(file: string, provider = externalData('reject')): TtqError {
  try {
    readModel(fixture('reject', file), { name: file, externalData: provider })
  } catch (error) {
    if (error instanceof TtqError) return error
    throw error
  }
  return assert.fail(`${file} was read`)
}

test('external data without a provider names the tensor, the file and what to do', () => {
  assert.throws(() => readModel(fixture('accept', 'external.onnx')), {
    code: 'model',
    message: 'onnx: tensor "b": its data is in the external file "external.bin", which was not given',
    hint: 'Put "external.bin" beside the model.',
  })
})

test('the cause of unreadable external data is kept', () => {
  const cause = new Error('EACCES')
  assert.equal(
    refusal('external-short.onnx', () => {
      throw cause
    }).cause,
    cause,
  )
})
