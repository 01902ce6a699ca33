import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { randomSource, shuffledIndices } from '../../src/data/random.js'
import { splitValidation } from '../../src/data/split-validation.js'

// xoroshiro128+ (Blackman and Vigna, constants 24, 16, 37) over 64-bit integers, seeded as the docstring of
// randomSource says.
function reference(seed: number, ...labels: (number | string)[]): () => number {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, ...labels]))
    .digest()
  const word = (at: number): bigint => BigInt(digest.readUInt32LE(at))
  const mask = (1n << 64n) - 1n
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (64n - k))) & mask
  let s0 = (word(0) << 32n) | word(4)
  let s1 = (word(8) << 32n) | word(12)
  return () => {
    const out = (s0 + s1) & 0xffffffffn
    const a = s0 ^ s1
    s0 = rotate(s0, 24n) ^ a ^ ((a << 16n) & mask)
    s1 = rotate(a, 37n)
    return (Number(out) ^ 0x80000000) >>> 0
  }
}

test('random: the stream is xoroshiro128+ seeded by SHA-256 of seed and labels', () => {
  const source = randomSource(42, 'augment', 3)
  const next = reference(42, 'augment', 3)
  for (let i = 0; i < 100; i++) assert.equal(source.int(1 << 16), next() % (1 << 16), `draw ${i}`)
})

test('random: equal labels give equal streams, others unrelated ones', () => {
  const draws = (...labels: (number | string)[]): number[] => {
    const source = randomSource(1, ...labels)
    return Array.from({ length: 8 }, () => source.int(1000))
  }
  assert.deepEqual(draws('a', 1), draws('a', 1))
  const streams = [draws(), draws('a'), draws('a', 1), draws('a', 2), draws('a1'), draws('a', '1')]
  assert.equal(new Set(streams.map(String)).size, streams.length)
})

test('random: floats are in [0, 1) with mean 1/2', () => {
  const source = randomSource(5)
  const values = Array.from({ length: 10_000 }, () => source.float())
  assert.ok(values.every((value) => value >= 0 && value < 1))
  assert.ok(Math.abs(values.reduce((sum, value) => sum + value) / values.length - 0.5) < 0.01)
})

test('shuffledIndices: a permutation; every order of three about equally often', () => {
  assert.deepEqual(
    [...shuffledIndices(100, randomSource(3))].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  )
  const random = randomSource(9)
  const times = new Map<string, number>()
  for (let i = 0; i < 6000; i++) {
    const order = shuffledIndices(3, random).join()
    times.set(order, (times.get(order) ?? 0) + 1)
  }
  assert.equal(times.size, 6)
  for (const [order, count] of times) assert.ok(Math.abs(count - 1000) < 150, `${order}: ${count}`)
})

test('splitValidation: a partition, stratified, the same for the same seed', () => {
  const labels = Uint8Array.from({ length: 1000 }, (_, i) => (i % 10 < 7 ? 0 : i % 10 < 9 ? 1 : 2))
  const { training, heldOut } = splitValidation(1000, randomSource(1), { labels, most: 100 })
  assert.equal(heldOut.length, 100)
  assert.deepEqual(
    [...training, ...heldOut].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  )
  assert.deepEqual(
    [0, 1, 2].map((label) => heldOut.filter((index) => labels[index] === label).length),
    [70, 20, 10],
  )
  assert.deepEqual(splitValidation(1000, randomSource(1), { labels, most: 100 }).heldOut, heldOut)
  assert.notDeepEqual(splitValidation(1000, randomSource(2), { labels, most: 100 }).heldOut, heldOut)
})

test('splitValidation: as many as asked for, a tenth at most, or two of few', () => {
  const heldOut = (size: number, most: number): number =>
    splitValidation(size, randomSource(1), { most }).heldOut.length
  const found = [heldOut(60_000, 2000), heldOut(600, 2000), heldOut(30, 2000), heldOut(19, 2000), heldOut(10, 2000)]
  assert.deepEqual(found, [2000, 60, 3, 2, 2])
  assert.deepEqual([heldOut(9, 2000), heldOut(2, 2000), heldOut(600, 1), heldOut(600, 0)], [1, 1, 1, 1])
})

test('random: a bound of which nothing could be drawn is refused, with what it is', () => {
  const source = randomSource(1)
  const bounds: [unknown, string][] = [
    [undefined, 'missing'],
    [NaN, 'NaN'],
    [1e300, '1e+300'],
    [0, '0'],
    [-1, '-1'],
    [0.5, '0.5'],
    ['7', 'text "7"'],
    [5n, '5n'],
    [2 ** 33, '8589934592'],
  ]
  for (const [bound, found] of bounds)
    assert.throws(() => source.int(bound as number), {
      code: 'usage',
      message: `random.int: bound is ${found}, expected a whole number from 1 to 2147483648`,
    })
  assert.equal(source.int(1), 0)
  assert.ok(source.int(2 ** 31) < 2 ** 31)
})
