// Layers as rows of products, and what is fitted to them.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Split } from '../../src/data/dataset.js'
import { randomSource } from '../../src/data/random.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { producers } from '../../src/onnx/graph-queries.js'
import type { Model, Node, ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { observe } from '../../src/runtime/observe.js'
import { floatTensor } from '../../src/tensor/float-values.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import type { LayerChoice } from '../../src/ternary/layer-choice.js'
import { layerMoments } from '../../src/ternary/layer-moments.js'
import { layerRows } from '../../src/ternary/layer-rows.js'
import { PairedNetworks } from '../../src/ternary/paired-networks.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { fitWithoutData } from '../../src/ternary/fit-without-data.js'
import { FittedLayers } from '../../src/ternary/fitted-layers.js'
import { type Place, placeOf } from '../../src/ternary/layer-place.js'
import { settle } from '../../src/ternary/settle-layer.js'
import { solve, type Solved, type ZerosRule } from '../../src/ternary/solve-layer.js'
import { solveWide } from '../../src/ternary/solve-wide.js'
import { reconstruct, type ReconstructOptions } from '../../src/ternary/reconstruct.js'
import { weightRows } from '../../src/ternary/weight-rows.js'
import { outputDistance } from '../../src/binding/output-distance.js'
import { seeded } from '../onnx/fixtures.js'
import { ranksInMemory } from './ranks-in-memory.js'

const pool = new WorkerPool(2)
after(() => pool.close())

function uniform(dims: readonly number[], seed: number): Tensor<'float32'> {
  const random = seeded(seed)
  const count = dims.reduce((product, dim) => product * dim, 1)
  return float32(
    dims,
    Float32Array.from({ length: count }, () => 2 * random() - 1),
  )
}

// Samples of these dimensions for the input x.
function splitOf(dims: readonly number[], size: number): Split {
  return {
    size,
    batch: (indices) => {
      const parts = Array.from(indices, (index) => uniform(dims, index + 1).data)
      const data = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
      parts.forEach((part, i) => {
        data.set(part, i * part.length)
      })
      return { inputs: { x: float32([parts.length, ...dims], data) }, labels: {} }
    },
  }
}

const model = (b: GraphBuilder): Model => ({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('layers') })
const allOf = (graph: Model['graph']): LayerChoice[] => chooseLayers(graph, { keep: [], ternary: ['*'] })
const first = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

interface Layer {
  op: string
  input: readonly number[]
  weight: readonly number[]
  attributes?: Record<string, number | string | readonly number[]>
}

const LAYERS: Readonly<Record<string, Layer>> = {
  'a convolution': { op: 'Conv', input: [3, 6, 5], weight: [4, 3, 3, 3], attributes: { pads: [1, 0, 0, 2] } },
  'strides and dilations': {
    op: 'Conv',
    input: [2, 9, 11],
    weight: [4, 2, 3, 2],
    attributes: { strides: [2, 3], dilations: [2, 3], pads: [1, 1, 2, 0] },
  },
  groups: { op: 'Conv', input: [6, 5, 5], weight: [4, 3, 3, 3], attributes: { group: 2 } },
  depthwise: { op: 'Conv', input: [8, 5, 5], weight: [8, 1, 3, 3], attributes: { group: 8, pads: [1, 1, 1, 1] } },
  'one dimension': { op: 'Conv', input: [3, 20], weight: [8, 3, 5], attributes: { strides: [2], pads: [2, 2] } },
  'three dimensions': {
    op: 'Conv',
    input: [2, 4, 5, 3],
    weight: [8, 2, 3, 2, 2],
    attributes: { pads: [1, 0, 0, 1, 1, 0] },
  },
  'padding to the same size, the upper half larger': {
    op: 'Conv',
    input: [2, 7, 6],
    weight: [8, 2, 3, 2],
    attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
  },
  'and the lower half': {
    op: 'Conv',
    input: [2, 7, 6],
    weight: [8, 2, 3, 2],
    attributes: { auto_pad: 'SAME_LOWER', strides: [2, 2] },
  },
  'no padding by name': { op: 'Conv', input: [2, 7, 6], weight: [8, 2, 3, 2], attributes: { auto_pad: 'VALID' } },
  'a transposed convolution': {
    op: 'ConvTranspose',
    input: [3, 5, 4],
    weight: [3, 4, 4, 3],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 0], output_padding: [1, 0] },
  },
  'a transposed one in groups': {
    op: 'ConvTranspose',
    input: [6, 4, 4],
    weight: [6, 2, 3, 3],
    attributes: { group: 2, strides: [2, 1], dilations: [1, 2] },
  },
  'a transposed one, depthwise': {
    op: 'ConvTranspose',
    input: [8, 4, 4],
    weight: [8, 1, 4, 4],
    attributes: { group: 8, strides: [2, 2], auto_pad: 'SAME_UPPER' },
  },
  'a transposed one, one dimension, to a shape': {
    op: 'ConvTranspose',
    input: [3, 9],
    weight: [3, 8, 5],
    attributes: { strides: [3], output_shape: [26] },
  },
  'a Gemm': { op: 'Gemm', input: [9], weight: [9, 8] },
  'a Gemm whose weights are turned around': { op: 'Gemm', input: [9], weight: [8, 9], attributes: { transB: 1 } },
  'a MatMul over a sequence': { op: 'MatMul', input: [5, 9], weight: [9, 8] },
}

describe('the moments of a layer', () => {
  for (const [name, { op, input, weight, attributes = {} }] of Object.entries(LAYERS)) {
    // With Y = W X the cross moments are the weights times those of the inputs: whatever place is wrong shows.
    test(name, async () => {
      const b = new GraphBuilder()
      b.emit(op, [b.input('x', 'float32', ['N', ...input]), b.constant(uniform(weight, 77), 'w')], attributes, 'y')
      b.output('y', 'float32', undefined)
      const network = model(b)
      const [choice] = allOf(network.graph) as [LayerChoice]
      const split = splitOf(input, 60)
      const { shapes } = await observe(pool, network, (await split.batch([0])).inputs)
      const dims = { input, output: (shapes.get('y') as readonly number[]).slice(1) }
      const node = producers(network.graph).get('y') as Node
      const rows = layerRows(node, choice, dims, 7, randomSource(1))
      assert.ok(rows !== undefined && rows.perSample <= 7)
      const samples = { split, indices: first(60), fixedBatch: null }
      const networks = await PairedNetworks.open(pool, network, samples, { shapes, batch: 1 })
      const place = { layer: 'y', input: 'x', target: 'y', beside: undefined, rows, type: 'float32' } as const
      const moments = await layerMoments(networks, network, place)
      await networks.close()
      const weights = weightRows(rows.weightPlaces, uniform(weight, 77).data)
      assert.equal(moments.length, rows.groups)
      moments.forEach(({ gram, cross, inputMean, outputMean, outputVariance, count }, group) => {
        assert.equal(count, 60 * rows.perSample)
        for (let c = 0; c < rows.channels; c++) {
          const own = weights.subarray(
            (group * rows.channels + c) * rows.columns,
            (group * rows.channels + c + 1) * rows.columns,
          )
          let [mean, variance] = [0, 0]
          for (let i = 0; i < rows.columns; i++) {
            let expected = 0
            own.forEach((value, j) => (expected += value * (gram[j * rows.columns + i] as number)))
            assert.ok(Math.abs((cross[c * rows.columns + i] as number) - expected) < 1e-4, `${c} ${i}`)
            mean += (own[i] as number) * (inputMean[i] as number)
            variance += (own[i] as number) * expected
          }
          assert.ok(Math.abs((outputMean[c] as number) - mean) < 1e-4)
          assert.ok(Math.abs((outputVariance[c] as number) - variance) < 1e-3)
        }
      })
    })
  }
})

describe('two networks side by side', () => {
  test('what chunks give is taken in the order of the samples, whichever thread is done first', async () => {
    const b = new GraphBuilder()
    b.emit('Identity', [b.input('x', 'float32', ['N', 2])], {}, 'y')
    b.output('y', 'float32', undefined)
    const network = model(b)
    const own = splitOf([2], 200)
    // Every other chunk is late.
    const split: Split = {
      ...own,
      batch: async (indices) => {
        if (indices.length === 32 && ((indices[0] as number) / 32) % 2 === 0) await delay(20)
        return own.batch(indices)
      },
    }
    const samples = { split, indices: first(200), fixedBatch: null }
    const networks = await PairedNetworks.open(pool, network, samples, { shapes: new Map(), batch: 1 })
    const taken: number[] = []
    await networks.run(
      network,
      ['y'],
      () => undefined,
      ({ samples: count, results }) => {
        const { data, dims } = results['y'] as Tensor<'float32'>
        assert.equal(dims[0], count)
        taken.push(...data)
      },
    )
    await networks.close()
    const { inputs } = await own.batch(Array.from(first(200)))
    assert.deepEqual(taken, Array.from((inputs['x'] as Tensor<'float32'>).data))
  })
})

const options = (): ReconstructOptions => ({
  seed: 1,
  sizeWeight: 0,
  behind: () => 'factors',
  method: 'ttq',
  threshold: undefined,
  sparsity: undefined,
  fits: new FittedLayers(),
  onProgress: () => undefined,
})

describe('layer by layer', () => {
  const split = splitOf([24], 300)
  const samples = { split, indices: first(240), fixedBatch: null }
  const heldOut = { split, indices: first(300).slice(240), fixedBatch: null }
  const product = (b: GraphBuilder, x: ValueName, name: string, seed: number, output?: string): ValueName =>
    b.emit('MatMul', [x, b.constant(uniform([24, 24], seed), name)], {}, output)

  function chain(): Model {
    const b = new GraphBuilder()
    let x = b.input('x', 'float32', ['N', 24])
    for (const i of [1, 2, 3]) x = b.emit('Relu', [product(b, x, `w${i}`, i)])
    product(b, x, 'w4', 4, 'y')
    b.output('y', 'float32', ['N', 24])
    return model(b)
  }

  test('a network whose weights are ternary comes back as it is', async () => {
    const network = chain()
    for (const name of ['w2', 'w3']) {
      const { dims, data } = network.graph.initializers.get(name) as Tensor<'float32'>
      network.graph.initializers.set(
        name,
        float32(
          dims,
          data.map((value) => (value > 0.3 ? 0.25 : value < -0.3 ? -0.5 : 0)),
        ),
      )
    }
    const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
    const { network: done } = await reconstruct(pool, network, choices, samples, options())
    for (const name of ['w2', 'w3']) {
      assert.deepEqual(done.model.graph.initializers.get(name), network.graph.initializers.get(name))
      assert.deepEqual([done.layers.get(name)?.wp, done.layers.get(name)?.wn], [0.25, 0.5])
    }
  })

  test('is better than each layer by itself, and says how far off each is', async () => {
    const network = chain()
    const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
    const { network: done, errors } = await reconstruct(pool, network, choices, samples, options())
    const alone = fitWithoutData(network, choices, { method: 'ttq', renormalize: 'auto' } as never)
    const [found, before] = await Promise.all(
      [done.model, alone.model].map((each) => outputDistance(pool, network, each, heldOut)),
    )
    assert.ok((found as number) < 0.75 * (before as number), `${found} of ${before}`)
    assert.deepEqual([...errors.keys()], ['w2', 'w3'])
    for (const error of errors.values()) assert.ok(error > 0.01 && error < 0.5, String(error))
  })

  test('where bits count there are more zeros, in every layer, for some of what is lost', async () => {
    const network = chain()
    const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
    const [plain, sparse] = await Promise.all(
      [0, 1].map((sizeWeight) => reconstruct(pool, network, choices, samples, { ...options(), sizeWeight })),
    )
    const zeros = (done: typeof plain, name: ValueName): number =>
      done?.network.layers.get(name)?.codes.filter((code) => code === 0).length ?? NaN
    for (const name of ['w2', 'w3']) {
      assert.ok(zeros(sparse, name) > 1.1 * zeros(plain, name), `${zeros(sparse, name)}, without ${zeros(plain, name)}`)
      const error = sparse?.errors.get(name) ?? NaN
      assert.ok(error > (plain?.errors.get(name) ?? NaN) && error < 0.6, String(error))
    }
  })

  for (const norm of [false, true])
    test(
      'so are transposed convolutions in groups, ' + `${norm ? 'whose batch norm takes factors up' : 'with a bias'}`,
      async () => {
        const b = new GraphBuilder()
        const up = (x: ValueName, name: string, seed: number, dims: number[], groups: number): ValueName => {
          const attributes = { group: groups, strides: [2, 1], pads: [1, 1, 1, 1] }
          const vector = (kind: string): ValueName => {
            const { data } = uniform([8], seed + kind.length)
            return b.constant(
              float32(
                [8],
                data.map((value) => (kind === 'variance' ? 1 + value / 2 : value)),
              ),
              `${name}.${kind}`,
            )
          }
          const w = b.constant(uniform(dims, seed), name)
          if (!norm) return b.emit('Relu', [b.emit('ConvTranspose', [x, w, vector('bias')], attributes)])
          const parts = ['scale', 'shift', 'mean', 'variance'].map(vector)
          return b.emit('Relu', [b.emit('BatchNormalization', [b.emit('ConvTranspose', [x, w], attributes), ...parts])])
        }
        let x = b.emit('Relu', [
          b.emit('Conv', [b.input('x', 'float32', ['N', 3, 6, 6]), b.constant(uniform([8, 3, 2, 2], 1), 'w1')]),
        ])
        x = up(up(x, 'w2', 2, [8, 2, 4, 3], 4), 'w3', 3, [8, 4, 3, 3], 2)
        b.emit('Conv', [x, b.constant(uniform([4, 8, 3, 3], 4), 'w4')], {}, 'y')
        b.output('y', 'float32', undefined)
        const network = model(b)
        const images = splitOf([3, 6, 6], 300)
        const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
        const seen = { split: images, indices: first(240), fixedBatch: null }
        const { network: done, errors } = await reconstruct(pool, network, choices, seen, options())
        assert.deepEqual([...errors.keys()], ['w2', 'w3'])
        const alone = fitWithoutData(network, choices, { method: 'ttq', renormalize: 'auto' } as never)
        const compared = { split: images, indices: first(300).slice(240), fixedBatch: null }
        const [found, before] = await Promise.all(
          [done.model, alone.model].map((each) => outputDistance(pool, network, each, compared)),
        )
        assert.ok((found as number) < 0.8 * (before as number), `${found} of ${before}`)
        // Nothing is added where a batch norm is there.
        const count = (op: string): number => done.model.graph.nodes.filter(({ opType }) => opType === op).length
        assert.deepEqual([count('Mul'), count('Add')], norm ? [0, 0] : [2, 2])
      },
    )

  test('a share of zeros is that of every layer, and is chosen better than by the weights alone', async () => {
    const network = chain()
    const samples = { split: splitOf([24], 300), indices: first(250), fixedBatch: null }
    const compared = { ...samples, indices: first(300).slice(250) }
    for (const sparsity of [0, 0.2, 0.6, 0.9]) {
      const choices = allOf(network.graph)
      const found = await reconstruct(pool, network, choices, samples, { ...options(), sparsity })
      for (const { codes } of found.network.layers.values())
        assert.equal(codes.filter((code) => code === 0).length, Math.round(sparsity * codes.length), String(sparsity))
      const alone = fitWithoutData(network, choices, { method: 'ttq', renormalize: 'auto', sparsity })
      const [own, other] = await Promise.all(
        [found.network.model, alone.model].map(
          async (each) => (await outputDistance(pool, network, each, compared)) ?? NaN,
        ),
      )
      assert.ok((own as number) < 0.8 * (other as number), `${sparsity}: ${own} %, by the weights alone ${other} %`)
    }
  })

  test('a share of zeros holds for weights that are ternary as they are', async () => {
    const network = chain()
    const { dims, data } = network.graph.initializers.get('w2') as Tensor<'float32'>
    network.graph.initializers.set(
      'w2',
      float32(
        dims,
        data.map((value) => (value > 0.3 ? 0.21 : value < -0.3 ? -0.13 : 0)),
      ),
    )
    const samples = { split: splitOf([24], 300), indices: first(250), fixedBatch: null }
    const choices = allOf(network.graph)
    const found = await reconstruct(pool, network, choices, samples, { ...options(), sparsity: 0.9 })
    const codes = found.network.layers.get('w2')?.codes
    assert.equal(codes?.filter((code) => code === 0).length, Math.round(0.9 * 576))
  })

  test('channels that are left without weights have factors that take no more room', async () => {
    const network = chain()
    const samples = { split: splitOf([24], 300), indices: first(250), fixedBatch: null }
    const sparse = { ...options(), sparsity: 0.95 }
    const { model: found, layers } = (await reconstruct(pool, network, allOf(network.graph), samples, sparse)).network
    let empty = 0
    for (const [name, { codes }] of layers) {
      const factors = [...found.graph.initializers].find(
        ([each]) => each.startsWith(`${name}.`) && /scale|factor/.test(each),
      )?.[1]
      const sizes = Array.from((factors as Tensor<'float32'>).data, Math.abs)
      assert.ok(Math.min(...sizes) > 2 ** -14, `${name}: ${sizes.join()}`)
      for (let c = 0; c < 24; c++) if (codes.every((code, i) => i % 24 !== c || code === 0)) empty++
    }
    assert.ok(empty > 0)
  })

  test('weights in float16 stay float16, and so do their factors', async () => {
    const network = chain()
    const { initializers } = network.graph
    for (const [name, tensor] of initializers)
      initializers.set(name, floatTensor('float16', tensor.dims, tensor.data as Float32Array))
    network.graph.inputs = [{ name: 'x', type: { elementType: 'float16', dims: ['N', 24] } }]
    network.graph.outputs = [{ name: 'y', type: { elementType: 'float16', dims: ['N', 24] } }]
    const halves: Split = {
      size: split.size,
      batch: async (indices) => {
        const { inputs, labels } = await split.batch(indices)
        const { dims, data } = inputs['x'] as Tensor<'float32'>
        return { inputs: { x: floatTensor('float16', dims, data) }, labels }
      },
    }
    const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
    const half = { ...samples, split: halves }
    const { network: done, errors } = await reconstruct(pool, network, choices, half, options())
    assert.deepEqual([...errors.keys()], ['w2', 'w3'])
    assert.ok([...done.model.graph.initializers.values()].every(({ type }) => type === 'float16'))
    const single = chain()
    const { errors: expected } = await reconstruct(
      pool,
      single,
      choices.map((choice) => ({ ...choice, elementType: 'float32' as const })),
      samples,
      options(),
    )
    for (const [name, error] of errors) assert.ok(Math.abs(error - (expected.get(name) as number)) < 0.02)
    assert.ok(((await outputDistance(pool, network, done.model, { ...heldOut, split: halves })) as number) < 60)
  })

  test('what the other branch of a sum has lost is made up for', async () => {
    const build = (isSum: boolean): Model => {
      const b = new GraphBuilder()
      const x = b.emit('Relu', [product(b, b.input('x', 'float32', ['N', 24]), 'w1', 1)])
      const lossy = product(b, x, 'w2', 2, 'lossy')
      const own = product(b, x, 'w3', 3, 'own')
      const sum = isSum ? b.emit('Add', [own, lossy]) : b.emit('Mul', [own, lossy])
      product(b, b.emit('Relu', [sum]), 'w4', 4, 'y')
      b.output('y', 'float32', ['N', 24])
      return model(b)
    }
    const layers = async (network: Model): Promise<Int8Array | undefined> => {
      const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
      return (await reconstruct(pool, network, choices, samples, options())).network.layers.get('w3')?.codes
    }
    // The same layer on the same inputs: only what stands beside it differs.
    assert.notDeepEqual(await layers(build(true)), await layers(build(false)))
    const network = build(true)
    const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
    const { network: done } = await reconstruct(pool, network, choices, samples, options())
    const distanceAt = async (value: ValueName): Promise<number> => {
      const at = (of: Model): Model => ({
        ...of,
        graph: { ...of.graph, outputs: [{ name: value, type: { elementType: 'float32', dims: ['N', 24] } }] },
      })
      return (await outputDistance(pool, at(network), at(done.model), heldOut)) as number
    }
    const sum = network.graph.nodes.find(({ opType }) => opType === 'Add')?.outputs[0] as ValueName
    // Two independent errors of these sizes would add up to more.
    assert.ok((await distanceAt(sum)) < 0.95 * (await distanceAt('lossy')))
  })

  for (const op of ['MatMul', 'Conv', 'ConvTranspose'] as const) {
    test(`in blocks of columns, a ${op} is nearly as good as at once, and better than alone`, async () => {
      const b = new GraphBuilder()
      const weights = { MatMul: [48, 12], Conv: [12, 6, 3, 3], ConvTranspose: [12, 6, 2, 6] }[op]
      const dims = { MatMul: [48], Conv: [6, 7, 7], ConvTranspose: [12, 5, 9] }[op]
      // Two groups, of six channels each.
      const attributes = op === 'ConvTranspose' ? { group: 2, strides: [2, 1] } : {}
      const w = b.constant(uniform(weights, 5), 'w')
      const bias = b.constant(uniform([12], 8), 'bias')
      b.emit(op, [b.input('x', 'float32', ['N', ...dims]), w, ...(op === 'MatMul' ? [] : [bias])], attributes, 'y')
      b.output('y', 'float32', undefined)
      const network = model(b)
      const [choice] = allOf(network.graph) as [LayerChoice]
      // Inputs that have much to do with one another, as those of layers do.
      const smooth: Split = {
        size: 300,
        batch: async (indices) => {
          const { inputs, labels } = await splitOf(dims, 300).batch(indices)
          const { dims: all, data } = inputs['x'] as Tensor<'float32'>
          let last = 0
          return {
            inputs: {
              x: float32(
                all,
                data.map((value) => (last = 0.8 * last + value)),
              ),
            },
            labels,
          }
        },
      }
      const samples = { split: smooth, indices: first(300), fixedBatch: null }
      const { shapes } = await observe(pool, network, (await smooth.batch([0])).inputs)
      const networks = await PairedNetworks.open(pool, network, samples, { shapes, batch: 1 })
      const place = placeOf(network, network, choice, { shapes, batch: 1, samples: 300, seed: 1 }) as Place
      const atOnce = await solve(pool, place, await layerMoments(networks, network, place), { bitCost: 0 })
      const wide = async (zeros: ZerosRule): Promise<Solved | undefined> =>
        await solveWide(pool, networks, network, place, choice, zeros, 17)
      const inBlocks = await wide({ bitCost: 0 })
      const priced = await wide({ bitCost: 2 / place.weights.length })
      const sparse = await wide({ bitCost: 0, sparsity: 0.75 })
      await networks.close()
      const settled = settle(network, choice, place, inBlocks as Solved, 'factors').model
      const alone = fitWithoutData(network, [choice], { method: 'ttq', renormalize: 'auto' } as never).model
      const compared = { split: smooth, indices: first(50), fixedBatch: null }
      const [found, before] = await Promise.all(
        [settled, alone].map(async (each) => (await outputDistance(pool, network, each, compared)) as number),
      )
      assert.ok((inBlocks?.error as number) < 1.5 * atOnce.error, `${inBlocks?.error}, at once ${atOnce.error}`)
      assert.ok((found as number) < 0.9 * (before as number), `${found}, alone ${before}`)
      const zerosOf = (solved: Solved | undefined): number =>
        solved?.layer.codes.filter((code) => code === 0).length ?? NaN
      assert.ok(zerosOf(priced) > 1.1 * zerosOf(inBlocks), `${zerosOf(priced)}, without ${zerosOf(inBlocks)}`)
      assert.equal(zerosOf(sparse), Math.round(0.75 * place.weights.length))
    })
  }

  test('the number of threads does not matter', async () => {
    const network = chain()
    const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
    const one = new WorkerPool(1)
    const [a, b] = await Promise.all([pool, one].map((each) => reconstruct(each, network, choices, samples, options())))
    await one.close()
    assert.deepEqual(a?.network.model.graph.initializers, b?.network.model.graph.initializers)
  })

  test('nor does the number of ranks, of which each reads its own samples', async () => {
    const network = chain()
    const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
    const of = async (each: WorkerPool, split: Split): Promise<unknown> => {
      const found = await reconstruct(each, network, choices, { ...samples, split }, options())
      return found.network.model.graph.initializers
    }
    const expected = await of(pool, samples.split)
    const pools = ranksInMemory(2).map((ranks) => new WorkerPool(1, { ranks }))
    const read = [new Set<number>(), new Set<number>()]
    const found = await Promise.all(
      pools.map(async (each, rank) =>
        of(each, {
          ...samples.split,
          batch: (indices) => {
            for (const index of Array.from(indices)) read[rank]?.add(index)
            return samples.split.batch(indices)
          },
        }),
      ),
    )
    await Promise.all(pools.map((each) => each.close()))
    assert.deepEqual(found, [expected, expected])
    const count = samples.indices.length
    assert.ok(
      read.every(({ size }) => size < 0.75 * count),
      `${read.map(({ size }) => size).join()} of ${count}`,
    )
  })
})

describe('a layer that stays in full precision behind ternary ones', () => {
  const wide = (b: GraphBuilder, x: ValueName, dims: number[], seed: number): ValueName =>
    b.emit('Conv', [x, b.constant(uniform(dims, seed), `w${seed}`)], { pads: [1, 1, 1, 1] })
  const vector = (
    b: GraphBuilder,
    seed: number,
    change: (value: number, c: number) => number = (value) => value,
  ): ValueName => b.constant(float32([8], uniform([8], seed).data.map(change)))

  // By what it is: the end of the network behind x, [N, 8, 4, 4] or [N, 128].
  const ENDS: Readonly<Record<string, { flat: boolean; end: (b: GraphBuilder, x: ValueName) => void }>> = {
    'a convolution': { flat: false, end: (b, x) => b.emit('Conv', [x, b.constant(uniform([8, 8, 1, 1], 3))], {}, 'y') },
    'one with a bias': {
      flat: false,
      end: (b, x) => b.emit('Conv', [x, b.constant(uniform([8, 8, 1, 1], 3)), vector(b, 4)], {}, 'y'),
    },
    'one with a batch norm, a channel of which is constant': {
      flat: false,
      end: (b, x) => {
        const layer = b.emit('Conv', [x, b.constant(uniform([8, 8, 1, 1], 3)), vector(b, 4)])
        const scale = vector(b, 5, (value, c) => (c === 0 ? 0 : 1 + value / 2))
        const variance = vector(b, 8, (value) => 1 + value / 2)
        b.emit('BatchNormalization', [layer, scale, vector(b, 6), vector(b, 7), variance], {}, 'y')
      },
    },
    'a Gemm': {
      flat: true,
      end: (b, x) => b.emit('Gemm', [x, b.constant(uniform([128, 8], 3))], { alpha: { float: 2 } }, 'y'),
    },
    'one with half a bias': {
      flat: true,
      end: (b, x) => b.emit('Gemm', [x, b.constant(uniform([128, 8], 3)), vector(b, 4)], { beta: { float: 0.5 } }, 'y'),
    },
    'a MatMul': { flat: true, end: (b, x) => b.emit('MatMul', [x, b.constant(uniform([128, 8], 3))], {}, 'y') },
  }

  for (const [name, { flat, end }] of Object.entries(ENDS))
    test(name, async () => {
      const b = new GraphBuilder()
      const start = wide(b, b.input('x', 'float32', ['N', 3, 4, 4]), [8, 3, 3, 3], 1)
      const x = b.emit('Relu', [wide(b, b.emit('Relu', [start]), [8, 8, 3, 3], 2)])
      end(b, flat ? b.emit('Flatten', [x]) : x)
      b.output('y', 'float32', undefined)
      const network = model(b)
      const split = splitOf([3, 4, 4], 600)
      const samples = { split, indices: first(500), fixedBatch: null }
      const heldOut = { split, indices: first(600).slice(500), fixedBatch: null }
      const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
      assert.deepEqual(
        choices.map(({ ternary }) => ternary),
        [false, true, false],
      )
      const [fitted, plain] = await Promise.all(
        // Without a word of the last layer it is left alone.
        [choices, choices.slice(0, -1)].map(
          async (each) => (await reconstruct(pool, network, each, samples, options())).network.model,
        ),
      )
      const [found, before] = await Promise.all(
        [fitted, plain].map((each) => outputDistance(pool, network, each as Model, heldOut)),
      )
      assert.ok((found as number) < 0.98 * (before as number), `${found} of ${before}`)
      const { inputs } = await split.batch(samples.indices)
      const [means, expected] = await Promise.all(
        [fitted as Model, network].map(async (each) => {
          const graph = await pool.load(writeModel(each), { threads: 1 })
          const { y } = await graph.run(inputs, ['y'])
          await graph.release()
          const { data, dims } = y as Tensor<'float32'>
          const inner = data.length / 500 / 8
          const sums = new Float64Array(dims[1] as number)
          data.forEach((value, i) => {
            const c = Math.floor(i / inner) % 8
            sums[c] = (sums[c] as number) + value / (500 * inner)
          })
          return sums
        }),
      )
      expected?.forEach((mean, c) => {
        assert.ok(Math.abs(mean - (means?.[c] as number)) < 1e-4, `channel ${c}: ${means?.[c]} of ${mean}`)
      })
    })

  test('stays as it is where most of its weights are zeros', async () => {
    for (const share of [0.4, 0.6]) {
      const b = new GraphBuilder()
      const start = wide(b, b.input('x', 'float32', ['N', 3, 4, 4]), [8, 3, 3, 3], 1)
      const x = b.emit('Flatten', [b.emit('Relu', [wide(b, b.emit('Relu', [start]), [8, 8, 3, 3], 2)])])
      const { data, ...bank } = uniform([128, 8], 3)
      b.emit(
        'MatMul',
        [x, b.constant({ ...bank, data: data.map((value, i) => (i < share * 1024 ? 0 : value)) }, 'w3')],
        {},
        'y',
      )
      b.output('y', 'float32', undefined)
      const network = model(b)
      const samples = { split: splitOf([3, 4, 4], 60), indices: first(60), fixedBatch: null }
      const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
      const { graph } = (await reconstruct(pool, network, choices, samples, options())).network.model
      const [before, after] = [network.graph, graph].map(({ initializers }) => initializers.get('w3')?.data.join())
      assert.equal(before === after, share > 0.5, String(share))
    }
  })

  test('does not grow out of proportion where a layer before it has hardly any weights left', async () => {
    const b = new GraphBuilder()
    const start = wide(b, b.input('x', 'float32', ['N', 3, 4, 4]), [8, 3, 3, 3], 1)
    const x = b.emit('Flatten', [b.emit('Relu', [wide(b, b.emit('Relu', [start]), [8, 8, 3, 3], 21)])])
    b.emit('MatMul', [x, b.constant(uniform([128, 8], 3), 'w3')], {}, 'y')
    b.output('y', 'float32', undefined)
    const network = model(b)
    const samples = { split: splitOf([3, 4, 4], 600), indices: first(500), fixedBatch: null }
    const choices = chooseLayers(network.graph, { keep: [], ternary: [] })
    const sparse = { ...options(), sparsity: 0.995 }
    const { graph } = (await reconstruct(pool, network, choices, samples, sparse)).network.model
    const weights = Array.from(graph.initializers.get('w3')?.data as Float32Array, Math.abs)
    // 141,767 without a bound.
    assert.ok(Math.max(...weights) < 64, `${Math.max(...weights)}`)
  })

  test('stays as it is where nothing before it has changed', async () => {
    const b = new GraphBuilder()
    const input = b.input('x', 'float32', ['N', 3, 4, 4])
    const x = b.emit('Relu', [wide(b, input, [8, 3, 3, 3], 1)])
    const changed = b.emit('Relu', [wide(b, x, [8, 8, 3, 3], 2)])
    const beside = wide(b, x, [8, 8, 3, 3], 3)
    b.emit('Add', [wide(b, changed, [8, 8, 3, 3], 4), beside], {}, 'y')
    b.output('y', 'float32', undefined)
    const network = model(b)
    const samples = { split: splitOf([3, 4, 4], 60), indices: first(60), fixedBatch: null }
    const choices = chooseLayers(network.graph, { keep: ['w3'], ternary: [] })
    const { graph } = (await reconstruct(pool, network, choices, samples, options())).network.model
    const isSame = (name: ValueName): boolean =>
      graph.initializers.get(name)?.data.join() === network.graph.initializers.get(name)?.data.join()
    assert.deepEqual(['w1', 'w2', 'w3', 'w4'].map(isSame), [true, false, true, false])
  })
})
