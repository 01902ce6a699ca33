// Samples blended with one another: shares of inputs and targets agree, whatever is drawn.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomSource } from '../../src/data/random.js'
import { onCommandLine } from '../../src/options/option-table.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import { checkMixing, mixSamples } from '../../src/training/mix-samples.js'

const SAMPLES = 6
// Every value of a sample is its number; targets are its row of the identity.
const filled = (dims: readonly number[]): Tensor<'float32'> => {
  const size = dims.reduce((product, dim) => product * dim, 1)
  return float32(
    [SAMPLES, ...dims],
    Float32Array.from({ length: SAMPLES * size }, (_, i) => Math.floor(i / size)),
  )
}
const rows = float32(
  [SAMPLES, SAMPLES],
  Float32Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 1 : 0)),
)
const rowOf = (targets: readonly Tensor[], sample: number): number[] =>
  Array.from((targets[0]?.data as Float32Array).subarray(sample * SAMPLES, (sample + 1) * SAMPLES))

describe('mixup', () => {
  for (const alpha of [0.2, 1, 5])
    test(`Beta(${alpha}, ${alpha})`, () => {
      const shares: number[] = []
      for (let seed = 0; seed < 300; seed++) {
        const random = randomSource(seed, 'mix')
        const { inputs, targets } = mixSamples(
          { inputs: { x: filled([3]) }, targets: [rows] },
          SAMPLES,
          { mixup: alpha, isNhwc: false },
          random,
        )
        for (let sample = 0; sample < SAMPLES; sample++) {
          const row = rowOf(targets, sample)
          const expected = row.reduce((sum, share, other) => sum + share * other, 0)
          const found = (inputs['x']?.data as Float32Array)[3 * sample] as number
          assert.ok(Math.abs(found - expected) < 1e-5)
          assert.ok(Math.abs(row.reduce((sum, share) => sum + share, 0) - 1) < 1e-6)
          if ((row[sample] as number) < 1) shares.push(row[sample] as number)
        }
      }
      const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
      const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length
      // Mean 1/2, variance 1/(4 (2 alpha + 1)).
      assert.ok(Math.abs(mean - 0.5) < 0.08, `${mean}`)
      assert.ok(Math.abs(variance * 4 * (2 * alpha + 1) - 1) < 0.25, `${variance}`)
    })
})

describe('cutmix', () => {
  for (const isNhwc of [false, true])
    test(isNhwc ? 'channels last' : 'channels first', () => {
      const dims = isNhwc ? [8, 10, 3] : [3, 8, 10]
      let patched = 0
      for (let seed = 0; seed < 50; seed++) {
        const { inputs, targets } = mixSamples(
          { inputs: { x: filled(dims) }, targets: [rows] },
          SAMPLES,
          { cutmix: 1, isNhwc },
          randomSource(seed, 'mix'),
        )
        const data = inputs['x']?.data as Float32Array
        for (let sample = 0; sample < SAMPLES; sample++) {
          const own = data.subarray(240 * sample, 240 * (sample + 1))
          const row = rowOf(targets, sample)
          const kept = own.filter((value) => value === sample).length / 240
          // Who is exchanged with himself stays whole.
          assert.ok(Math.abs(kept - (row[sample] as number)) < 1e-6, `${kept}, ${row[sample]}`)
          if (kept === 1) continue
          patched++
          // A rectangle, in all channels alike.
          const places = Array.from(own, (value, i) => (value === sample ? -1 : i)).filter((i) => i >= 0)
          const pixels = places.map((i) => (isNhwc ? Math.floor(i / 3) : i % 80))
          const [ys, xs] = [pixels.map((at) => Math.floor(at / 10)), pixels.map((at) => at % 10)]
          const extent = (list: number[]): number => Math.max(...list) - Math.min(...list) + 1
          assert.equal(places.length, 3 * extent(ys) * extent(xs))
        }
      }
      assert.ok(patched > 100)
    })
})

test('equal streams blend alike; the batch itself stays', () => {
  const input = filled([4])
  const before = input.data.slice()
  const mixed = (seed: number): unknown =>
    mixSamples(
      { inputs: { x: input }, targets: [rows] },
      SAMPLES,
      { mixup: 1, cutmix: undefined, isNhwc: false },
      randomSource(seed, 'a'),
    )
  assert.deepEqual(mixed(1), mixed(1))
  assert.notDeepEqual(mixed(1), mixed(2))
  assert.deepEqual(input.data, before)
})

test('what cannot be blended is refused', () => {
  const ids: Tensor = { type: 'int64', dims: [SAMPLES, 2], data: new BigInt64Array(2 * SAMPLES) }
  const refuse = (inputs: Record<string, Tensor>, options: object): string => {
    try {
      checkMixing({ inputs, targets: [rows] }, options, onCommandLine)
    } catch (error) {
      return (error as Error).message
    }
    return 'taken'
  }
  assert.equal(refuse({ ids }, { mixup: 0.2 }), '--mixup: input "ids" is int64, expected float32')
  assert.equal(refuse({ x: filled([4]) }, { cutmix: 1 }), '--cutmix: input "x" has shape [6,4], expected images')
  assert.equal(refuse({ x: filled([4]) }, { mixup: 1 }), 'taken')
  assert.equal(refuse({ ids }, {}), 'taken')
})
