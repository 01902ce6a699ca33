import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { blockConvolutions, blockedChannels, variableConvWeights } from '../../src/runtime/blocked-convolution.js'
import { Session } from '../../src/runtime/session.js'
import { elementCount, float32, type Tensor } from '../../src/tensor/tensor.js'

interface Case { name: string; x: number[]; w: number[]; bias?: boolean; attributes: Record<string, number | string | number[]>; blocked: boolean }

const CASES: readonly Case[] = [
  { name: 'padding 1', x: [2, 16, 7, 5], w: [32, 16, 3, 3], attributes: { pads: [1, 1, 1, 1] }, blocked: true },
  { name: 'stride 2, uneven padding', x: [2, 32, 8, 8], w: [16, 32, 3, 3], attributes: { pads: [0, 1, 1, 0], strides: [2, 2] }, blocked: true },
  { name: 'dilation', x: [1, 16, 9, 9], w: [16, 16, 3, 3], attributes: { dilations: [2, 2] }, blocked: true },
  { name: '1x1 with bias', x: [3, 48, 4, 4], w: [16, 48, 1, 1], bias: true, attributes: {}, blocked: true },
  { name: 'auto_pad', x: [1, 16, 6, 6], w: [16, 16, 3, 3], attributes: { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3] }, blocked: true },
  { name: 'channels that fill no block', x: [1, 12, 6, 6], w: [16, 12, 3, 3], attributes: {}, blocked: false },
  { name: 'groups', x: [1, 32, 6, 6], w: [32, 16, 3, 3], attributes: { group: 2 }, blocked: false },
  { name: 'one spatial axis', x: [1, 16, 9], w: [16, 16, 3], attributes: {}, blocked: false },
]

function modelOf({ x, w, bias, attributes }: Case): Model {
  const b = new GraphBuilder()
  const inputs = [b.input('x', 'float32', x), b.input('w', 'float32', w), ...(bias === true ? [b.input('b', 'float32', [w[0] as number])] : [])]
  b.output(b.emit('Conv', inputs, attributes, 'y'))
  return { irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('case') }
}

async function run(model: Model, feeds: Record<string, Tensor>): Promise<Tensor> {
  const session = await Session.create(writeModel(model), { threads: 1 })
  try {
    return (await session.run(feeds))['y'] as Tensor
  } finally {
    await session.release()
  }
}

function waves(dims: readonly number[], speed: number): Tensor<'float32'> {
  return float32(dims, Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i * speed)))
}

for (const given of CASES) {
  test(`blocked convolution: ${given.name}`, async () => {
    const model = modelOf(given)
    const block = await blockedChannels()
    assert.deepEqual(variableConvWeights(model), ['w'])
    const changed = blockConvolutions(model, new Map([['w', given.w]]), block ?? 16)
    const domains = changed.graph.nodes.filter(({ opType }) => opType === 'Conv').map(({ domain }) => domain)
    assert.deepEqual(domains, [given.blocked ? 'com.microsoft.nchwc' : ''])
    // Processors without the blocked convolution train with the plain one: nothing to compare there.
    if (block === undefined) return
    const feeds = { x: waves(given.x, 0.7), w: waves(given.w, 0.31), ...(given.bias === true ? { b: waves([given.w[0] as number], 1) } : {}) }
    const [plain, blocked] = [await run(model, feeds), await run(changed, feeds)]
    assert.deepEqual(blocked.dims, plain.dims)
    const worst = Math.max(...Array.from(plain.data as Float32Array, (value, i) => Math.abs(value - (blocked.data as Float32Array)[i]!)))
    assert.ok(worst < 1e-4, `differs by ${worst}`)
  })
}

test('convolutions with constant or unknown weights stay as they are', () => {
  const b = new GraphBuilder()
  const constant = b.constant(waves([16, 16, 3, 3], 1), 'fixed')
  b.output(b.emit('Conv', [b.emit('Conv', [b.input('x', 'float32', [1, 16, 8, 8]), constant]), b.input('w', 'float32', [16, 16, 1, 1])], {}, 'y'))
  const model: Model = { irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('two') }
  assert.deepEqual(variableConvWeights(model), ['w'])
  const changed = blockConvolutions(model, new Map(), 16)
  assert.deepEqual(changed.graph.nodes, model.graph.nodes)
})
