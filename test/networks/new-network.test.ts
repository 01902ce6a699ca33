// Freshly initialised networks: sizes known from the literature, shapes by running the small ones, seeds.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Model } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { TtqError } from '../../src/errors/ttq-error.js'
import { NETWORKS, newNetwork, type NetworkName } from '../../src/networks/new-network.js'
import { Session } from '../../src/runtime/session.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'

// Learned values, batch norm's running statistics excluded. ResNet-18 and MobileNetV2: as torchvision counts them;
// ResNet-20 and -56 with parameter-free shortcuts: 0.27 M and 0.85 M in table 6 of arXiv 1512.03385; LeNet-5: 156 +
// 2,416 + 48,120 + 10,164 + 850.
const PARAMETERS: Partial<Record<NetworkName, { classes: number; count: number }>> = {
  lenet5: { classes: 10, count: 61_706 },
  resnet20: { classes: 10, count: 269_722 },
  resnet56: { classes: 10, count: 853_018 },
  resnet18: { classes: 1000, count: 11_689_512 },
  mobilenetv2: { classes: 1000, count: 3_504_872 },
}

function build(name: NetworkName, classes: number, seed = 1): Model {
  return newNetwork(name, { classes, input: NETWORKS[name].input, seed })
}

function countParameters({ graph }: Model): number {
  const statistics = new Set(
    graph.nodes.filter(({ opType }) => opType === 'BatchNormalization').flatMap(({ inputs }) => inputs.slice(3)),
  )
  return [...graph.initializers]
    .filter(([name, { type }]) => type === 'float32' && !statistics.has(name))
    .reduce((sum, [, { dims }]) => sum + (dims.length === 0 ? 0 : elementCount(dims)), 0)
}

for (const [name, { classes, count }] of Object.entries(PARAMETERS)) {
  test(`${name} has ${count} parameters`, () => {
    assert.equal(countParameters(build(name as NetworkName, classes)), count)
  })
}

for (const name of ['lenet5', 'resnet20', 'resnet56'] as const) {
  test(`${name} runs: one score per class`, async () => {
    const { input } = NETWORKS[name]
    const session = await Session.create(writeModel(build(name, 7)), { threads: 1 })
    const dims = [2, ...input]
    const x = float32(
      dims,
      Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i)),
    )
    const scores = (await session.run({ input: x })).scores
    await session.release()
    assert.deepEqual(scores?.dims, [2, 7])
    assert.ok([...(scores.data as Float32Array)].every(Number.isFinite))
  })
}

test('the seed fixes the weights', () => {
  const [a, again, other] = [1, 1, 2].map((seed) => Buffer.from(writeModel(build('lenet5', 10, seed))))
  assert.ok(a !== undefined && a.equals(again as Buffer))
  assert.ok(!a.equals(other as Buffer))
})

test('He initialisation: variance 2 / fan-in', () => {
  const { data, dims } = build('resnet20', 10).graph.initializers.get('stage3.1.conv1.weight') as {
    data: Float32Array
    dims: readonly number[]
  }
  const fanIn = elementCount(dims.slice(1))
  const variance = data.reduce((sum, value) => sum + value * value, 0) / data.length
  assert.ok(Math.abs((variance * fanIn) / 2 - 1) < 0.03, `${variance * fanIn}`)
})

test('what is not said is the task the network was made for', () => {
  assert.ok(writeModel(newNetwork('resnet20', { classes: 10 })).length > 0)
  const whole = newNetwork('lenet5', { classes: 10, input: [1, 28, 28], seed: 1 })
  assert.deepEqual(writeModel(newNetwork('lenet5')), writeModel(whole))
})

for (const [name, options, message] of [
  ['lenet', {}, 'new: unknown network "lenet"'],
  ['toString', {}, 'new: unknown network "toString"'],
  [5, {}, 'network: found number, expected one of '],
  ['lenet5', null, 'options: found null, expected an object'],
  ['lenet5', { classes: 0 }, 'classes: found 0, expected a whole number from 1 to 1000000'],
  ['lenet5', { seed: 1.5 }, 'seed: found 1.5, expected a whole number'],
  ['lenet5', { input: [3, 32] }, 'input: found [3, 32], expected [channels, height, width]'],
  ['lenet5', { input: '3x32x32' }, 'input: found string, expected [channels, height, width]'],
  ['lenet5', { clases: 3 }, 'new: unknown option clases'],
] as const) {
  test(`refused: ${message}`, () => {
    assert.throws(
      () => newNetwork(name as never, options as never),
      (error: unknown) => error instanceof TtqError && error.code === 'usage' && error.message.startsWith(message),
    )
  })
}

test('samples too small for the architecture are refused', () => {
  assert.throws(
    () => newNetwork('lenet5', { classes: 10, input: [1, 8, 8], seed: 1 }),
    (error: unknown) => error instanceof TtqError && error.code === 'usage',
  )
})
