import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTooLargeToRun } from '../../src/onnx/too-large-to-run.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { float32 } from '../../src/tensor/tensor.js'

test('a network of 2 GB is too large to be run', () => {
  const isTooLarge = (rows: number): boolean => {
    const b = new GraphBuilder()
    // What counts is what the dimensions say.
    b.constant({ ...float32([0], []), dims: [rows, 2 ** 15] }, 'w')
    return isTooLargeToRun({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('large') })
  }
  assert.equal(isTooLarge(2 ** 14), true)
  assert.equal(isTooLarge(2 ** 14 - 256), false)
})
