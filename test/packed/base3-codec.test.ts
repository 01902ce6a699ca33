import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base3ByteLength, decodeBase3, encodeBase3 } from '../../src/packed/base3-codec.js'
import { refuses, u8 } from './packed-files.js'
import { randomCodes, randomNumbers } from './random-codes.js'

test('codes by hand', () => {
  // 1 -1 0 0 1 | -1: digits 1 2 0 0 1 and 2.
  assert.deepEqual(encodeBase3(Int8Array.of(1, -1, 0, 0, 1, -1)), u8(1 + 2 * 3 + 81, 2))
  assert.deepEqual(decodeBase3(u8(88, 2), 6, 'here'), Int8Array.of(1, -1, 0, 0, 1, -1))
  assert.deepEqual(decodeBase3(u8(242), 5, 'here'), Int8Array.of(-1, -1, -1, -1, -1))
})

test('codes of every length come back, in ceil(n / 5) bytes', () => {
  const random = randomNumbers(4)
  for (let length = 0; length < 60; length++) {
    const codes = randomCodes(random, length)
    const bytes = encodeBase3(codes)
    assert.equal(bytes.length, Math.ceil(length / 5))
    assert.equal(bytes.length, base3ByteLength(length))
    assert.deepEqual(decodeBase3(bytes, length, 'here'), codes)
  }
})

test('refused: numbers above 242, and digits behind the last code', () => {
  refuses(() => decodeBase3(u8(0, 243), 10, 'here'), 'here: found byte 243 at 1, expected at most 242')
  refuses(() => decodeBase3(u8(0, 9), 7, 'here'), 'here: found digits behind code 6 that are not 0, expected zeros')
})
