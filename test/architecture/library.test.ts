// The package as its users import it: by its name, through package.json's exports.
import assert from 'node:assert/strict'
import { test } from 'node:test'

// Typed string, not a literal: the type check runs before there is a build to look the names up in.
const LIBRARY: string = 'ttq-onnx'
const PACKED: string = 'ttq-onnx/packed'

test('the library has what the README shows', async () => {
  const library = (await import(LIBRARY)) as Record<string, unknown>
  const functions = [
    'compress',
    'evaluateModel',
    'inspectPacked',
    'isPacked',
    'pack',
    'readModel',
    'trainNetwork',
    'unpack',
    'writeModel',
  ]
  assert.deepEqual(
    functions.filter((name) => typeof library[name] !== 'function'),
    [],
  )
  assert.equal(typeof library['TtqError'], 'function')
})

test('the packed format is a package path of its own', async () => {
  const packed = (await import(PACKED)) as Record<string, unknown>
  assert.deepEqual(
    ['inspectPacked', 'isPacked', 'pack', 'unpack'].filter((name) => typeof packed[name] !== 'function'),
    [],
  )
})
