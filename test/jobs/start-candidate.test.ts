// What a training starts from is a candidate for what it ends with.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { readModel } from '../../src/onnx/read-model.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

describe('a training that harms', () => {
  // A rate with which no network survives, on one that is good already.
  const harm = {
    data: STRIPES,
    epochs: 1,
    threads: 1,
    batch: 16,
    learningRate: 5,
    optimizer: 'sgd',
    schedule: 'constant',
    clipNorm: 5,
  } as const

  test('ttq train keeps the start, and says so', async () => {
    const { file: good } = await trainNetwork(stripesNetwork(), { name: 'm', data: STRIPES, epochs: 6, threads: 1 })
    const { file, report } = await trainNetwork(good, { name: 'm', ...harm })
    assert.ok((report.before.top1 ?? NaN) > 90, `${report.before.top1}`)
    assert.equal(report.training.bestEpoch, 0)
    assert.equal(report.after.top1, report.before.top1)
    assert.ok(report.warnings.some((warning) => warning.startsWith('no epoch was better than the start (')))
    const weights = (bytes: Uint8Array): unknown => [...readModel(bytes).graph.initializers.values()]
    assert.deepEqual(weights(file), weights(good))
  })

  test('compress keeps the fit that it starts from', async () => {
    const { file: good } = await trainNetwork(stripesNetwork(), { name: 'm', data: STRIPES, epochs: 6, threads: 1 })
    const { report } = await compress(good, { name: 'm', ...harm, scaleLearningRate: 5 })
    assert.equal(report.training?.bestEpoch, 0)
    assert.ok(report.verified.bitExact)
  })

  test('random weights are no candidate', async () => {
    const { report } = await trainNetwork(stripesNetwork(), { name: 'm', ...harm, fromScratch: true })
    assert.equal(report.training.bestEpoch, 1)
  })
})
