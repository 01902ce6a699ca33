// Re-normalised networks compute what the original did: measured through ONNX Runtime on small networks written out
// here.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type RandomSource, randomSource } from '../../src/data/random.js'
import { checkGraph } from '../../src/onnx/check-graph.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model, ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { elementCount, float32, type Tensor } from '../../src/tensor/tensor.js'
import type { LayerChoice } from '../../src/ternary/layer-choice.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { type ChannelStatistics, ChannelSums } from '../../src/binding/channel-statistics.js'
import { divideIntoNorms } from '../../src/ternary/divide-into-norms.js'
import { foldInsertedNorms, insertBatchNorm, needsNormalization } from '../../src/ternary/insert-batch-norm.js'
import { insertChannelScales } from '../../src/ternary/insert-channel-scales.js'

const SEED = 11

interface Case {
  input: number[]
  layer: (b: GraphBuilder, weight: (name: string, dims: number[]) => ValueName) => ValueName
  /** How many layers are given a batch norm. Default 1. */
  norms?: number
  /** Default 18. */
  opset?: number
}

// Weights differ by a factor of up to 64 from channel to channel, as folded batch norms leave them.
function uneven(dims: readonly number[], axis: number, random: RandomSource): Float32Array {
  const inner = elementCount(dims.slice(axis + 1))
  return Float32Array.from(
    { length: elementCount(dims) },
    (_, i) => (random.float() - 0.5) * 2 ** (((Math.floor(i / inner) % (dims[axis] as number)) % 7) - 3),
  )
}

const CASES: Record<string, Case> = {
  'convolution with bias': {
    input: [5, 4, 6, 6],
    layer: (b, weight) => b.emit('Conv', ['x', weight('w', [8, 4, 3, 3]), weight('bias', [8])], { pads: [1, 1, 1, 1] }),
  },
  'convolution without bias': {
    input: [5, 4, 6, 6],
    layer: (b, weight) => b.emit('Conv', ['x', weight('w', [8, 4, 3, 3])]),
  },
  'grouped convolution': {
    input: [5, 4, 6, 6],
    layer: (b, weight) => b.emit('Conv', ['x', weight('w', [8, 2, 3, 3]), weight('bias', [8])], { group: 2 }),
  },
  'one-dimensional convolution': {
    input: [5, 4, 9],
    layer: (b, weight) => b.emit('Conv', ['x', weight('w', [8, 4, 3]), weight('bias', [8])]),
  },
  'transposed convolution with bias': {
    input: [5, 4, 6, 6],
    layer: (b, weight) =>
      b.emit('ConvTranspose', ['x', weight('w', [4, 8, 3, 3]), weight('bias', [8])], { strides: [2, 2] }),
  },
  'transposed convolution in groups': {
    input: [5, 4, 6, 6],
    layer: (b, weight) => b.emit('ConvTranspose', ['x', weight('w', [4, 4, 3, 3]), weight('bias', [8])], { group: 2 }),
  },
  'three-dimensional transposed convolution, depthwise': {
    input: [5, 8, 3, 3, 3],
    layer: (b, weight) => b.emit('ConvTranspose', ['x', weight('w', [8, 1, 2, 2, 2])], { group: 8 }),
  },
  Gemm: { input: [9, 12], layer: (b, weight) => b.emit('Gemm', ['x', weight('w', [12, 8]), weight('bias', [8])]) },
  'Gemm of an opset where the bias must be there': {
    input: [9, 12],
    layer: (b, weight) => b.emit('Gemm', ['x', weight('w', [12, 8]), weight('bias', [8])]),
    opset: 7,
  },
  'Gemm with transB, alpha and beta': {
    input: [9, 12],
    layer: (b, weight) =>
      b.emit('Gemm', ['x', weight('w', [8, 12]), weight('bias', [1, 8])], {
        transB: 1,
        alpha: { float: 0.5 },
        beta: { float: 3 },
      }),
  },
  MatMul: { input: [9, 12], layer: (b, weight) => b.emit('MatMul', ['x', weight('w', [12, 8])]) },
  'MatMul and bias': {
    input: [9, 12],
    layer: (b, weight) => b.emit('Add', [b.emit('MatMul', ['x', weight('w', [12, 8])]), weight('bias', [8])]),
  },
  'two layers': {
    input: [9, 12],
    layer: (b, weight) =>
      b.emit('Gemm', [
        b.emit('Relu', [b.emit('Gemm', ['x', weight('w', [12, 10]), weight('bias', [10])])]),
        weight('w2', [10, 8]),
        weight('bias2', [8]),
      ]),
    norms: 2,
  },
}

interface Setup {
  model: Model
  x: Tensor<'float32'>
  choices: LayerChoice[]
}

function setUp({ input, layer, opset = 18 }: Case): Setup {
  const random = randomSource(SEED, 'renormalize')
  const b = new GraphBuilder()
  b.input('x', 'float32', ['N', ...input.slice(1)])
  const weight = (name: string, dims: number[]): ValueName => {
    b.initializers.set(name, float32(dims, uneven(dims, dims.length > 2 ? 0 : dims.length - 1, random)))
    return name
  }
  b.output(b.emit('Relu', [layer(b, weight)], {}, 'y'))
  const model: Model = { irVersion: 8, opsets: new Map([['', opset]]), graph: b.build('net') }
  const x = float32(
    input,
    Float32Array.from({ length: elementCount(input) }, () => random.float() - 0.3),
  )
  return { model, x, choices: chooseLayers(model.graph, { keep: [], ternary: ['*'] }) }
}

async function run(
  model: Model,
  x: Tensor,
  also: readonly ValueName[] = [],
): Promise<Record<string, Tensor<'float32'>>> {
  checkGraph(model.graph)
  const outputs = [
    ...model.graph.outputs,
    ...also.map((name) => ({ name, type: { elementType: 'float32' as const, dims: undefined } })),
  ]
  const session = await Session.create(writeModel({ ...model, graph: { ...model.graph, outputs } }), { threads: 1 })
  const results = await session.run({ x })
  await session.release()
  return results as Record<string, Tensor<'float32'>>
}

function statisticsOf(output: Tensor<'float32'>, axis: number): ChannelStatistics {
  const sums = new ChannelSums(axis)
  sums.add(output)
  return sums.statistics()
}

async function measure({ model, x, choices }: Setup): Promise<Map<ValueName, ChannelStatistics>> {
  const outputs = choices.map((choice) => choice.outputs[0] as ValueName)
  const values = await run(model, x, outputs)
  return new Map(
    choices.map(({ weight, outputAxis }, i) => [
      weight,
      statisticsOf(values[outputs[i] as ValueName] as Tensor<'float32'>, outputAxis),
    ]),
  )
}

function assertSame(found: Tensor | undefined, expected: Tensor | undefined, tolerance: number): void {
  assert.deepEqual(found?.dims, expected?.dims)
  const [a, b] = [found?.data as Float32Array, expected?.data as Float32Array]
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  a.forEach((value, i) => {
    assert.ok(
      Math.abs(value - (b[i] as number)) <= tolerance * scale,
      `element ${i}: ${value}, expected ${b[i]} (seed ${SEED})`,
    )
  })
}

describe('batch norm behind layers that lost theirs', () => {
  for (const [name, kind] of Object.entries(CASES)) {
    test(`${name}: the same outputs, before and after folding`, async () => {
      const setup = setUp(kind)
      const before = JSON.stringify([...setup.model.graph.initializers.keys(), setup.model.graph.nodes])
      const { model, inserted } = insertBatchNorm(setup.model, setup.choices, await measure(setup))
      assert.equal(inserted.length, kind.norms ?? 1)
      const original = await run(setup.model, setup.x)
      assertSame((await run(model, setup.x))['y'], original['y'], 1e-5)
      const folded = foldInsertedNorms(model, inserted)
      assert.equal(
        folded.graph.nodes.some(({ opType }) => opType === 'BatchNormalization'),
        false,
      )
      assert.equal(folded.graph.initializers.has(inserted[0]?.mean as string), false)
      assertSame((await run(folded, setup.x))['y'], original['y'], 1e-5)
      assert.equal(
        JSON.stringify([...setup.model.graph.initializers.keys(), setup.model.graph.nodes]),
        before,
        'the original model was changed',
      )
    })

    test(`${name}: channel scales give the same outputs`, async () => {
      const setup = setUp(kind)
      const scaled = insertChannelScales(setup.model, setup.choices)
      assert.notDeepEqual(scaled.graph.initializers.get('w')?.data, setup.model.graph.initializers.get('w')?.data)
      assertSame((await run(scaled, setup.x))['y'], (await run(setup.model, setup.x))['y'], 1e-5)
    })
  }

  test('every output channel of the divided weights has root mean square 1', async () => {
    const setup = setUp(CASES['grouped convolution'] as Case)
    const weights = insertBatchNorm(setup.model, setup.choices, await measure(setup)).model.graph.initializers.get('w')
      ?.data as Float32Array
    for (let channel = 0; channel < 8; channel++) {
      const squares = weights
        .subarray(channel * 18, channel * 18 + 18)
        .reduce((sum, weight) => sum + weight * weight, 0)
      assert.ok(Math.abs(squares / 18 - 1) < 1e-5)
    }
  })

  test('also those of a transposed convolution, group by group', async () => {
    const setup = setUp(CASES['transposed convolution in groups'] as Case)
    const weights = insertBatchNorm(setup.model, setup.choices, await measure(setup)).model.graph.initializers.get('w')
      ?.data as Float32Array
    // [groups, 2 inputs, 4 outputs, 9]
    for (let channel = 0; channel < 8; channel++) {
      let squares = 0
      weights.forEach((weight, i) => {
        const own = 4 * Math.floor(i / 72) + (Math.floor(i / 9) % 4)
        if (own === channel) squares += weight * weight
      })
      assert.ok(Math.abs(squares / 18 - 1) < 1e-5)
    }
  })

  test('running statistics are those of the divided layer, scale and shift give back those measured', async () => {
    const setup = setUp(CASES['convolution with bias'] as Case)
    const statistics = await measure(setup)
    const {
      model,
      inserted: [norm],
    } = insertBatchNorm(setup.model, setup.choices, statistics)
    const raw = model.graph.nodes.find(({ opType }) => opType === 'Conv')?.outputs[0] as ValueName
    const divided = statisticsOf((await run(model, setup.x, [raw]))[raw] as Tensor<'float32'>, 1)
    const data = (name: ValueName | undefined): Tensor => model.graph.initializers.get(name ?? '') as Tensor
    assertSame(data(norm?.mean), float32([8], Float32Array.from(divided.mean)), 1e-4)
    assertSame(data(norm?.variance), float32([8], Float32Array.from(divided.variance)), 1e-4)
    assertSame(data(norm?.shift), float32([8], Float32Array.from(statistics.get('w')?.mean ?? [])), 1e-6)
    assertSame(data(norm?.scale), float32([8], Float32Array.from(statistics.get('w')?.variance ?? [], Math.sqrt)), 1e-2)
  })

  test('a channel of zeros and a channel that never varies stay as they are', async () => {
    const setup = setUp(CASES['convolution with bias'] as Case)
    const weights = setup.model.graph.initializers.get('w')?.data as Float32Array
    weights.fill(0, 36, 72)
    const { model } = insertBatchNorm(setup.model, setup.choices, await measure(setup))
    assertSame((await run(model, setup.x))['y'], (await run(setup.model, setup.x))['y'], 1e-5)
  })

  // Weight decay leaves such channels in networks as published: every weight near the least float32 can hold.
  for (const [name, edit] of Object.entries({
    'inserted batch norm': async (setup: Setup) =>
      insertBatchNorm(setup.model, setup.choices, await measure(setup)).model,
    'inserted scales': (setup: Setup) => Promise.resolve(insertChannelScales(setup.model, setup.choices)),
  })) {
    test(`${name}: a channel that has died beside healthy ones is not divided`, async () => {
      const setup = setUp(CASES['convolution with bias'] as Case)
      const weights = setup.model.graph.initializers.get('w')?.data as Float32Array
      weights.forEach((_, i) => {
        if (i >= 36 && i < 72) weights[i] = i % 2 === 0 ? 1e-42 : -1e-42
      })
      const model = await edit(setup)
      for (const [initializer, { data }] of model.graph.initializers) {
        assert.ok(
          [...(data as Float32Array)].every((value) => Math.abs(value) < 1e6),
          initializer,
        )
      }
      assertSame((await run(model, setup.x))['y'], (await run(setup.model, setup.x))['y'], 1e-5)
    })
  }
})

describe('batch norm that is there already', () => {
  const normed: Record<string, Case['layer']> = {
    convolution: (b, weight) => b.emit('Conv', ['x', weight('w', [8, 4, 3, 3])]),
    'convolution with bias': (b, weight) => b.emit('Conv', ['x', weight('w', [8, 4, 3, 3]), weight('bias', [8])]),
    'transposed convolution in groups, with bias': (b, weight) =>
      b.emit('ConvTranspose', ['x', weight('w', [4, 4, 3, 3]), weight('bias', [8])], { group: 2 }),
    'Gemm with bias and beta': (b, weight) =>
      b.emit('Gemm', [b.emit('Flatten', ['x']), weight('w', [144, 8]), weight('bias', [8])], { beta: { float: 2 } }),
  }
  // Variances from 0.001 to 1000, so that epsilon counts.
  const withNorm = (layer: Case['layer'], epsilon = 1e-3): Case => ({
    input: [5, 4, 6, 6],
    layer: (b, weight) => {
      const x = layer(b, weight)
      b.initializers.set(
        'v',
        float32(
          [8],
          Float32Array.from({ length: 8 }, (_, i) => 10 ** (i - 3)),
        ),
      )
      return b.emit('BatchNormalization', [x, weight('s', [8]), weight('t', [8]), weight('m', [8]), 'v'], {
        epsilon: { float: epsilon },
      })
    },
  })

  for (const [name, layer] of Object.entries(normed)) {
    test(`${name}: takes the channels' factors up`, async () => {
      const setup = setUp(withNorm(layer))
      const divided = divideIntoNorms(setup.model, setup.choices)
      assert.notDeepEqual(divided.graph.initializers.get('w')?.data, setup.model.graph.initializers.get('w')?.data)
      assert.equal(divided.graph.nodes.length, setup.model.graph.nodes.length)
      assertSame((await run(divided, setup.x))['y'], (await run(setup.model, setup.x))['y'], 1e-5)
    })
  }

  test('no batch norm, or one that is not alone: nothing changes', () => {
    const alone = setUp(CASES['Gemm'] as Case)
    const shared = setUp({
      input: [5, 4, 6, 6],
      layer: (b, weight) => {
        const x = b.emit('Conv', ['x', weight('w', [8, 4, 3, 3])])
        return b.emit('Add', [
          x,
          b.emit('BatchNormalization', [x, weight('s', [8]), weight('t', [8]), weight('m', [8]), weight('v', [8])]),
        ])
      },
    })
    for (const { model, choices } of [alone, shared]) {
      assert.deepEqual(divideIntoNorms(model, choices).graph.initializers, model.graph.initializers)
    }
  })
})

describe('what is left alone', () => {
  const noChange = async (
    kind: Case,
    edit: (setup: Setup) => LayerChoice[] = ({ choices }) => choices,
  ): Promise<void> => {
    const setup = setUp(kind)
    const choices = edit(setup)
    assert.deepEqual(insertBatchNorm(setup.model, choices, await measure(setup)).inserted, [])
    assert.deepEqual(
      insertChannelScales(setup.model, choices).graph.initializers.get('w'),
      setup.model.graph.initializers.get('w'),
    )
    assert.equal(
      needsNormalization(setup.model.graph, choices[0] as LayerChoice, () => 2),
      false,
    )
  }

  test('layers in full precision', () =>
    noChange(CASES['Gemm'] as Case, ({ choices }) => choices.map((choice) => ({ ...choice, ternary: false }))))

  test('weights that two layers share', () =>
    noChange({
      input: [9, 8],
      layer: (b, weight) => b.emit('Gemm', [b.emit('Gemm', ['x', weight('w', [8, 8])]), 'w']),
    }))

  test('a Gemm whose third input differs from sample to sample', () =>
    noChange({
      input: [9, 12],
      layer: (b, weight) => b.emit('Gemm', ['x', weight('w', [12, 8]), weight('bias', [9, 8])]),
    }))

  test('weights on the left side of a MatMul', () =>
    noChange({
      input: [12, 5],
      layer: (b, weight) => b.emit('MatMul', [weight('w', [8, 12]), 'x']),
    }))
})

describe('needsNormalization', () => {
  const norm = (b: GraphBuilder, x: ValueName, weight: (name: string, dims: number[]) => ValueName): ValueName =>
    b.emit('BatchNormalization', [x, ...['s', 'b', 'm', 'v'].map((name) => weight(name, [8]))])
  const answer = (layer: Case['layer'], rank?: number): boolean => {
    const { model, choices } = setUp({ input: [9, 12], layer })
    return needsNormalization(model.graph, choices[0] as LayerChoice, () => rank)
  }

  test('yes where no batch norm follows', () => {
    assert.equal(
      answer((b, weight) => b.emit('Gemm', ['x', weight('w', [12, 8]), weight('bias', [8])])),
      true,
    )
    assert.equal(
      answer((b, weight) => b.emit('MatMul', ['x', weight('w', [12, 8])]), 2),
      true,
    )
  })

  test('no where one follows, also behind a bias', () => {
    assert.equal(
      answer((b, weight) => norm(b, b.emit('Gemm', ['x', weight('w', [12, 8])]), weight)),
      false,
    )
    assert.equal(
      answer(
        (b, weight) =>
          norm(b, b.emit('Add', [b.emit('MatMul', ['x', weight('w', [12, 8])]), weight('bias', [8])]), weight),
        2,
      ),
      false,
    )
  })

  test('yes where a batch norm follows on one of two ways', () => {
    assert.equal(
      answer((b, weight) => {
        const y = b.emit('Gemm', ['x', weight('w', [12, 8])])
        return b.emit('Add', [y, norm(b, y, weight)])
      }),
      true,
    )
  })

  test('no for a MatMul whose output is not known to be of rank 2', () => {
    assert.equal(
      answer((b, weight) => b.emit('MatMul', ['x', weight('w', [12, 8])]), 3),
      false,
    )
    assert.equal(
      answer((b, weight) => b.emit('MatMul', ['x', weight('w', [12, 8])])),
      false,
    )
  })
})
