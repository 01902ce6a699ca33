// Which samples layers are fitted on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dataset } from '../../src/data/dataset.js'
import { holdOut } from '../../src/data/hold-out.js'
import { CompressJob } from '../../src/jobs/compress-job.js'
import { trainingSamples } from '../../src/jobs/fitting-samples.js'

const datasetOf = (size: number): Dataset => {
  const split = { size, batch: (): never => assert.fail() }
  return { name: 'd', preprocessing: 'as they are', train: split, test: split } as unknown as Dataset
}

for (const [size, samples] of [
  [24, 1024],
  [300, 100],
] as const)
  test(`before a training: none of those that it holds out, of ${size} samples`, () => {
    const dataset = datasetOf(size)
    const job = new CompressJob({ name: 'm', data: 'd.npz', samples })
    const split = holdOut(dataset, job.options)
    const [training, heldOut] = [Array.from(split.training), Array.from(split.heldOut)]
    const fitted = trainingSamples({ dataset, fixedBatch: null }, job, { among: training })
    const all = [...Array.from(fitted.indices), ...fitted.heldOut]
    assert.equal(new Set(all).size, all.length)
    assert.ok(fitted.indices.length > 0 && fitted.heldOut.length > 0)
    assert.ok(all.every((index) => training.includes(index) && !heldOut.includes(index)))
  })
