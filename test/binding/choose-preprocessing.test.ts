// Finding out by trial how a network wants its pixels.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bindImages } from '../../src/data/bind-images.js'
import type { ImageDataset, Preprocessing } from '../../src/data/dataset.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'
import { choosePreprocessing } from '../../src/binding/choose-preprocessing.js'
import { describePreprocessing, otherChannelOrder } from '../../src/data/preprocessing.js'
import { readPreprocessing as readWritten, writePreprocessing } from '../../src/data/written-preprocessing.js'
import { evaluate } from '../../src/binding/evaluate.js'
import { isClearlyLower } from '../../src/tasks/sample-losses.js'
import { classification } from '../../src/tasks/classification.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'

const PIXELS = Uint8Array.from({ length: 16 }, (_, i) => 17 * i)
const part = {
  count: 16,
  channels: 1,
  height: 1,
  width: 1,
  pixels: PIXELS,
  labels: PIXELS.map((pixel) => (pixel > 127 ? 1 : 0)),
}
const IMAGES: ImageDataset = {
  kind: 'images',
  name: 'toy',
  classes: 2,
  train: part,
  test: part,
  mean: [0.5],
  std: [1],
  augmentation: { pad: 0, flip: false },
}
const pixels = (name: string, mean: number, std: number): Preprocessing => ({
  name,
  layout: 'NCHW',
  scale: 1,
  mean: [mean],
  std: [std],
})
const input = { name: 'x', elementType: 'float32', dims: ['N', 1] } as const

// Scores 0 and x.
function bright(): Uint8Array {
  const graph = new GraphBuilder()
  graph.input('x', 'float32', ['N', 1])
  graph.emit('MatMul', ['x', graph.constant(float32([1, 2], [0, 1]))], {}, 'scores')
  graph.output('scores', 'float32', ['N', 2])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: graph.build('bright') })
}

const OPTIONS = { task: classification([{ output: 'scores', classes: 2 }]), fixedBatch: null }

// Scores 0 and what stands in the last of three channels less the first.
function lastChannel(): Uint8Array {
  const graph = new GraphBuilder()
  graph.input('x', 'float32', ['N', 3, 1, 1])
  const flat = graph.emit('Flatten', ['x'])
  graph.emit('MatMul', [flat, graph.constant(float32([3, 2], [0, -1, 0, 0, 0, 1]))], {}, 'scores')
  graph.output('scores', 'float32', ['N', 2])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: graph.build('last') })
}

test('colours the other way round are tried', async () => {
  const count = 16
  // Class 1 is red; the network looks at its last channel, which is red in an image whose blue comes first.
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 2)
  const red = Uint8Array.from(labels, (label) => (label === 1 ? 200 : 30))
  const images = {
    ...part,
    count,
    channels: 3,
    labels,
    pixels: Uint8Array.from(
      { length: 3 * count },
      (_, i) => [red[Math.floor(i / 3)] as number, 90, 100][i % 3] as number,
    ),
  }
  const dataset = { ...IMAGES, train: images, test: images }
  const pool = new WorkerPool(1)
  try {
    const bind = (preprocessing: Preprocessing): ReturnType<typeof bindImages> =>
      bindImages(dataset, { input: { name: 'x', elementType: 'float32', dims: ['N', 3, 1, 1] }, preprocessing })
    const plain: Preprocessing = { name: 'plain', layout: 'NCHW', scale: 1, mean: [0.1, 0.2, 0.3], std: [1, 2, 3] }
    const { preprocessing, tried } = await choosePreprocessing(pool, lastChannel(), [plain], bind, {
      ...OPTIONS,
      others: otherChannelOrder,
    })
    assert.deepEqual(preprocessing, {
      name: 'plain BGR',
      layout: 'NCHW',
      scale: 1,
      mean: [0.3, 0.2, 0.1],
      std: [3, 2, 1],
      channelOrder: 'bgr',
    })
    assert.deepEqual(
      tried.map(({ score }) => score),
      [0, 100],
    )
    const { inputs } = await bind(preprocessing).train.batch([1])
    const expected = [(100 / 255 - 0.3) / 3, (90 / 255 - 0.2) / 2, (200 / 255 - 0.1) / 1]
    assert.deepEqual(Array.from(inputs['x']?.data as Float32Array), expected.map(Math.fround))
    // As a packed file keeps it, and as a report says it.
    assert.deepEqual(readWritten(writePreprocessing(preprocessing)), preprocessing)
    assert.match(describePreprocessing(preprocessing), /NCHW, BGR$/)
  } finally {
    await pool.close()
  }
})

test('the most images right, and among equals the lower cross-entropy', async () => {
  const pool = new WorkerPool(2)
  try {
    const bind = (preprocessing: Preprocessing): ReturnType<typeof bindImages> =>
      bindImages(IMAGES, { input, preprocessing })
    const [faint, clear, black] = [pixels('faint', 0.5, 1), pixels('clear', 0.5, 0.1), pixels('black', 2, 1)]
    const choice = await choosePreprocessing(pool, bright(), [black, faint, clear], bind, OPTIONS)
    assert.deepEqual(
      choice.tried.map(({ score }) => score),
      [50, 100, 100],
    )
    assert.equal(choice.preprocessing.name, 'clear')
    const { metrics } = await evaluate(pool, bright(), bind(faint).train, OPTIONS)
    const loss = metrics?.['crossEntropy']
    const expected = [...PIXELS].reduce(
      (sum, pixel) => sum + Math.log(1 + Math.exp(-Math.abs(pixel / 255 - 0.5))) / 16,
      0,
    )
    assert.ok(Math.abs((loss ?? NaN) - expected) < 1e-6, `${loss}, expected ${expected}`)
  } finally {
    await pool.close()
  }
})

test('colours the other way round are not taken for a gain that chance gives', async () => {
  const count = 200
  const chosenFor = async (right: number): Promise<string> => {
    // Blue first, the network is right of so many; red first, of all others.
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 2)
    const isRed = (i: number): boolean => (labels[i] === 1) === i < right
    const pixels = Uint8Array.from({ length: count }, (_, i) => i).reduce<number[]>(
      (all, i) => [...all, isRed(i) ? 160 : 100, 90, isRed(i) ? 100 : 160],
      [],
    )
    const images = { ...part, count, channels: 3, labels, pixels: Uint8Array.from(pixels) }
    const dataset = { ...IMAGES, train: images, test: images }
    const bind = (preprocessing: Preprocessing): ReturnType<typeof bindImages> =>
      bindImages(dataset, { input: { name: 'x', elementType: 'float32', dims: ['N', 3, 1, 1] }, preprocessing })
    const plain: Preprocessing = { name: 'plain', layout: 'NCHW', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }
    return await WorkerPool.use(1, {}, async (pool) => {
      const how = { ...OPTIONS, others: otherChannelOrder }
      return (await choosePreprocessing(pool, lastChannel(), [plain], bind, how)).preprocessing.name
    })
  }
  assert.equal(await chosenFor(107), 'plain')
  assert.equal(await chosenFor(130), 'plain BGR')
})

test('lower by more than chance', () => {
  const others = Array.from({ length: 40 }, (_, i) => 1 + (i % 2))
  assert.equal(
    isClearlyLower(
      others.map((loss) => loss - 0.01),
      others,
    ),
    true,
  )
  assert.equal(
    isClearlyLower(
      others.map((loss, i) => loss - (i % 4 === 0 ? 1 : -0.3)),
      others,
    ),
    false,
  )
  assert.equal(isClearlyLower(others, others), false)
  assert.equal(isClearlyLower([0, 0, 0], [1, 1, 1]), false)
})
