// Entropy coding against a second one that was written from the format's page, and what a stream may not be.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  costOf,
  countInContexts,
  fitModel,
  intervals,
  modelBytes,
  readModel,
  TABLE_STEP,
} from '../../src/packed/code-model.js'
import { contextsOf, decodeEntropy, encodeEntropy, leastEntropyBytes } from '../../src/packed/entropy-codec.js'
import { join, refuses, u16, u32, u8 } from './packed-files.js'
import { randomNumbers } from './random-codes.js'
import { referenceContexts, referenceStream } from './reference-entropy.js'

const SHAPES = [
  [],
  [1],
  [70],
  [0],
  [3, 0, 3, 3],
  [1, 1],
  [7, 5],
  [40, 3, 3, 3],
  [9, 4, 1, 1],
  [5, 4, 7],
  [6, 2, 1, 3],
  [4, 3, 2, 3, 2],
  // Eight states and a rest of rows that are read one by one; one row only.
  [19, 385, 3, 3],
  [17, 4001],
  [1, 70_000],
]

/** Codes of which columns differ in their shares, and neighbours are alike. */
function likelyCodes(dims: readonly number[], random: () => number): Int8Array {
  const codes = new Int8Array(dims.reduce((a, b) => a * b, 1))
  const columns = dims[1] ?? 1
  for (let i = 0; i < codes.length; i++) {
    const busy = 0.1 + 0.8 * ((i % columns) / columns)
    codes[i] = i > 0 && random() < 0.3 ? codes[i - 1]! : random() > busy ? 0 : random() < 0.6 ? 1 : -1
  }
  return codes
}

const random = randomNumbers(23)

for (const dims of SHAPES) {
  test(`shape [${dims.join(',')}]: contexts and bytes are the reference's, and the codes come back`, () => {
    for (const codes of [likelyCodes(dims, random), new Int8Array(dims.reduce((a, b) => a * b, 1))]) {
      const contexts = contextsOf(codes, dims)
      assert.deepEqual([...contexts], referenceContexts(codes, dims))
      const counts = countInContexts(codes, contexts)
      const model = fitModel(counts)
      const bytes = encodeEntropy(codes, dims, contexts, model)
      const plain = { zeros: [...model.zeros], signs: [...model.signs] }
      assert.deepEqual(Buffer.from(bytes), Buffer.from(referenceStream(codes, dims, plain)))
      assert.deepEqual(decodeEntropy(bytes, dims, model, 'here'), codes)
      // What was predicted: the bits, and what is left in the states.
      const least = leastEntropyBytes(dims, costOf(counts, model))
      const most = least + 2 * (codes.length >= 2 ** 16 && dims[0]! >= 8 ? 8 : 1) + 0.002 * codes.length
      assert.ok(bytes.length >= least - 0.01 * codes.length && bytes.length <= most + 2, `${bytes.length}, ${least}`)
    }
  })
}

test('models of every extreme: the most unlikely codes come back', () => {
  const dims = [30, 4, 3, 3]
  const codes = likelyCodes(dims, random)
  for (const zeros of [1, 128, 255]) {
    for (const signs of [0, 255]) {
      const model = { zeros: new Uint8Array(96).fill(zeros), signs: new Uint8Array(16).fill(signs) }
      const bytes = encodeEntropy(codes, dims, contextsOf(codes, dims), model)
      assert.deepEqual(decodeEntropy(bytes, dims, model, 'here'), codes)
      const table = intervals(model)
      for (let context = 0; context < 96; context++) {
        const [zero, plus, minus] = table.subarray(TABLE_STEP * context + 4) as unknown as [number, number, number]
        assert.equal(zero + plus + minus, 4096)
        assert.ok(zero > 0 && plus > 0 && minus > 0)
      }
    }
  }
})

test('a model in bytes', () => {
  const model = { zeros: Uint8Array.from({ length: 96 }, (_, i) => i + 1), signs: new Uint8Array(16).fill(7) }
  const bytes = modelBytes(model)
  assert.deepEqual(readModel(bytes, 'here'), model)
  bytes[13] = 0
  refuses(() => readModel(bytes, 'here'), 'here: found probability 0 in context 13, expected 1 to 255')
})

test('neighbours that tell something make fewer bits than the shares of the codes', () => {
  const dims = [64, 64, 3, 3]
  const codes = likelyCodes(dims, random)
  const counts = countInContexts(codes, contextsOf(codes, dims))
  const alone = countInContexts(codes, new Uint8Array(codes.length))
  assert.ok(costOf(counts, fitModel(counts)) < 0.97 * costOf(alone, fitModel(alone)))
})

describe('refused', () => {
  const dims = [5, 2, 3, 3]
  const codes = likelyCodes(dims, randomNumbers(3))
  const model = fitModel(countInContexts(codes, contextsOf(codes, dims)))
  const good = encodeEntropy(codes, dims, contextsOf(codes, dims), model)
  const state = new DataView(good.buffer).getUint32(0, true)
  const cases: Record<string, [Uint8Array, number[], string]> = {
    'bytes for no weights': [u8(0, 0, 0, 0), [0], 'found 4 bytes, expected none for no weights'],
    'less than a state': [good.subarray(0, 2), dims, 'found 2 bytes, expected an even number, at least 4'],
    'an odd number': [join(good, u8(0)), dims, `found ${good.length + 1} bytes, expected an even number, at least 4`],
    'less than eight states': [new Uint8Array(30), [8, 8192], 'found 30 bytes, expected an even number, at least 32'],
    'a state below the lowest': [
      join(u32(2 ** 15 - 1), good.subarray(4)),
      dims,
      'found state 32767, expected 32768 to 2147483647',
    ],
    'a state above the highest': [
      join(u32(2 ** 31), good.subarray(4)),
      dims,
      'found state 2147483648, expected 32768 to 2147483647',
    ],
    'fewer bytes than weights need': [
      good.subarray(0, good.length - 4),
      dims,
      `found ${good.length - 4} bytes that end before weight 54, expected 90 weights in them`,
    ],
    'more bytes than weights': [join(good, u8(0, 0)), dims, 'found 2 bytes behind the last weight, expected none'],
  }
  for (const [why, [bytes, shape, message]] of Object.entries(cases)) {
    test(why, () => {
      refuses(() => decodeEntropy(bytes, shape, model, 'here'), `here: ${message}`)
    })
  }

  test('a stream that does not end in the states that it starts from', () => {
    assert.throws(
      () => decodeEntropy(join(u32(state ^ 1), good.subarray(4)), dims, model, 'here'),
      /^TtqError: here: found /,
    )
    const one = encodeEntropy(Int8Array.of(0), [1], Uint8Array.of(10), model)
    refuses(
      () => decodeEntropy(join(u32(new DataView(one.buffer).getUint32(0, true) + 1)), [1], model, 'here'),
      'here: found state 32769 at the end, expected 32768',
    )
  })
})

test('what is claimed beyond the bytes ends soon, and takes no words from elsewhere', () => {
  const words = join(u32(2 ** 20), u16(1))
  assert.throws(() => decodeEntropy(words, [2 ** 15], fitModel(new Float64Array(288)), 'here'), /^TtqError: here: /)
})
