import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assembleBatch } from '../../src/data/assemble-batch.js'
import { classLabels } from '../../src/data/labels.js'
import { bindImages, imageLayouts } from '../../src/data/bind-images.js'
import type { ImageDataset, ImageSet, Layout, Preprocessing } from '../../src/data/dataset.js'
import {
  describePreprocessing,
  parsePreprocessing,
  preprocessingCandidates,
  rawPixels,
} from '../../src/data/preprocessing.js'
import { randomSource } from '../../src/data/random.js'

// Pixel i is 37 i mod 251: no two neighbours alike.
function set(count: number, channels: number, height: number, width: number): ImageSet {
  const pixels = Uint8Array.from({ length: count * channels * height * width }, (_, i) => (37 * i) % 251)
  return { count, channels, height, width, pixels, labels: Uint8Array.from({ length: count }, (_, i) => i % 2) }
}

function dataset(channels: number, height: number, width: number): ImageDataset {
  const mean = [0.1, 0.2, 0.3].slice(0, channels)
  return {
    kind: 'images',
    name: 'toy:folder',
    classes: 2,
    train: set(6, channels, height, width),
    test: set(4, channels, height, width),
    mean,
    std: mean.map((value) => 2 * value),
    augmentation: { pad: 2, flip: true },
  }
}

// Pad with black, crop, mirror, normalise: one step after the other, one value at a time.
function naive(
  images: ImageSet,
  indices: readonly number[],
  p: Preprocessing,
  pad: number,
  flip: boolean,
  seed: number,
): number[] {
  const random = randomSource(seed)
  const { channels: C, height: H, width: W } = images
  const out = new Array<number>(indices.length * C * H * W)
  indices.forEach((index, n) => {
    const top = pad > 0 ? random.int(2 * pad + 1) : 0
    const left = pad > 0 ? random.int(2 * pad + 1) : 0
    const mirrored = flip && random.int(2) === 1
    for (let c = 0; c < C; c++)
      for (let y = 0; y < H; y++)
        for (let x = 0; x < W; x++) {
          const sy = y + top - pad
          const sx = (mirrored ? W - 1 - x : x) + left - pad
          const pixel =
            sy < 0 || sy >= H || sx < 0 || sx >= W ? 0 : (images.pixels[((index * C + c) * H + sy) * W + sx] as number)
          const at = p.layout === 'NCHW' ? ((n * C + c) * H + y) * W + x : ((n * H + y) * W + x) * C + c
          out[at] = Math.fround(((pixel / 255) * p.scale - (p.mean[c] as number)) / (p.std[c] as number))
        }
  })
  return out
}

for (const layout of ['NCHW', 'NHWC'] satisfies Layout[]) {
  for (const [pad, flip] of [
    [0, false],
    [0, true],
    [2, false],
    [3, true],
    [9, true],
  ] as const) {
    test(`assembleBatch: ${layout}, pad ${pad}, flip ${flip} as the naive one`, () => {
      const images = set(20, 3, 5, 7)
      const indices = Array.from({ length: 40 }, (_, i) => (i * 7) % 20)
      const p: Preprocessing = { name: 'given', layout, scale: 1, mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2] }
      const found = assembleBatch(images, indices, p, { augmentation: { pad, flip }, random: randomSource(11) })
      assert.deepEqual([...found], naive(images, indices, p, pad, flip, 11))
    })
  }
}

test('assembleBatch: no chance without a random source', () => {
  const images = set(3, 1, 2, 2)
  const p: Preprocessing = { name: '0..255', layout: 'NCHW', scale: 255, mean: [0], std: [1] }
  const found = assembleBatch(images, [2, 0], p, { augmentation: { pad: 1, flip: true } })
  assert.deepEqual(
    [...found],
    [8, 9, 10, 11, 0, 1, 2, 3].map((i) => Math.fround((((37 * i) % 251) / 255) * 255)),
  )
  assert.throws(() => assembleBatch(images, [3], p), /^Error: internal: image 3 of 3$/)
})

const shape = (
  ...dims: (number | string | null)[]
): { name: string; dims: (number | string | null)[]; elementType: string } => ({
  name: 'x',
  dims,
  elementType: 'float32',
})

test('imageLayouts: from the input shape', () => {
  const colour = dataset(3, 4, 5)
  assert.deepEqual(imageLayouts(colour, shape('N', 3, 4, 5)), ['NCHW'])
  assert.deepEqual(imageLayouts(colour, shape(1, 4, 5, 3)), ['NHWC'])
  assert.deepEqual(imageLayouts(colour, shape(null, 60)), ['NCHW', 'NHWC'])
  assert.deepEqual(imageLayouts(colour, shape('N', 'C', 'H', 'W')), ['NCHW', 'NHWC'])
  assert.deepEqual(imageLayouts(dataset(1, 4, 5), shape('N', 4, 5)), ['NCHW'])
})

test('bindImages: batches in the shape the network takes', async () => {
  const data = dataset(3, 4, 5)
  for (const [input, layout, dims] of [
    [shape('N', 3, 4, 5), 'NCHW', [2, 3, 4, 5]],
    [shape('N', 60), 'NHWC', [2, 60]],
  ] as const) {
    const preprocessing = preprocessingCandidates(data, layout)[0] as Preprocessing
    const bound = bindImages(data, { input, preprocessing })
    const batch = await bound.train.batch([5, 2])
    assert.deepEqual(batch.inputs.x, {
      type: 'float32',
      dims,
      data: Float32Array.from(naive(data.train, [5, 2], preprocessing, 0, false, 0)),
    })
    assert.deepEqual(batch.labels, classLabels([1, 0]))
    const augmented = await bound.train.batch([5, 2], randomSource(3))
    assert.deepEqual(
      [...(augmented.inputs.x?.data as Float32Array)],
      naive(data.train, [5, 2], preprocessing, 2, true, 3),
    )
    assert.equal(bound.preprocessing, `toy: (x/255 - mean)/std, mean 0.1,0.2,0.3 std 0.2,0.4,0.6, ${layout}`)
  }
})

test('bindImages: an input of bytes takes pixels as they are', async () => {
  const data = dataset(3, 4, 5)
  const input = { ...shape('N', 3, 4, 5), elementType: 'uint8' }
  const bound = bindImages(data, { input, preprocessing: { ...rawPixels(3), layout: 'NCHW' } })
  const { x } = (await bound.test?.batch([3]))?.inputs ?? {}
  assert.deepEqual(x, { type: 'uint8', dims: [1, 3, 4, 5], data: data.test?.pixels.slice(180, 240) })
})

test('bindImages: inputs that do not fit are refused', () => {
  const data = dataset(3, 4, 5)
  const expected = 'expected [N,3,4,5] or [N,4,5,3] or [N,60] for the images of toy:folder'
  for (const [input, message] of [
    [shape('N', 1, 4, 5), `input "x": shape [N,1,4,5], ${expected}`],
    [shape(null, 61), `input "x": shape [?,61], ${expected}`],
    [shape('N', 4, 5), `input "x": shape [N,4,5], ${expected}`],
    [
      { ...shape('N', 60), elementType: 'int32' },
      'input "x": element type int32, expected float32, float16, float64 or uint8 for images',
    ],
  ] as const)
    assert.throws(() => imageLayouts(data, input), { code: 'data', message })
  const preprocessing = preprocessingCandidates(data, 'NHWC')[0] as Preprocessing
  assert.throws(() => bindImages(data, { input: shape('N', 3, 4, 5), preprocessing }), {
    code: 'data',
    message: 'input "x": shape [N,3,4,5], expected NHWC images',
    hint: 'toy:folder fits this input as NCHW',
  })
})

test('preprocessing: candidates and words', () => {
  assert.deepEqual(
    preprocessingCandidates(dataset(3, 4, 5), 'NCHW').map((p) => `${p.name}: ${describePreprocessing(p)}`),
    [
      'toy: (x/255 - mean)/std, mean 0.1,0.2,0.3 std 0.2,0.4,0.6, NCHW',
      'imagenet: (x/255 - mean)/std, mean 0.485,0.456,0.406 std 0.229,0.224,0.225, NCHW',
      '0..1: x/255, NCHW',
      '-1..1: (x/255 - mean)/std, mean 0.5,0.5,0.5 std 0.5,0.5,0.5, NCHW',
      '0..255: x, NCHW',
      'caffe: (x - mean)/std, mean 103.939,116.779,123.68 std 1,1,1, NCHW, BGR',
    ],
  )
  assert.deepEqual(
    preprocessingCandidates(dataset(1, 4, 5), 'NHWC').map(({ name }) => name),
    ['toy', '0..1', '-1..1', '0..255'],
  )
})

test('parsePreprocessing: what the user writes', () => {
  assert.equal(parsePreprocessing({}, 3, 'NCHW'), undefined)
  assert.deepEqual(parsePreprocessing({ mean: '1, 2,3', scale: '255' }, 3, 'NHWC'), {
    name: 'given',
    layout: 'NHWC',
    scale: 255,
    mean: [1, 2, 3],
    std: [1, 1, 1],
  })
  assert.deepEqual(parsePreprocessing({ std: '.5' }, 1, 'NCHW'), {
    name: 'given',
    layout: 'NCHW',
    scale: 1,
    mean: [0],
    std: [0.5],
  })
  for (const [words, message] of [
    [{ mean: '1,2' }, '--mean: 2 numbers, expected 3, one per channel'],
    [{ mean: '1' }, '--mean: 1 number, expected 3, one per channel'],
    [{ std: '1,,2' }, '--std: "" in "1,,2", expected numbers separated by commas'],
    [{ mean: '1,x,2' }, '--mean: "x" in "1,x,2", expected numbers separated by commas'],
    [{ std: '1,0,2' }, '--std: 0, expected numbers above 0'],
    [{ scale: '2' }, '--scale: "2", expected 1 (pixels 0..1) or 255 (pixels 0..255)'],
  ] as const)
    assert.throws(() => parsePreprocessing(words, 3, 'NCHW'), { code: 'usage', message })
})
