// Samples that another rank reads: random numbers go on behind them as if they had been read here.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bindImages } from '../../src/data/bind-images.js'
import type { Augmentation, ImageSet, ImagesOnDemand } from '../../src/data/dataset.js'
import { regionSeeds } from '../../src/data/random-region.js'
import { randomSource } from '../../src/data/random.js'
import { float32 } from '../../src/tensor/tensor.js'
import { mixSamples, skipMixing } from '../../src/training/mix-samples.js'

const COUNT = 5
const PIXELS = 3 * 9 * 12
const images: ImageSet = {
  count: COUNT,
  channels: 3,
  height: 9,
  width: 12,
  pixels: Uint8Array.from({ length: COUNT * PIXELS }, (_, i) => (i * 37) % 256),
  labels: [0, 1, 0, 1, 0],
}
// As pictures are read: a seed for the region of each, before anything else is drawn.
const onDemand: ImagesOnDemand = {
  ...images,
  load: async (indices, region) => {
    if (region !== undefined) regionSeeds(indices.length, region.random)
    return Promise.resolve({ ...images, count: indices.length })
  },
}

const WAYS: readonly Augmentation[] = [
  { pad: 0, flip: false },
  { pad: 2, flip: true },
  { pad: 0, flip: false, resizedCrop: 0.3 },
  { pad: 0, flip: true, jitter: 0.4, hue: 0.1 },
  { pad: 1, flip: false, hue: 0.2, cutout: 4 },
  { pad: 2, flip: true, resizedCrop: 0.08, jitter: 0.2, hue: 0.1, cutout: 3 },
]

describe('skipped samples leave the same numbers', () => {
  for (const [where, set] of [
    ['in memory', images],
    ['on demand', onDemand],
  ] as const)
    for (const augmentation of WAYS)
      test(`${where}, ${JSON.stringify(augmentation)}`, async () => {
        const all = { name: 'made up', classes: 2, train: set, test: undefined, mean: [0, 0, 0], std: [1, 1, 1] }
        const dataset = { ...all, kind: 'images', augmentation, framing: { kind: 'none' } } as unknown as Parameters<
          typeof bindImages
        >[0]
        const { train } = bindImages(dataset, {
          input: { name: 'x', dims: ['N', 3, 9, 12], elementType: 'float32' },
          preprocessing: { name: 'given', layout: 'NCHW', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
        })
        const [read, skipped] = [randomSource(3, 'augment'), randomSource(3, 'augment')]
        await train.batch([0, 2, 4], read)
        train.skip?.(3, skipped)
        assert.deepEqual(skipped.state(), read.state())
        if (augmentation !== WAYS[0]) assert.notDeepEqual(read.state(), randomSource(3, 'augment').state())
      })

  for (const mixing of [{ mixup: 0.2 }, { cutmix: 1 }, { mixup: 0.3, cutmix: 0.5 }])
    test(JSON.stringify(mixing), () => {
      for (let seed = 0; seed < 20; seed++) {
        const [read, skipped] = [randomSource(seed), randomSource(seed)]
        const x = float32([4, 1, 3, 3], new Float32Array(36))
        mixSamples({ inputs: { x }, targets: [] }, 4, { ...mixing, isNhwc: false }, read)
        skipMixing(4, { ...mixing, isNhwc: false }, skipped)
        assert.deepEqual(skipped.state(), read.state())
      }
    })
})
