import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model, ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { blockedChannels } from '../../src/runtime/blocked-channels.js'
import { variableConvWeights } from '../../src/runtime/blocked-convolution.js'
import { blockLayout } from '../../src/runtime/blocked-layout.js'
import { Session } from '../../src/runtime/session.js'
import { elementCount, float32, type Tensor } from '../../src/tensor/tensor.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'

const BLOCK = await blockedChannels(onnxRuntime)
type Feeds = Record<string, Tensor>
type Dims = readonly number[]

async function run(model: Model, feeds: Feeds): Promise<Map<string, Tensor>> {
  const session = await Session.create(writeModel(model), { threads: 1 })
  try {
    return new Map(Object.entries(await session.run(feeds)))
  } finally {
    await session.release()
  }
}

function waves(dims: Dims, speed: number): Tensor<'float32'> {
  return float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i * speed)),
  )
}

function modelOf(inputs: Record<string, Dims>, build: (b: GraphBuilder) => ValueName[]): Model {
  const b = new GraphBuilder()
  for (const [name, dims] of Object.entries(inputs)) b.input(name, 'float32', dims)
  for (const output of build(b)) b.output(output)
  return { irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('case') }
}

/**
 * The model in the blocked layout, with 16 channels to the block; where the processor has the layout, its results are
 * compared.
 */
async function blockAndCompare(
  model: Model,
  inputs: Record<string, Dims>,
  known: Record<string, Dims>,
): Promise<Model> {
  const shapes = new Map(Object.entries({ ...inputs, ...known }))
  const changed = blockLayout(model, shapes, 16)
  // Processors without the blocked convolution train with the plain one: nothing to compare there.
  if (BLOCK === undefined) return changed
  const feeds: Feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, dims], i) => [name, waves(dims, 0.7 / (i + 1))]),
  )
  const [plain, blocked] = [await run(model, feeds), await run(blockLayout(model, shapes, BLOCK), feeds)]
  for (const [name, expected] of plain) {
    const found = blocked.get(name) as Tensor
    assert.deepEqual(found.dims, expected.dims, name)
    const worst = Math.max(
      ...Array.from(expected.data as Float32Array, (value, i) => Math.abs(value - (found.data as Float32Array)[i]!)),
    )
    assert.ok(worst < 1e-4, `${name} differs by ${worst}`)
  }
  return changed
}

/** `ReorderInput Conv(nchwc) Relu ...`: operators in order, those of the blocked domain marked. */
function operators({ graph }: Model): string {
  return graph.nodes
    .filter(({ opType }) => opType !== 'Reshape' && opType !== 'Transpose')
    .map(({ opType, domain }) => (domain === '' ? opType : `${opType}*`))
    .join(' ')
}

interface Case {
  name: string
  x: number[]
  w: number[]
  y: number[]
  bias?: boolean
  attributes: Record<string, number | string | number[]>
  expected: string
}

const WHOLE = 'ReorderInput* Conv* ReorderOutput*'
const CONVOLUTIONS: readonly Case[] = [
  {
    name: 'padding 1',
    x: [2, 16, 7, 5],
    w: [32, 16, 3, 3],
    y: [2, 32, 7, 5],
    attributes: { pads: [1, 1, 1, 1] },
    expected: WHOLE,
  },
  {
    name: 'stride 2, uneven padding',
    x: [2, 32, 8, 8],
    w: [16, 32, 3, 3],
    y: [2, 16, 4, 4],
    attributes: { pads: [0, 1, 1, 0], strides: [2, 2] },
    expected: WHOLE,
  },
  {
    name: 'dilation',
    x: [1, 16, 9, 9],
    w: [16, 16, 3, 3],
    y: [1, 16, 5, 5],
    attributes: { dilations: [2, 2] },
    expected: WHOLE,
  },
  {
    name: '1x1 with bias',
    x: [3, 48, 4, 4],
    w: [16, 48, 1, 1],
    y: [3, 16, 4, 4],
    bias: true,
    attributes: {},
    expected: WHOLE,
  },
  {
    name: 'auto_pad',
    x: [1, 16, 6, 6],
    w: [16, 16, 3, 3],
    y: [1, 16, 6, 6],
    attributes: { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3] },
    expected: WHOLE,
  },
  {
    name: 'groups that fill blocks',
    x: [1, 32, 6, 6],
    w: [32, 16, 3, 3],
    y: [1, 32, 4, 4],
    attributes: { group: 2 },
    expected: WHOLE,
  },
  {
    name: 'depthwise',
    x: [2, 32, 6, 6],
    w: [32, 1, 3, 3],
    y: [2, 32, 3, 3],
    attributes: { group: 32, strides: [2, 2], pads: [1, 1, 1, 1] },
    expected: WHOLE,
  },
  {
    name: 'an image of 3 channels',
    x: [2, 3, 9, 9],
    w: [16, 3, 3, 3],
    y: [2, 16, 4, 4],
    attributes: { strides: [2, 2] },
    expected: 'Conv* ReorderOutput*',
  },
  {
    name: 'channels that fill no block',
    x: [1, 24, 6, 6],
    w: [16, 24, 3, 3],
    y: [1, 16, 4, 4],
    attributes: {},
    expected: 'Conv',
  },
  {
    name: 'filters that fill no block',
    x: [1, 16, 6, 6],
    w: [24, 16, 3, 3],
    y: [1, 24, 4, 4],
    attributes: {},
    expected: 'Conv',
  },
  {
    name: 'groups that fill no block',
    x: [1, 32, 6, 6],
    w: [32, 8, 3, 3],
    y: [1, 32, 4, 4],
    attributes: { group: 4 },
    expected: 'Conv',
  },
  {
    name: 'two filters per depthwise channel',
    x: [1, 16, 6, 6],
    w: [32, 1, 3, 3],
    y: [1, 32, 4, 4],
    attributes: { group: 16 },
    expected: 'Conv',
  },
  { name: 'one spatial axis', x: [1, 16, 9], w: [16, 16, 3], y: [1, 16, 7], attributes: {}, expected: 'Conv' },
]

for (const { name, x, w, y, bias, attributes, expected } of CONVOLUTIONS) {
  test(`blocked layout: a convolution: ${name}`, async () => {
    const inputs = { x, w, ...(bias === true ? { bias: [w[0] as number] } : {}) }
    const model = modelOf(inputs, (b) => [b.emit('Conv', Object.keys(inputs), attributes, 'y')])
    assert.deepEqual(variableConvWeights(model), ['w'])
    assert.equal(operators(await blockAndCompare(model, inputs, { y })), expected)
  })
}

test('convolutions with constant or unknown weights stay as they are', () => {
  const model = modelOf({ x: [1, 16, 8, 8], w: [16, 16, 1, 1] }, (b) => {
    const constant = b.constant(waves([16, 16, 3, 3], 1), 'fixed')
    return [b.emit('Conv', [b.emit('Conv', ['x', constant], {}, 'middle'), 'w'], {}, 'y')]
  })
  assert.deepEqual(variableConvWeights(model), ['w'])
  assert.deepEqual(blockLayout(model, new Map([['x', [1, 16, 8, 8]]]), 16).graph.nodes, model.graph.nodes)
})

const X = [2, 32, 5, 4]
const W = [32, 32, 3, 3]
const CHANNELS = [32]
const PADDED = { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }

interface ChainCase {
  name: string
  inputs?: Record<string, Dims>
  known?: Record<string, Dims>
  /** What follows the convolution `y` of x and w. */
  build: (b: GraphBuilder) => ValueName[]
  /** Operators behind `ReorderInput* Conv*` of the first convolution. */
  expected: string
}

const int64s = (b: GraphBuilder, values: readonly number[]): ValueName =>
  b.constant({ type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) })
const scalar = (b: GraphBuilder, value: number): ValueName => b.constant(float32([], [value]))
const NORM = { scale: CHANNELS, shift: CHANNELS, mean: CHANNELS, variance: CHANNELS }
const norm = (b: GraphBuilder, x: ValueName): ValueName =>
  b.emit('BatchNormalization', [x, 'scale', 'shift', 'mean', b.emit('Mul', ['variance', 'variance'])], {
    epsilon: { float: 0.5 },
  })
const STATISTICS = 'Mul Add Sqrt Div Mul Sub'

const CHAINS: readonly ChainCase[] = [
  {
    name: 'the next convolution takes the value as it lies',
    inputs: { v: W },
    known: { z: X },
    build: (b) => [b.emit('Conv', ['y', 'v'], PADDED, 'z')],
    expected: 'Conv* ReorderOutput*',
  },
  { name: 'Relu is merged into the convolution', build: (b) => [b.emit('Relu', ['y'])], expected: 'ReorderOutput*' },
  {
    name: 'a value with two users keeps its own convolution',
    build: (b) => [b.emit('Relu', ['y']), b.emit('Tanh', ['y'])],
    expected: 'Relu Tanh ReorderOutput* ReorderOutput*',
  },
  {
    name: 'batch norm and Relu are one scaling',
    inputs: NORM,
    build: (b) => [b.emit('Relu', [norm(b, 'y')])],
    expected: `${STATISTICS} Conv* ReorderOutput*`,
  },
  {
    name: 'batch norm, a second branch and Relu are one scaling',
    inputs: NORM,
    build: (b) => [b.emit('Relu', [b.emit('Add', [norm(b, 'y'), 'x'])])],
    expected: `${STATISTICS} Conv* ReorderOutput*`,
  },
  {
    name: 'scaling per channel',
    inputs: { s: [32, 1, 1] },
    build: (b) => [b.emit('Tanh', [b.emit('Mul', ['s', 'y'])])],
    expected: 'Conv* Tanh ReorderOutput*',
  },
  {
    name: 'scaling per column is not per channel',
    inputs: { s: [1, 1, 4] },
    build: (b) => [b.emit('Mul', ['s', 'y'])],
    expected: 'ReorderOutput* Mul',
  },
  {
    name: 'a mask',
    build: (b) => [b.emit('Mul', ['x', b.emit('Cast', [b.emit('Greater', ['y', scalar(b, 0.1)])], { to: 1 })])],
    expected: 'Greater Cast Mul ReorderOutput*',
  },
  {
    name: 'truth values wanted in the plain layout are computed again',
    build: (b) => {
      const mask = b.emit('Greater', ['y', scalar(b, 0.1)])
      return [
        b.emit('Where', [mask, 'y', 'x']),
        b.emit('Cast', [b.emit('Reshape', [mask, int64s(b, [64, 20])])], { to: 1 }),
      ]
    },
    expected: 'Greater Where ReorderOutput* Greater Cast ReorderOutput*',
  },
  {
    name: 'sums over batch and space',
    build: (b) => [b.emit('ReduceSum', ['y', int64s(b, [0, 2, 3])], { keepdims: 0 })],
    expected: 'ReduceSum ReduceSum',
  },
  {
    name: 'means over batch and space, kept',
    build: (b) => [b.emit('ReduceMean', ['y', int64s(b, [3, 0, 2])], { keepdims: 1 })],
    expected: 'ReduceMean ReduceMean',
  },
  {
    name: 'means over space',
    build: (b) => [b.emit('ReduceMean', ['y', int64s(b, [2, 3])], { keepdims: 0 }), b.emit('GlobalAveragePool', ['y'])],
    expected: 'ReduceMean ReduceMean',
  },
  {
    name: 'sums over other axes',
    build: (b) => [b.emit('ReduceSum', ['y', int64s(b, [1])])],
    expected: 'ReorderOutput* ReduceSum',
  },
  { name: 'a value times itself', build: (b) => [b.emit('Mul', ['y', 'y'])], expected: 'Mul ReorderOutput*' },
  { name: 'a value plus itself', build: (b) => [b.emit('Add', ['y', 'y'])], expected: 'Add ReorderOutput*' },
  {
    name: 'broadcasting images',
    inputs: { one: [1, 32, 5, 4] },
    build: (b) => [b.emit('Add', ['y', 'one'])],
    expected: 'ReorderOutput* Add',
  },
  {
    name: 'operators of the plain layout',
    build: (b) => [b.emit('Transpose', [b.emit('MaxPool', ['y'], { kernel_shape: [2, 2] })], { perm: [1, 0, 3, 2] })],
    expected: 'ReorderOutput* MaxPool',
  },
  {
    name: 'the value itself as an output',
    build: (b) => [b.emit('Relu', ['y']), 'y'],
    expected: 'Relu ReorderOutput* ReorderOutput*',
  },
]

for (const { name, inputs: more = {}, known = {}, build, expected } of CHAINS) {
  test(`blocked layout: ${name}`, async () => {
    const inputs = { x: X, w: W, ...more }
    const model = modelOf(inputs, (b) => {
      b.emit('Conv', ['x', 'w'], PADDED, 'y')
      return build(b)
    })
    const changed = operators(await blockAndCompare(model, inputs, { y: X, ...known }))
    // Merged nodes stand where the last of them stood.
    assert.equal(changed.replace(/^ReorderInput\* (Conv\* )?/, ''), expected, changed)
  })
}
