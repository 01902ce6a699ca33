// Which layers are given up for a bound on the outputs' distance.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { largestShare, layersToGiveUp, type LayerLoss } from '../../src/ternary/hold-distance.js'
import { seeded } from '../onnx/fixtures.js'

const loss = (name: string, error: number, savedBytes: number): LayerLoss => ({ name, error, savedBytes })

describe('which layers are given up', () => {
  test('a large layer that loses most goes, small ones that lose little stay', () => {
    const layers = [loss('large', 90, 1000), loss('a', 5, 100), loss('b', 5, 100)]
    assert.deepEqual(
      layersToGiveUp(layers, 0.2).map(({ name }) => name),
      ['large'],
    )
    assert.deepEqual(layersToGiveUp(layers, 1), [])
  })

  test('one stays at least: that which loses least', () => {
    const layers = [loss('a', 3, 10), loss('b', 2, 1), loss('c', 4, 100)]
    assert.deepEqual(
      layersToGiveUp(layers, 0.001).map(({ name }) => name),
      ['a', 'c'],
    )
  })

  test('against all choices there are: none saves more within the share', () => {
    const random = seeded(3)
    for (let round = 0; round < 20; round++) {
      const layers = Array.from({ length: 9 }, (_, i) =>
        loss(`l${i}`, 1 + Math.floor(random() * 100), Math.floor(random() * 500)),
      )
      const whole = layers.reduce((sum, { error }) => sum + error, 0)
      const share = 0.1 + 0.8 * random()
      const saved = (kept: readonly LayerLoss[]): number => kept.reduce((sum, { savedBytes }) => sum + savedBytes, 0)
      const errorOf = (kept: readonly LayerLoss[]): number => kept.reduce((sum, { error }) => sum + error, 0)
      let best = 0
      for (let set = 0; set < 2 ** layers.length; set++) {
        const kept = layers.filter((_, i) => (set >> i) % 2 === 1)
        // Errors are rounded up to a thousandth of the whole each.
        if (errorOf(kept) + (kept.length * whole) / 1000 <= share * whole) best = Math.max(best, saved(kept))
      }
      const given = layersToGiveUp(layers, share)
      const kept = layers.filter((layer) => !given.includes(layer))
      assert.ok(errorOf(kept) <= share * whole + 1e-9, `seed 3, round ${round}`)
      assert.ok(saved(kept) >= best, `seed 3, round ${round}: ${saved(kept)} of ${best}`)
    }
  })

  test('the largest share that holds is found nearly, and none where none holds', async () => {
    for (const limit of [0.7, 0.3, 0.02]) {
      const found = (await largestShare(0.5, (share) => Promise.resolve(share <= limit))) as number
      assert.ok(found <= limit && found > 0.3 * limit, `${found} of ${limit}`)
    }
    assert.equal(await largestShare(0.5, () => Promise.resolve(false)), undefined)
  })
})
