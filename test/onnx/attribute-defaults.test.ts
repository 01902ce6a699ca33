import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutDefaults } from '../../src/onnx/attribute-defaults.js'
import { attributes } from '../../src/onnx/attributes.js'
import type { Node } from '../../src/onnx/model.js'

const node = (opType: string, values: Parameters<typeof attributes>[0], domain = ''): Node => ({
  name: 'n',
  opType,
  domain,
  inputs: ['x'],
  outputs: ['y'],
  attributes: attributes(values),
})

test('what an operator does anyway goes, everything else stays', () => {
  const conv = { kernel_shape: [3, 3], dilations: [1, 1], strides: [1, 2], pads: [0, 0, 0, 0], group: 1 }
  assert.deepEqual(Object.keys(withoutDefaults(node('Conv', conv))), ['kernel_shape', 'strides'])
  const gemm = { alpha: { float: 1 }, beta: { float: 0.5 }, transA: 0, transB: 1 }
  assert.deepEqual(Object.keys(withoutDefaults(node('Gemm', gemm))), ['beta', 'transB'])
  const norm = { epsilon: { float: Math.fround(1e-5) }, momentum: { float: Math.fround(0.1) } }
  assert.deepEqual(Object.keys(withoutDefaults(node('BatchNormalization', norm))), ['momentum'])
})

test('of another kind, of another domain and of unknown operators all stays', () => {
  assert.deepEqual(Object.keys(withoutDefaults(node('Conv', { dilations: 'ones', constructor: 1 }))), [
    'dilations',
    'constructor',
  ])
  assert.deepEqual(Object.keys(withoutDefaults(node('Conv', { group: 1 }, 'com.microsoft'))), ['group'])
  assert.deepEqual(Object.keys(withoutDefaults(node('toString', { group: 1 }))), ['group'])
})
