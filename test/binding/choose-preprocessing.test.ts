// Finding out by trial how a network wants its pixels.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bindImages } from '../../src/data/bind-images.js'
import type { ImageDataset, Preprocessing } from '../../src/data/dataset.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'
import { choosePreprocessing } from '../../src/binding/choose-preprocessing.js'
import { evaluate } from '../../src/binding/evaluate.js'
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

test('the most images right, and among equals the lower cross-entropy', async () => {
  const pool = new WorkerPool(2)
  try {
    const bind = (preprocessing: Preprocessing): ReturnType<typeof bindImages> =>
      bindImages(IMAGES, { input, preprocessing })
    const [faint, clear, black] = [pixels('faint', 0.5, 1), pixels('clear', 0.5, 0.1), pixels('black', 2, 1)]
    const choice = await choosePreprocessing(pool, bright(), [black, faint, clear], bind, OPTIONS)
    assert.deepEqual(choice.score, [50, 100, 100])
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
