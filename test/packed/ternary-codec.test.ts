import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTernary, decodeTernary, encodeTernary, ternaryByteLength } from '../../src/packed/index.js'
import { randomCodes, randomNumbers } from './random-codes.js'
import { refuses, u8 } from './packed-files.js'

function encode(codes: readonly number[]): Uint8Array {
  const target = new Uint8Array(ternaryByteLength(codes.length))
  encodeTernary(Int8Array.from(codes), target)
  return target
}

test("four codes make a byte, the first in the lowest bits, as two's complement", () => {
  assert.deepEqual(encode([1, 0, -1, 0]), u8(0b00_11_00_01))
  assert.deepEqual(encode([-1, -1, -1, -1]), u8(0xff))
  assert.deepEqual(encode([0, 0, 0, 1, -1]), u8(0b01_00_00_00, 0b11))
  assert.deepEqual(encode([]), u8())
})

test('so many codes are a whole number', () => {
  assert.deepEqual([0, 1, 4, 5].map(ternaryByteLength), [0, 1, 1, 2])
  for (const [count, found] of [
    ['5', 'string'],
    [5n, 'bigint'],
    [Symbol('5'), 'symbol'],
    [undefined, 'nothing'],
  ] as const)
    assert.throws(() => ternaryByteLength(count as never), {
      code: 'usage',
      message: `count: found ${found}, expected a number`,
    })
  for (const count of [-1, 1.5, NaN])
    assert.throws(() => ternaryByteLength(count), {
      code: 'usage',
      message: new RegExp(`^count: found ${count}, expected a whole`),
    })
})

test('every legal byte decodes to the codes that its bit pairs spell, and is encoded back', () => {
  const value = new Map([
    ['00', 0],
    ['01', 1],
    ['11', -1],
  ])
  let legal = 0
  for (let byte = 0; byte < 256; byte++) {
    const pairs = byte.toString(2).padStart(8, '0').match(/../g) as string[]
    const codes = pairs.reverse().map((pair) => value.get(pair))
    if (codes.includes(undefined)) continue
    legal++
    assert.deepEqual([...decodeTernary(u8(byte), 4)], codes)
    assert.deepEqual(encode(codes as number[]), u8(byte))
    const { zeros, positives, negatives } = countTernary(u8(byte), 4)
    const count = (code: number): number => codes.filter((each) => each === code).length
    assert.deepEqual([zeros, positives, negatives], [count(0), count(1), count(-1)])
  }
  assert.equal(legal, 81)
})

test('codes of every length up to 70 come back, counts included', () => {
  const random = randomNumbers(20)
  for (let length = 0; length <= 70; length++) {
    const codes = randomCodes(random, length)
    const bytes = encode([...codes])
    assert.equal(bytes.length, Math.ceil(length / 4))
    assert.deepEqual(decodeTernary(bytes, length), codes)
    const { zeros, positives, negatives } = countTernary(bytes, length)
    assert.equal(zeros, codes.filter((code) => code === 0).length)
    assert.equal(positives, codes.filter((code) => code === 1).length)
    assert.equal(negatives, codes.filter((code) => code === -1).length)
  }
})

test('other codes are refused at their index, in the whole bytes and in the last one', () => {
  refuses(() => encode([0, 0, 2, 0, 0]), 'ternary codes: found code 2 at index 2, expected -1, 0 or 1')
  refuses(() => encode([0, 0, 0, 0, 0, -2]), 'ternary codes: found code -2 at index 5, expected -1, 0 or 1')
  refuses(() => encode([-128, 0, 0, 0]), 'ternary codes: found code -128 at index 0, expected -1, 0 or 1')
})

test('every byte with the unused code is refused by reading and counting', () => {
  let refused = 0
  for (let byte = 0; byte < 256; byte++) {
    if (!/^(..)*10/.test(byte.toString(2).padStart(8, '0'))) continue
    refused++
    const message = 'ternary codes: found the unused code 10 in byte 1, expected 00, 01 or 11'
    refuses(() => decodeTernary(u8(0, byte), 8), message)
    refuses(() => countTernary(u8(0, byte), 8), message)
  }
  assert.equal(refused, 175)
})

test('padding bits must be zero', () => {
  refuses(() => decodeTernary(u8(0b01_00_00_00), 3), 'ternary codes: found padding bits 1 after code 2, expected zeros')
  refuses(() => countTernary(u8(0, 0b11_00), 5), 'ternary codes: found padding bits 11 after code 4, expected zeros')
})
