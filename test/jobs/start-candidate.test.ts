// What a training starts from is a candidate for what it ends with.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'
import { seeded } from '../onnx/fixtures.js'
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

describe('the start of a training from fitted layers', () => {
  const [inputs, size] = [8, 16]
  const folder = mkdtempSync(join(tmpdir(), 'ttq-start-'))
  after(() => rmSync(folder, { recursive: true }))
  const data = join(folder, 'noise.mjs')
  writeFileSync(
    data,
    `const value = (i, j) => 3 * Math.sin(i * 12.9898 + j * j * 78.233 + j)
     const batch = (indices) => ({
       inputs: {
         x: { dims: [indices.length, ${inputs}], data: Float32Array.from(indices.flatMap((i) => Array.from({ length: ${inputs} }, (_, j) => value(i, j)))) },
       },
     })
     export default { train: { size: 256, batch }, test: { size: 64, batch: (indices) => batch(indices.map((i) => i + 256)) } }
    `,
  )

  // No factor can stand behind a weight that two layers have: training has it as it is, and rounds it at once.
  const network = (): Uint8Array => {
    const b = new GraphBuilder(['x', 'y'])
    const random = seeded(7)
    const weight = (name: string, rows: number, columns: number): string =>
      b.constant(
        float32(
          [rows, columns],
          Float32Array.from({ length: rows * columns }, () => (2 * random() - 1) / 2),
        ),
        name,
      )
    const layer = (x: string, name: string): string => b.emit('Relu', [b.emit('MatMul', [x, name])])
    b.inputs.push({ name: 'x', type: { elementType: 'float32', dims: ['N', inputs] } })
    const twice = weight('twice', size, size)
    const first = layer('x', weight('first', inputs, size))
    const middle = layer(layer(layer(first, twice), twice), weight('behind', size, size))
    b.push({
      name: 'last',
      opType: 'MatMul',
      domain: '',
      inputs: [middle, weight('last', size, size)],
      outputs: ['y'],
      attributes: {},
    })
    b.outputs.push({ name: 'y', type: { elementType: 'float32', dims: undefined } })
    return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('shared') })
  }

  test('layers behind one that is not fitted, but rounded, make up for it', async () => {
    const common = { name: 'shared.onnx', data, threads: 1, ternary: ['behind'], task: 'distill' } as const
    const { report: fitted } = await compress(network(), { ...common, epochs: 0 })
    const still = { ...common, epochs: 1, learningRate: 1e-9, scaleLearningRate: 1e-9 }
    const { report: trained } = await compress(network(), still)
    const distance = trained.likeness?.relativeError ?? NaN
    assert.ok(
      distance < 1.3 * (fitted.reconstruction?.distance ?? NaN),
      `${distance} % instead of ${fitted.reconstruction?.distance} %`,
    )
  })
})
