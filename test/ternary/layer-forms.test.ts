// Which form each layer is stored in for a bound on the outputs' distance, or on the bytes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type ChosenForms,
  formsWithinBytes,
  formsWithinError,
  largestShare,
  type LayerForm,
  layerForms,
  type LayerForms,
  wholeError,
} from '../../src/ternary/layer-forms.js'
import { seeded } from '../onnx/fixtures.js'

// A layer of so many bytes per quarter of its weights, with an error when ternary.
function layer(name: string, error: number, quarter: number): LayerForms {
  return {
    name,
    forms: [
      { precision: 'ternary', error, bytes: quarter },
      { precision: 'int8', error: error / 500, bytes: 4 * quarter },
      { precision: 'fp32', error: 0, bytes: 16 * quarter },
    ],
  }
}

const precisions = (chosen: ChosenForms): string[] => [...chosen.values()].map(({ precision }) => precision)
const errorOf = (chosen: ChosenForms): number => [...chosen.values()].reduce((sum, { error }) => sum + error, 0)
const bytesOf = (chosen: ChosenForms): number => [...chosen.values()].reduce((sum, { bytes }) => sum + bytes, 0)

describe('in which form layers are stored', () => {
  test('a large layer that loses most goes to 8 bits, small ones that lose little stay', () => {
    const layers = [layer('large', 90, 1000), layer('a', 5, 100), layer('b', 5, 100)]
    assert.deepEqual(precisions(formsWithinError(layers, 0.2)), ['int8', 'ternary', 'ternary'])
    assert.deepEqual(precisions(formsWithinError(layers, 1.01)), ['ternary', 'ternary', 'ternary'])
    assert.deepEqual(precisions(formsWithinBytes(layers, 0)), ['ternary', 'ternary', 'ternary'])
    assert.deepEqual(precisions(formsWithinBytes(layers, 3000)), ['int8', 'ternary', 'ternary'])
    assert.deepEqual(precisions(formsWithinBytes(layers, 350)), ['ternary', 'int8', 'ternary'])
  })

  test('one stays ternary at least: that which loses least', () => {
    const layers = [layer('a', 3, 10), layer('b', 2, 1), layer('c', 4, 100)]
    assert.deepEqual(precisions(formsWithinError(layers, 1e-9)), ['fp32', 'ternary', 'fp32'])
    assert.deepEqual(precisions(formsWithinBytes(layers, 1e9)), ['fp32', 'ternary', 'fp32'])
  })

  test('against all mixtures there are: none is smaller within the error, none loses less within the bytes', () => {
    const random = seeded(3)
    for (let round = 0; round < 10; round++) {
      const layers = Array.from({ length: 7 }, (_, i) =>
        layer(`l${i}`, 1 + random() * 100, 1 + Math.floor(500 * random())),
      )
      const all = Array.from({ length: 3 ** layers.length }, (_, code): ChosenForms => {
        const forms = layers.map((each, i) => each.forms[Math.floor(code / 3 ** i) % 3])
        return new Map(layers.map(({ name }, i) => [name, forms[i] as LayerForms['forms'][number]]))
      })
      const share = 0.05 + 0.9 * random()
      const capacity = share * wholeError(layers)
      // Weights are rounded up to a 2000th of the capacity each.
      const spare = 1 - layers.length / 2000
      const byError = formsWithinError(layers, share)
      const fewest = Math.min(...all.filter((each) => errorOf(each) <= spare * capacity).map(bytesOf))
      assert.ok(errorOf(byError) <= capacity && bytesOf(byError) <= fewest, `seed 3, round ${round}`)
      const least = bytesOf(formsWithinBytes(layers, 0))
      // Less than 8 bits for all would take: one stays ternary anyway.
      const room = Math.floor(random() * 2.9 * least)
      const byBytes = formsWithinBytes(layers, room)
      const nearest = Math.min(...all.filter((each) => bytesOf(each) <= least + spare * room).map(errorOf))
      assert.ok(bytesOf(byBytes) <= least + room && errorOf(byBytes) <= nearest + 1e-9, `seed 3, round ${round}`)
    }
  })

  test('no layer is offered more bits than the rest of the network has', () => {
    const choice = { weight: 'w', dims: [8, 8], elementType: 'float32' } as unknown as Parameters<
      typeof layerForms
    >[0][number]
    const formsOf = (ternaryBytes: Map<string, number>, rest: 'fp32' | 'fp16' | 'int8'): readonly LayerForm[] => {
      const distances = new Map([['w', { ternary: 10, int8: 1 }]])
      return (layerForms([choice], { distances, ternaryBytes }, rest)[0] as LayerForms).forms
    }
    const offered = (rest: 'fp32' | 'fp16' | 'int8'): string[] =>
      formsOf(new Map(), rest).map(({ precision }) => precision)
    assert.deepEqual(offered('fp32'), ['ternary', 'int8', 'fp16', 'fp32'])
    assert.deepEqual(offered('fp16'), ['ternary', 'int8', 'fp16'])
    assert.deepEqual(offered('int8'), ['ternary', 'int8'])
    const bytesOf = (ternaryBytes: Map<string, number>): number[] =>
      formsOf(ternaryBytes, 'fp32').map(({ bytes }) => bytes)
    assert.deepEqual(bytesOf(new Map()), [16, 64, 128, 256])
    assert.deepEqual(bytesOf(new Map([['w', 11]])), [11, 64, 128, 256], 'what it took when it was packed')
  })

  test('the largest share that holds is found nearly, and none where none holds', async () => {
    for (const limit of [0.7, 0.3, 0.02]) {
      const found = (await largestShare(0.5, (share) => Promise.resolve(share <= limit))) as number
      assert.ok(found <= limit && found > 0.3 * limit, `${found} of ${limit}`)
    }
    assert.equal(await largestShare(0.5, () => Promise.resolve(false)), undefined)
  })
})
