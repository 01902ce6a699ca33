// What a report holds for pages, where it is asked to: figures that agree with the network and with one another.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { before, describe, test } from 'node:test'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import type { SampleReport } from '../../src/jobs/details-report.js'
import { BINS, histogram, ternaryKernels } from '../../src/jobs/describe-details.js'
import { imageOf } from '../../src/jobs/describe-samples.js'
import { drawPacked } from '../../src/jobs/draw-packed.js'
import { evaluateModel } from '../../src/jobs/evaluate.js'
import { unpack } from '../../src/packed/index.js'
import { countCodes } from '../../src/tensor/ternary.js'
import { float32 } from '../../src/tensor/tensor.js'
import { temporaryFolder } from '../cli/run-program.js'
import { writeSmallMnist } from '../cli/small-mnist.js'
import { pixelsOf } from '../data/png-pixels.js'

const LENET = readFileSync(resolve(import.meta.dirname, '../../../fixtures/mnist-lenet.onnx'))

describe('a compression of LeNet-5, trained for two epochs', () => {
  let data: string
  let result: CompressResult
  let plain: CompressResult
  const folder = temporaryFolder()
  before(async () => {
    await writeSmallMnist(folder, { train: 400, test: 120 })
    data = `mnist:${join(folder, 'mnist')}`
    const request = { name: 'm.onnx', data, epochs: 2, threads: 1, batch: 40, validation: 80, keepNames: true } as const
    result = await compress(LENET, { ...request, details: true })
    plain = await compress(LENET, request)
  })

  test('details change nothing else: the same file, the same figures', () => {
    assert.deepEqual(plain.file, result.file)
    const { samples, firstKernels, layers, training, ...rest } = result.report
    assert.ok(samples && firstKernels)
    const bare = {
      ...rest,
      layers: layers.map((layer) => ({ ...layer, histogram: undefined, kernels: undefined })),
      training: training && {
        ...training,
        ternaryLayers: undefined,
        history: training.history.map((epoch) => ({ ...epoch, ternary: undefined })),
      },
    }
    const timeless = (report: object): unknown =>
      JSON.parse(JSON.stringify(report, (key, value: unknown) => (/Ms$|PerSecond$/.test(key) ? 0 : value)))
    assert.deepEqual(timeless(bare), timeless(plain.report))
  })

  test('histograms count every weight once, by what it became', () => {
    const ternary = result.report.layers.filter((layer) => layer.ternary)
    assert.equal(ternary.length, 3)
    for (const { histogram: found, negatives, zeros, positives, threshold, name } of ternary) {
      assert.equal(found?.of, 'latent')
      const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
      assert.deepEqual([found.negatives, found.zeros, found.positives].map(sum), [negatives, zeros, positives], name)
      // Beyond the threshold nothing is zero, and within nothing is not.
      const edge = (bin: number): number => (2 * bin) / BINS - 1
      found.zeros.forEach((count, bin) => {
        const [from, to] = [edge(bin), edge(bin + 1)]
        assert.ok(threshold !== null)
        if (from > threshold || to < -threshold) assert.equal(count, 0)
        if (from > -threshold && to < threshold)
          assert.equal((found.negatives[bin] ?? 0) + (found.positives[bin] ?? 0), 0)
      })
    }
  })

  test('scales and zeros of each epoch; those of the packed one are the file’s', () => {
    const { training, layers } = result.report
    assert.deepEqual(
      training?.ternaryLayers,
      layers.flatMap(({ ternary, name }) => (ternary ? [name] : [])),
    )
    const packed = training.history.find(({ epoch }) => epoch === training.bestEpoch)
    assert.ok(packed?.ternary, `epoch ${training.bestEpoch}`)
    layers
      .filter(({ ternary }) => ternary)
      .forEach(({ wp, wn, zeros, shape, name }, i) => {
        const weights = shape.reduce((product, dim) => product * dim, 1)
        const near = (found: number | undefined, expected: number): void => {
          assert.ok(Math.abs((found ?? NaN) - expected) <= 1e-3 * expected, `${name}: ${found}, expected ${expected}`)
        }
        near(packed.ternary?.wp[i], wp ?? NaN)
        near(packed.ternary?.wn[i], wn ?? NaN)
        near(packed.ternary?.zeros[i], (zeros ?? NaN) / weights)
      })
  })

  test('kernels are those of the file, and ttq report --model finds the same', () => {
    const { ternary } = unpack(result.file)
    for (const { name, kernels, shape } of result.report.layers.filter((layer) => layer.ternary)) {
      const codes = Array.from(ternary.get(name)?.codes ?? [], (code) => '-0+'[code + 1]).join('')
      if (shape.length === 4) assert.equal(kernels?.codes, codes.slice(0, kernels?.codes.length))
      else assert.equal(kernels?.codes.slice(0, 32), codes.slice(0, 32))
    }
    const drawn = drawPacked(plain.report, plain.file, 'm.ttq')
    assert.deepEqual(
      drawn.layers.map(({ kernels }) => kernels),
      result.report.layers.map(({ kernels }) => kernels),
    )
    assert.deepEqual(drawn.firstKernels, result.report.firstKernels)
    const layers = plain.report.layers.map((layer) => (layer.wp === null ? layer : { ...layer, wp: 7 }))
    assert.throws(() => drawPacked({ ...plain.report, layers }, plain.file, 'm.ttq'), {
      code: 'usage',
      message: '--model: m.ttq is not the file of this report: it has no layer as conv2.weight',
    })
  })

  test('the first layer’s kernels, a pixel between them', () => {
    const { count, of, height, width, picture } = result.report.firstKernels ?? assert.fail()
    assert.deepEqual([count, of, height, width], [6, 6, 5, 5])
    const image = pixelsOf(picture)
    assert.deepEqual([image.width, image.height, image.channels], [35, 5, 4])
    const opacity = Array.from({ length: 35 }, (_, x) => image.pixels[4 * x + 3])
    assert.deepEqual(
      opacity,
      Array.from({ length: 35 }, (_, x) => (x % 6 === 5 ? 0 : 255)),
    )
    const weights = unpack(result.file).model.graph.initializers.get('conv1.weight')?.data as Float32Array | Uint16Array
    assert.equal(weights.length, 150)
  })

  test('mix-ups add up to the test set and to the accuracy', () => {
    const { samples, compressed, data: about } = result.report
    assert.deepEqual(about, { training: 400, test: 120, classes: 10 })
    const confusion = samples?.confusion ?? []
    const all = confusion.flat().reduce((sum, count) => sum + count, 0)
    const right = confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0)
    assert.equal(all, 120)
    assert.ok(Math.abs((100 * right) / all - (compressed?.['top1'] ?? NaN)) < 1e-9)
    for (const { label, decided, count } of samples?.confused ?? []) assert.equal(confusion[label]?.[decided], count)
  })

  test('mistakes are mistakes, the surest first; pictures are the test set’s', () => {
    const { mistakes = [], changed = [] } = result.report.samples ?? {}
    for (const { label, decided } of mistakes) assert.notEqual(label, decided)
    const falling = (list: readonly SampleReport[], of: (sample: SampleReport) => number): void => {
      list.slice(1).forEach((sample, i) => {
        assert.ok(of(sample) <= of(list[i] as SampleReport))
      })
    }
    falling(mistakes, ({ probability }) => probability)
    falling(changed, ({ divergence }) => divergence ?? NaN)
    assert.equal(changed.length, 8)
    const stored = readFileSync(join(data.replace('mnist:', ''), 't10k-images-idx3-ubyte')).subarray(16)
    for (const { index, picture } of [...mistakes, ...changed]) {
      const { width, height, pixels } = pixelsOf(picture ?? '')
      assert.deepEqual([width, height], [28, 28])
      assert.deepEqual([...pixels], [...stored.subarray(784 * index, 784 * (index + 1))])
    }
  })

  test('evaluate finds the same mix-ups in the file', async () => {
    const { decisions } = await evaluateModel(result.file, { name: 'm.ttq', data, threads: 1, details: true })
    assert.deepEqual(decisions?.confusion, result.report.samples?.confusion)
    assert.equal(decisions?.changed, undefined)
    const without = await evaluateModel(result.file, { name: 'm.ttq', data, threads: 1 })
    assert.deepEqual(without.decisions, { byClass: decisions?.byClass })
  })

  test('fitted without training: by the original’s weights', async () => {
    const { report } = await compress(LENET, { name: 'm.onnx', samples: 16, threads: 1, details: true })
    assert.equal(report.samples, undefined)
    for (const { ternary, histogram: found, negatives } of report.layers) {
      if (!ternary) continue
      assert.equal(found?.of, 'original')
      assert.equal(
        found.negatives.reduce((sum, count) => sum + count, 0),
        negatives,
      )
    }
  })
})

test('bins lie symmetrically around zero, the largest weight in the last one', () => {
  const found = histogram(Float32Array.of(-2, -0.04, 0, 0.04, 2, 1), Int8Array.of(-1, 0, 0, 0, 1, 1), 'latent')
  assert.equal(found.largest, 2)
  assert.deepEqual([found.negatives[0], found.positives[40], found.zeros[20]], [1, 1, 3])
  assert.equal(found.positives[30], 1)
  const none = histogram(Float32Array.of(0, 0), Int8Array.of(0, 0), 'original')
  assert.deepEqual([none.largest, none.zeros[20]], [0, 2])
})

test('kernels that are drawn: the first ones, rows of one dimension, corners of matrices', () => {
  const codes = (count: number): Int8Array => Int8Array.from({ length: count }, (_, i) => (i % 3) - 1)
  const convolution = ternaryKernels(codes(100 * 10 * 9), [100, 10, 3, 3])
  assert.deepEqual(
    { ...convolution, codes: convolution?.codes.length },
    { count: 64, height: 3, width: 3, of: 1000, codes: 576 },
  )
  assert.equal(convolution?.codes.slice(0, 6), '-0+-0+')
  assert.deepEqual(ternaryKernels(codes(6), [1, 2, 3]), { count: 2, height: 1, width: 3, of: 2, codes: '-0+-0+' })
  const matrix = ternaryKernels(codes(40 * 50), [40, 50])
  assert.deepEqual([matrix?.height, matrix?.width, matrix?.codes.length], [32, 32, 1024])
  // The second row begins with code 50.
  assert.equal(matrix?.codes[32], '-0+'[50 % 3])
  assert.equal(ternaryKernels(codes(40 * 40), [1, 1, 40, 40]), undefined)
  assert.equal(ternaryKernels(codes(8), [1, 1, 2, 2, 2]), undefined)
  assert.equal(countCodes(codes(3)).zeros, 1)
})

test('an image as the network gets it is brought back to its pixels', () => {
  const pixels = [0, 51, 255, 102]
  const values = Float32Array.from(pixels, (pixel) => (pixel / 255 - 0.5) / 0.25)
  const grey = { scale: 1, mean: [0.5], std: [0.25], layout: 'NCHW' } as const
  for (const dims of [
    [1, 1, 2, 2],
    [1, 4],
  ])
    assert.deepEqual([...(imageOf([float32(dims, values)], grey)?.pixels ?? [])], pixels)
  const wide = imageOf([float32([1, 1, 1, 4], values)], grey)
  assert.deepEqual([wide?.width, wide?.height], [4, 1])
  const colour = { scale: 255, mean: [0, 0, 0], std: [1, 1, 1] }
  const planes = imageOf([float32([1, 3, 1, 2], Float32Array.of(1, 2, 3, 4, 5, 6))], { ...colour, layout: 'NCHW' })
  const interleaved = imageOf([float32([1, 1, 2, 3], Float32Array.of(1, 3, 5, 2, 4, 6))], { ...colour, layout: 'NHWC' })
  assert.deepEqual([...(planes?.pixels ?? [])], [1, 3, 5, 2, 4, 6])
  assert.deepEqual(planes, interleaved)
  assert.equal(imageOf([float32([1, 3], Float32Array.of(1, 2, 3))], grey), undefined)
  assert.equal(imageOf([], grey), undefined)
})
