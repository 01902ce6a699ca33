import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deferredTensor } from '../../src/tensor/deferred-tensor.js'

test('values are made when they are asked for, and kept while there is room', () => {
  const made: number[] = []
  // Two of them have room, of 200 MB each.
  const tensors = [0, 1, 2].map((i) =>
    deferredTensor('uint8', [200 * 2 ** 20], () => {
      made.push(i)
      return new Uint8Array(200 * 2 ** 20).fill(i, 0, 1)
    }),
  )
  assert.deepEqual(made, [])
  const ask = (i: number): void => {
    assert.equal(tensors[i]?.data[0], i)
  }
  for (const i of [0, 1, 0, 2, 0, 1]) ask(i)
  assert.deepEqual(made, [0, 1, 2, 1])
})

test('a copy has values of its own', () => {
  let count = 0
  const tensor = deferredTensor('int32', [1], () => Int32Array.of(++count))
  const copy = { ...tensor }
  assert.equal(copy.data, tensor.data)
  assert.equal(count, 1)
})
