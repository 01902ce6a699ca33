// Rows of inputs times rows of weights are what ONNX Runtime gives for the layer: over random shapes and attributes, at
// every place of the output.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type RandomSource, randomSource } from '../../src/data/random.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { producers } from '../../src/onnx/graph-queries.js'
import type { Graph, Node } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { elementCount, float32, type Tensor } from '../../src/tensor/tensor.js'
import { channelCount, channelFinder, type LayerChoice } from '../../src/ternary/layer-choice.js'
import { layerRows } from '../../src/ternary/layer-rows.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { fromRows, weightPlaces, weightRows } from '../../src/ternary/weight-rows.js'

const SEED = 5
const BATCH = 2

interface Layer {
  op: 'Conv' | 'ConvTranspose'
  /** Without the batch. */
  input: number[]
  weight: number[]
  attributes: Record<string, number | string | number[]>
}

type Padding = 'none' | 'pads' | 'SAME_UPPER' | 'SAME_LOWER' | 'VALID' | 'output_shape' | 'output_shape, SAME_UPPER'

const PADDINGS = {
  Conv: ['none', 'pads', 'SAME_UPPER', 'SAME_LOWER', 'VALID'],
  ConvTranspose: ['none', 'pads', 'SAME_UPPER', 'SAME_LOWER', 'VALID', 'output_shape', 'output_shape, SAME_UPPER'],
} as const satisfies Record<Layer['op'], Padding[]>

// A layer that ONNX Runtime accepts; attributes that have their default value are left out half of the time.
function randomLayer(op: Layer['op'], rank: number, padding: Padding, random: RandomSource): Layer {
  const between = (least: number, most: number): number => least + random.int(most - least + 1)
  const each = (least: number, most: number): number[] => Array.from({ length: rank }, () => between(least, most))
  const groups = between(1, 3)
  const [inChannels, outChannels] = [between(1, 3), between(1, 3)]
  const [kernel, strides] = [each(1, 4), each(1, 3)]
  // ONNX Runtime takes no dilation with a Conv that finds its own padding.
  const dilations = each(1, op === 'Conv' && padding.startsWith('SAME') ? 1 : 2)
  const reach = kernel.map((size, i) => (size - 1) * (dilations[i] as number) + 1)
  // A convolution's windows have to fit.
  const space = each(2, 5).map((size, i) => (op === 'Conv' ? size + (reach[i] as number) - 1 : size))
  const extra = strides.map((stride) => between(0, stride - 1))
  const whole = space.map((size, i) => (size - 1) * (strides[i] as number) + (reach[i] as number))
  const attributes: Layer['attributes'] = { group: groups, strides, dilations }
  if (op === 'ConvTranspose') attributes['output_padding'] = extra
  if (random.float() < 0.5) attributes['kernel_shape'] = kernel
  if (padding === 'pads') {
    // Some of a transposed convolution's output has to be left.
    const most = op === 'Conv' ? kernel.map(() => 3) : whole.map((size) => Math.floor((size - 1) / 2))
    attributes['pads'] = [...most, ...most].map((count) => between(0, Math.min(3, count)))
  } else if (padding.startsWith('output_shape')) {
    attributes['output_shape'] = whole.map((size, i) => between(1, size + (strides[i] as number) - 1))
    if (padding !== 'output_shape') attributes['auto_pad'] = 'SAME_UPPER'
    // It counts for nothing then.
    else if (random.float() < 0.5) attributes['pads'] = [...each(0, 2), ...each(0, 2)]
  } else if (padding !== 'none') attributes['auto_pad'] = padding
  for (const name of ['strides', 'dilations', 'output_padding', 'group']) {
    const value = attributes[name]
    const isDefault = [value].flat().every((number) => number === (name === 'output_padding' ? 0 : 1))
    if (isDefault && random.float() < 0.5) delete attributes[name]
  }
  const weight = op === 'Conv' ? [groups * outChannels, inChannels] : [groups * inChannels, outChannels]
  return { op, input: [groups * inChannels, ...space], weight: [...weight, ...kernel], attributes }
}

function uniform(dims: readonly number[], random: RandomSource): Tensor<'float32'> {
  return float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => 2 * random.float() - 1),
  )
}

interface Setup {
  graph: Graph
  node: Node
  choice: LayerChoice
  weights: Float32Array
}

function setUp({ op, input, weight, attributes }: Layer, random: RandomSource): Setup {
  const b = new GraphBuilder()
  const weights = uniform(weight, random)
  b.emit(op, [b.input('x', 'float32', [BATCH, ...input]), b.constant(weights, 'w')], attributes, 'y')
  b.output('y', 'float32', undefined)
  const graph = b.build('layer')
  const [choice] = chooseLayers(graph, { keep: [], ternary: ['*'] }) as [LayerChoice]
  return { graph, node: producers(graph).get('y') as Node, choice, weights: weights.data }
}

async function runLayer(graph: Graph, x: Tensor): Promise<Tensor<'float32'>> {
  const session = await Session.create(writeModel({ irVersion: 8, opsets: new Map([['', 11]]), graph }), { threads: 1 })
  const { y } = await session.run({ x })
  await session.release()
  return y as Tensor<'float32'>
}

// All rows times all weights, where they belong in the output; NaN where no row is.
function product(
  setup: Setup,
  layer: Layer,
  output: readonly number[],
  x: Float32Array,
  random: RandomSource,
): number[] {
  const dims = { input: layer.input, output }
  const rows = layerRows(setup.node, setup.choice, dims, Infinity, random)
  assert.ok(rows !== undefined)
  const { groups, channels, columns, perSample, inputPlaces, inputSize, outputPlaces, outputSize } = rows
  assert.equal(inputSize, elementCount(layer.input))
  assert.equal(outputSize, elementCount(output))
  const weights = weightRows(rows.weightPlaces, setup.weights)
  const result = new Array<number>(BATCH * outputSize).fill(NaN)
  for (let sample = 0; sample < BATCH; sample++)
    for (let row = 0; row < perSample * groups; row++)
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0
        for (let column = 0; column < columns; column++) {
          const place = inputPlaces[row * columns + column] as number
          const value = place === inputSize ? 0 : (x[sample * inputSize + place] as number)
          sum += value * (weights[((row % groups) * channels + channel) * columns + column] as number)
        }
        const at = sample * outputSize + (outputPlaces[row * channels + channel] as number)
        assert.ok(Number.isNaN(result[at]), 'an output has two rows')
        result[at] = sum
      }
  return result
}

describe('rows times weights are the output', () => {
  for (const op of ['Conv', 'ConvTranspose'] as const)
    for (const padding of PADDINGS[op])
      for (const rank of [1, 2, 3])
        test(`${op}, ${rank} axes, padding: ${padding}`, async () => {
          for (let round = 0; round < 12; round++) {
            const random = randomSource(SEED, 'layer', op, padding, rank, round)
            const layer = randomLayer(op, rank, padding, random)
            const setup = setUp(layer, random)
            const x = uniform([BATCH, ...layer.input], random)
            const { dims, data } = await runLayer(setup.graph, x)
            const found = product(setup, layer, dims.slice(1), x.data, random)
            assert.equal(found.length, data.length)
            found.forEach((value, i) => {
              assert.ok(
                Math.abs(value - (data[i] as number)) < 1e-4,
                `output ${i}: ${value}, expected ${data[i]} (${JSON.stringify(layer)})`,
              )
            })
          }
        })
})

describe('weights in rows', () => {
  test('come back as they were, and each row is one output channel', () => {
    for (let round = 0; round < 50; round++) {
      const random = randomSource(SEED, 'order', round)
      const op = round % 2 === 0 ? 'Conv' : 'ConvTranspose'
      const { choice, weights } = setUp(randomLayer(op, 1 + (round % 3), 'none', random), random)
      const places = weightPlaces(choice)
      const rows = Float32Array.from(weightRows(places, weights))
      assert.deepEqual(fromRows(places, rows), weights)
      const channelOf = channelFinder(choice)
      const numbered = weightRows(
        places,
        weights.map((_, i) => channelOf(i)),
      )
      const columns = weights.length / channelCount(choice)
      numbered.forEach((channel, i) => {
        assert.equal(channel, Math.floor(i / columns))
      })
    }
  })
})

test('columns that the same outputs see stand together', () => {
  const random = randomSource(SEED, 'columns')
  const layer: Layer = {
    op: 'ConvTranspose',
    input: [4, 6, 6],
    weight: [4, 3, 4, 4],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1], group: 2 },
  }
  const { node, choice } = setUp(layer, random)
  const rows = layerRows(node, choice, { input: layer.input, output: [6, 12, 12] }, Infinity, random)
  assert.ok(rows !== undefined)
  // Four phases, each of 2 channels and 2x2 elements of the kernel.
  assert.deepEqual([rows.groups, rows.columns], [2, 32])
  for (let row = 0; row < rows.perSample * rows.groups; row++) {
    const phases = new Set<number>()
    for (let column = 0; column < 32; column++)
      if (rows.inputPlaces[row * 32 + column] !== rows.inputSize) phases.add(Math.floor(column / 8))
    assert.equal(phases.size, 1)
  }
})

test('places are drawn from all phases of the stride alike', () => {
  const random = randomSource(SEED, 'phases')
  const layer: Layer = {
    op: 'ConvTranspose',
    input: [1, 12, 12],
    weight: [1, 1, 4, 4],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1] },
  }
  const { node, choice } = setUp(layer, random)
  const rows = layerRows(node, choice, { input: layer.input, output: [1, 24, 24] }, 32, random)
  assert.equal(rows?.perSample, 32)
  const phases = Array.from(rows.outputPlaces, (place) => 2 * (Math.floor(place / 24) % 2) + (place % 2))
  for (const phase of [0, 1, 2, 3]) assert.equal(phases.filter((own) => own === phase).length, 8)
  assert.equal(new Set(rows.outputPlaces).size, 32)
})
