import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Model } from '../../src/onnx/model.js'
import { checkRunnableSize, isTooLargeToRun } from '../../src/onnx/too-large-to-run.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { float32 } from '../../src/tensor/tensor.js'

test('a network of 2 GB is too large to be run', () => {
  const network = (rows: number): Model => {
    const b = new GraphBuilder()
    // What counts is what the dimensions say.
    b.constant({ ...float32([0], []), dims: [rows, 2 ** 15] }, 'w')
    return { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('large') }
  }
  const [large, small] = [network(2 ** 14), network(2 ** 14 - 256)]
  assert.deepEqual([isTooLargeToRun(large), isTooLargeToRun(small)], [true, false])
  checkRunnableSize(small)
  assert.throws(() => checkRunnableSize(large), {
    code: 'unsupported',
    message: /^network: found 2147483648 bytes of weights, expected at most 21\d+ to run it here$/,
  })
})
