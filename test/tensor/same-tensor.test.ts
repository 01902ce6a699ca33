import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameBytes, sameTensor } from '../../src/tensor/same-tensor.js'
import { float32 } from '../../src/tensor/tensor.js'

test('bytes at any place of their memory, of any number', () => {
  const memory = Uint8Array.from({ length: 40 }, (_, i) => i * 7)
  for (const from of [0, 1, 4])
    for (let length = 0; length < 12; length++) {
      const [a, copy] = [memory.subarray(from, from + length), memory.slice(from, from + length)]
      assert.ok(sameBytes(a, copy))
      assert.equal(sameBytes(a, memory.slice(from, from + length + 1)), false)
      for (let i = 0; i < length; i++) {
        const other = copy.slice()
        other[i] = (other[i] as number) + 1
        assert.equal(sameBytes(a, other), false, `${from}, ${length}, ${i}`)
      }
    }
})

test('tensors: zeros have a sign, and NaN is itself', () => {
  const of = (...values: number[]): ReturnType<typeof float32> => float32([values.length], values)
  assert.ok(sameTensor(of(0, NaN), of(0, NaN)))
  assert.equal(sameTensor(of(0), of(-0)), false)
  assert.equal(sameTensor(of(1, 2), float32([1, 2], [1, 2])), false)
})
