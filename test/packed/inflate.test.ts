// Reading deflate streams, beside zlib.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { inflate, TooMuch } from '../../src/packed/inflate.js'
import { randomNumbers } from './random-codes.js'

const { Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants

test('streams of every kind of block', () => {
  const random = randomNumbers(3)
  for (const strategy of [Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE]) {
    for (const level of [0, 1, 6, 9]) {
      for (const length of [0, 1, 2, 300, 70_000]) {
        for (const most of [1, 3, 40, 256]) {
          const bytes = Uint8Array.from({ length }, () => Math.floor(most * random()))
          const { result: found, behind } = inflate(deflateRawSync(bytes, { strategy, level }), length)
          assert.equal(behind, 0)
          assert.equal(Buffer.compare(Buffer.from(found), Buffer.from(bytes)), 0)
        }
      }
    }
  }
})

test('copies from as far as there can be, over themselves, and of the longest', () => {
  const random = randomNumbers(4)
  const start = Uint8Array.from({ length: 300 }, () => 256 * random())
  const bytes = new Uint8Array(40_000)
  bytes.set(start)
  bytes.set(start, 32_768)
  assert.deepEqual([...inflate(deflateRawSync(bytes, { level: 9 }), bytes.length).result], [...bytes])
})

test('more than was expected ends the work', () => {
  const bomb = deflateRawSync(new Uint8Array(10_000_000))
  assert.throws(() => inflate(bomb, 9_999_999), TooMuch)
  assert.throws(() => inflate(deflateRawSync(new Uint8Array(9), { level: 0 }), 8), TooMuch)
})

test('what zlib refuses is refused: streams cut short and with bits flipped; what is behind one is counted', () => {
  const random = randomNumbers(5)
  const bytes = Uint8Array.from({ length: 500 }, () => Math.floor(12 * random() ** 3))
  for (const strategy of [Z_DEFAULT_STRATEGY, Z_FIXED]) {
    const stream = deflateRawSync(bytes, { strategy })
    for (let length = 0; length < stream.length; length++)
      assert.throws(() => inflate(stream.subarray(0, length), bytes.length), Error, `${length} bytes`)
    assert.equal(inflate(Buffer.concat([stream, Buffer.of(0, 1)]), bytes.length).behind, 2)
    for (let bit = 0; bit < 8 * stream.length; bit++) {
      const flipped = Buffer.from(stream)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      let expected: Buffer | undefined
      try {
        expected = inflateRawSync(flipped, { maxOutputLength: bytes.length })
      } catch {
        // Refused.
      }
      if (expected === undefined) {
        assert.throws(() => inflate(flipped, bytes.length), Error, `bit ${bit}`)
        continue
      }
      const { result } = inflate(flipped, bytes.length)
      assert.equal(Buffer.compare(Buffer.from(result), expected), 0, `bit ${bit}`)
    }
  }
})
