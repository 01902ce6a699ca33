// What each layer costs alone: measured against a plain recomputation, ranked, the same on any number of workers.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bindNetwork } from '../../src/binding/bind-network.js'
import { openDataset } from '../../src/data/open-dataset.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { measureLayerCosts } from '../../src/ternary/layer-costs.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { ranksInMemory } from './ranks-in-memory.js'
import { TtqError } from '../../src/errors/ttq-error.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import { dequantize, fitTernary } from '../../src/methods/threshold.js'
import { analyze, type AnalyzeRequest } from '../../src/jobs/analyze.js'
import { STRIPES, stripesNetwork, type Form } from '../training/stripes-network.js'

const REQUEST: AnalyzeRequest = { name: 'stripes.onnx', data: STRIPES, threads: 1 }

test('a layer alone, without re-normalisation: the divergence that a plain computation finds', async () => {
  const bytes = stripesNetwork()
  const { layers, samples, heldOut } = await analyze(bytes, { ...REQUEST, renormalize: 'off' })
  // A tenth of 480 samples is held out.
  assert.deepEqual([samples, heldOut], [432, 48])
  assert.deepEqual(layers.map(({ name }) => name).sort(), ['c2.weight', 'c3.weight'])
  const model = readModel(bytes, { name: 'stripes.onnx' })
  const { train } = (await import(STRIPES)) as {
    train: { batch: (indices: readonly number[]) => { inputs: { x: Float32Array } } }
  }
  const all = Array.from({ length: 480 }, (_, i) => i)
  const feeds = { x: float32([480, 2, 8, 8], train.batch(all).inputs.x) }
  const scores = async (changed: Map<string, Tensor>): Promise<Float32Array> => {
    const session = await Session.create(writeModel({ ...model, graph: { ...model.graph, initializers: changed } }), {
      threads: 1,
    })
    const { scores: found } = await session.run(feeds)
    await session.release()
    return found?.data as Float32Array
  }
  const original = await scores(model.graph.initializers)
  for (const { name, divergence, error, savedBytes, shape } of layers) {
    const weights = model.graph.initializers.get(name)?.data as Float32Array
    const fitted = dequantize(fitTernary(weights, { kind: 'auto' }, name))
    const changed = await scores(new Map(model.graph.initializers).set(name, float32(shape, fitted)))
    // The held-out samples are some of these: the mean over all is near theirs.
    const mean = divergenceOf(original, changed)
    assert.ok(
      divergence !== null && divergence > mean / 3 && divergence < mean * 3,
      `${name}: ${divergence}, all samples ${mean}`,
    )
    assert.equal(error, null)
    // Between one bit a weight and two, with both scales.
    const full = 4 * weights.length
    assert.ok(savedBytes < full - weights.length / 8 && savedBytes >= full - weights.length / 4 - 8, `${savedBytes}`)
  }
})

function divergenceOf(expected: Float32Array, actual: Float32Array): number {
  let sum = 0
  for (let at = 0; at < expected.length; at += 3) {
    const softmax = (scores: Float32Array): number[] => {
      const powers = [...scores.subarray(at, at + 3)].map(Math.exp)
      return powers.map((power) => power / powers.reduce((total, other) => total + other, 0))
    }
    const [p, q] = [softmax(expected), softmax(actual)]
    p.forEach((share, c) => {
      sum += share * Math.log(share / (q[c] as number))
    })
  }
  return sum / (expected.length / 3)
}

test('the largest share first; the number of workers changes nothing', async () => {
  const one = await analyze(stripesNetwork(), { ...REQUEST, ternary: ['c1*', 'fc*'] })
  const three = await analyze(stripesNetwork(), { ...REQUEST, ternary: ['c1*', 'fc*'], threads: 3 })
  assert.deepEqual({ ...three, elapsedMs: 0 }, { ...one, elapsedMs: 0 })
  const shares = one.layers.map(({ share }) => share)
  assert.equal(shares.length, 4)
  assert.deepEqual(
    shares,
    [...shares].sort((a, b) => b - a),
  )
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9)
  for (const { divergence, distance, error } of one.layers)
    assert.ok((divergence as number) > 0 && distance > 0 && (error as number) > 0 && (error as number) < 1)
})

test('ranks have their own layers, and all know what all cost', async () => {
  const model = readModel(stripesNetwork())
  const measured = async (pool: WorkerPool): Promise<unknown> => {
    const bound = await bindNetwork(pool, model, await openDataset(STRIPES), { trial: false })
    const choices = chooseLayers(bound.model.graph, { keep: [], ternary: ['c1*', 'fc*'] })
    const costs = await measureLayerCosts(pool, bound, choices, {
      method: 'ttq',
      renormalize: 'off',
      seed: 0,
      validation: 48,
      unlabelled: false,
      samples: 48,
    })
    await pool.close()
    return costs
  }
  const expected = await measured(new WorkerPool(1))
  assert.equal((expected as unknown[]).length, 4)
  const ranks = ranksInMemory(3).map((each) => new WorkerPool(1, { ranks: each }))
  assert.deepEqual(await Promise.all(ranks.map(measured)), [expected, expected, expected])
})

test('layers that are fitted to what they give move the outputs less than those fitted by their weights', async () => {
  const [whole, weights] = await Promise.all([
    analyze(stripesNetwork(), REQUEST),
    analyze(stripesNetwork(), { ...REQUEST, method: 'twn' }),
  ])
  for (const { name, distance, error } of whole.layers) {
    const other = weights.layers.find((layer) => layer.name === name)
    assert.ok(error !== null && other?.error === null && distance < other.distance, `${name}: ${distance}`)
  }
  assert.ok(whole.distance !== null && weights.distance === null)
})

test('as many samples are measured on as layers are fitted on, at most all others', async () => {
  const counts = [7, 240, 1000].map(async (samples) => {
    const report = await analyze(stripesNetwork(), { ...REQUEST, samples })
    return [report.samples, report.heldOut]
  })
  assert.deepEqual(await Promise.all(counts), [
    [7, 7],
    [240, 240],
    [432, 48],
  ])
})

const FORMS: Record<string, Form> = {
  'batch norm': { norm: true },
  'a fixed batch of 1': { norm: true, batch: 1 },
  'a fixed batch of 1, bias': { batch: 1 },
  'weights in Constant nodes': { constants: true },
}
describe('forms of networks', () => {
  for (const [name, form] of Object.entries(FORMS)) {
    test(name, async () => {
      const { layers, baseline } = await analyze(stripesNetwork(form), REQUEST)
      assert.equal(layers.length, 2)
      assert.ok(layers.every(({ divergence, top1 }) => divergence !== null && divergence >= 0 && top1 !== null))
      assert.ok(typeof baseline?.top1 === 'number')
    })
  }
})

test('data of other classes are samples all the same, with a warning', async () => {
  const report = await analyze(stripesNetwork(), {
    ...REQUEST,
    data: STRIPES.replace('stripes.mjs', 'five-classes.mjs'),
  })
  assert.deepEqual([report.baseline, report.layers.length], [null, 2])
  assert.match(report.warnings.join(), /5 classes/)
})

describe('refused', () => {
  const CASES: Record<string, [Partial<AnalyzeRequest>, TtqError['code'], RegExp]> = {
    'a pattern that matches nothing': [{ keep: ['none*'] }, 'usage', /matches no layer/],
    'no layer left': [{ keep: ['*'] }, 'unsupported', /full precision/],
    'other classes': [
      { data: STRIPES.replace('stripes.mjs', 'five-classes.mjs'), networkOutput: ['scores'] },
      'data',
      /5 classes/,
    ],
    'an unknown dataset': [{ data: 'nothing' }, 'usage', /found no file or folder "nothing" and no dataset/],
  }
  for (const [name, [request, code, message]] of Object.entries(CASES)) {
    test(name, async () => {
      await assert.rejects(
        analyze(stripesNetwork(), { ...REQUEST, ...request }),
        (error: unknown) => error instanceof TtqError && error.code === code && message.test(error.message),
      )
    })
  }
})
