// Layers fitted for trial: which, and that their codes are those that compress would find.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { CompressJob } from '../../src/jobs/compress-job.js'
import type { FittingSamples } from '../../src/jobs/fitting-samples.js'
import { timeOfFit, trialFit } from '../../src/jobs/trial-fit.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { float32 } from '../../src/tensor/tensor.js'
import { FittedLayers } from '../../src/ternary/fitted-layers.js'
import type { LayerChoice } from '../../src/ternary/layer-choice.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { reconstruct } from '../../src/ternary/reconstruct.js'
import { seeded } from '../onnx/fixtures.js'

const pool = new WorkerPool(1)
after(() => pool.close())

const random = seeded(3)
const uniform = (count: number): Float32Array => Float32Array.from({ length: count }, () => 2 * random() - 1)

// Layers of as many columns as the widths before them.
function network(...widths: readonly [number, ...number[]]): { model: Model; layers: LayerChoice[] } {
  const b = new GraphBuilder()
  let value = b.input('x', 'float32', ['N', widths[0]])
  for (const [i, width] of widths.slice(1).entries()) {
    const before = widths[i] as number
    const weight = b.constant(float32([before, width], uniform(before * width)), `w${i}`)
    value = b.emit('Relu', [b.emit('MatMul', [value, weight], {}, `layer${i}`)])
  }
  b.output(value, 'float32', undefined)
  const graph = b.build('trial')
  const model = { irVersion: 8, opsets: new Map([['', 17]]), graph }
  return { model, layers: chooseLayers(graph, { keep: [], ternary: ['*'] }) }
}

const { model, layers } = network(12, 24, 18, 8)
const data = uniform(12 * 200)
const samples: FittingSamples = {
  split: {
    size: 200,
    batch: (indices) => {
      const rows = Array.from(indices, (index) => [...data.subarray(12 * index, 12 * index + 12)])
      return { inputs: { x: float32([rows.length, 12], Float32Array.from(rows.flat())) }, labels: {} }
    },
  },
  indices: Array.from({ length: 200 }, (_, i) => i),
  fixedBatch: null,
  heldOut: [],
  description: 'by hand',
}
const job = (sizeWeight = 0): CompressJob => new CompressJob({ name: 'trial', nameOptions: String, sizeWeight })
const toFit = { model, layers, behind: () => 'factors' as const }

test('for the time of all, the layers of least and most work are fitted, for the size that of most', async () => {
  const time = await trialFit(pool, toFit, samples, job(), 'time')
  assert.deepEqual([...(time?.codes.keys() ?? [])], ['w0', 'w1'])
  const size = await trialFit(pool, toFit, samples, job(), 'size')
  assert.deepEqual([...(size?.codes.keys() ?? [])], ['w1'])
  assert.deepEqual(
    size?.steps.map(({ place }) => place),
    [1],
  )
  const steps = [
    { place: 0, ms: 10 },
    { place: 1, ms: 200 },
  ]
  // The network takes 30 ms, to the second layer both are run a third of the way.
  const whole = timeOfFit(layers, { codes: new Map(), steps }, 30)
  const work = (columns: number, channels: number): number => columns ** 2 * (64 + channels)
  const between = (work(18, 8) - work(12, 24)) / (work(24, 18) - work(12, 24))
  assert.ok(Math.abs(whole - (60 + 10 + 180 + 10 + 170 * between)) < 1e-9, `${whole}`)
})

test('of layers that are alike, the first ones: what counts is the layer, not the way to it', async () => {
  const alike = { ...network(12, 12, 12, 24, 24, 24), behind: toFit.behind }
  const time = await trialFit(pool, alike, samples, job(), 'time')
  assert.deepEqual(
    time?.steps.map(({ place }) => place),
    [0, 3],
  )
})

for (const sizeWeight of [0, 0.5])
  test(`the first layer's codes are those that compress finds, where a bit costs ${sizeWeight}`, async () => {
    const trial = await trialFit(pool, toFit, samples, job(sizeWeight), 'time')
    const { network } = await reconstruct(pool, model, layers, samples, {
      ...job(sizeWeight).options,
      behind: toFit.behind,
      fits: new FittedLayers(),
      onProgress: () => undefined,
    })
    assert.deepEqual(trial?.codes.get('w0'), network.layers.get('w0')?.codes)
    assert.ok((trial?.codes.get('w1')?.length ?? 0) === 24 * 18)
  })

test('for the sizes of all, every layer that is affordable is fitted', async () => {
  const sizes = await trialFit(pool, toFit, samples, job(), 'sizes')
  assert.deepEqual([...(sizes?.codes.keys() ?? [])], ['w0', 'w1', 'w2'])
})
