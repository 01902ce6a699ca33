// What is not ternary in fewer bits: which tensors are rounded, and that the report speaks of the stored values.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { unpack } from '../../src/packed/index.js'
import { float16ToNumber, numberToFloat16 } from '../../src/tensor/float-values.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import type { LayerChoice } from '../../src/ternary/layer-choice.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { compress } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { inspectModel } from '../../src/jobs/inspect.js'
import type { RestPrecision } from '../../src/options/choices.js'
import { roundRest } from '../../src/ternary/round-rest.js'
import type { TernaryNetwork } from '../../src/ternary/ternary-network.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

const WAVE = (size: number, amplitude = 1): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => amplitude * Math.sin(i * 1.7 + 1))

// A weight, a bias of 32 values and a Resize, whose factors decide a shape.
function network({ weight = WAVE(32 * 64), bias = WAVE(32) }: { weight?: Float32Array; bias?: Float32Array } = {}): {
  network: TernaryNetwork
  choices: LayerChoice[]
} {
  const b = new GraphBuilder()
  const constant = (dims: readonly number[], values: Float32Array | number[], name: string): string =>
    b.constant(float32(dims, values), name)
  const y = b.emit('Gemm', [
    b.input('x', 'float32', ['N', 64]),
    constant([64, 32], weight, 'w'),
    constant([32], bias, 'b'),
  ])
  const factors = constant([2], [1, 1.3333334], 'factors')
  const large = b.emit('Resize', [y, '', factors], { mode: 'nearest' })
  b.output(
    b.emit('Div', [
      large,
      constant(
        [42],
        WAVE(42).map((v) => v + 2),
        'divisor',
      ),
    ]),
  )
  const model = { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('net') }
  return { network: { model, layers: new Map() }, choices: chooseLayers(model.graph, { keep: [], ternary: [] }) }
}

function changed(
  form: Parameters<typeof network>[0],
  rest: RestPrecision,
  exceptions?: Map<string, RestPrecision>,
): Record<string, string> {
  const { network: before, choices } = network(form)
  const after = roundRest(before, choices, { rest, ...(exceptions && { exceptions }) })
  const initializers = after.model.graph.initializers
  return Object.fromEntries(
    [...initializers].flatMap(([name, tensor]) => {
      const old = before.model.graph.initializers.get(name) as Tensor
      if (tensor === old) return []
      const halved = (tensor.data as Float32Array).every(
        (value, i) => value === float16ToNumber(numberToFloat16(old.data[i] as number)),
      )
      return [[name, after.rest?.get(name)?.encoding ?? (halved ? 'no form' : 'wrong')]]
    }),
  )
}

describe('which tensors', () => {
  test('fp32: none', () => {
    assert.deepEqual(changed({}, 'fp32'), {})
  })
  test('fp16: learned values, short vectors too', () => {
    assert.deepEqual(changed({}, 'fp16'), { w: 'float16', b: 'float16' })
  })
  test('fp16: a table whose rows are looked up, and that a layer takes turned around', () => {
    const b = new GraphBuilder()
    const table = b.constant(float32([32, 16], WAVE(512)), 'table')
    const rows = b.emit('Gather', [table, b.input('ids', 'int64', ['N', 3])])
    const turned = b.emit('Transpose', [b.emit('Identity', [table])], { perm: [1, 0] })
    b.output(b.emit('MatMul', [rows, turned]))
    const model = { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('tied') }
    const { rest } = roundRest({ model, layers: new Map() }, [], { rest: 'fp16' })
    assert.deepEqual([...(rest ?? [])], [['table', { encoding: 'float16' }]])
  })
  test('int8: weights of layers; fp16 for the others', () => {
    assert.deepEqual(changed({}, 'int8'), { w: 'int8', b: 'float16' })
  })
  test('a precision for a tensor of its own', () => {
    assert.deepEqual(changed({}, 'fp32', new Map([['w', 'int8']])), { w: 'int8' })
    assert.deepEqual(
      changed(
        {},
        'int8',
        new Map([
          ['w', 'fp32'],
          ['b', 'fp32'],
        ]),
      ),
      {},
    )
  })
  test('a weight beyond float16 stays, or becomes int8', () => {
    const weight = WAVE(32 * 64).with(5, 1e5)
    assert.deepEqual(changed({ weight }, 'fp16'), { b: 'float16' })
    assert.deepEqual(changed({ weight }, 'int8'), { w: 'int8', b: 'float16' })
  })
  test('a weight that is not finite stays', () => {
    assert.deepEqual(changed({ weight: WAVE(32 * 64).with(5, NaN) }, 'int8'), { b: 'float16' })
  })
  test('a vector with a value that would lose bits stays, a matrix does not', () => {
    const weight = WAVE(32 * 64).with(5, 1e-7)
    assert.deepEqual(changed({ weight, bias: WAVE(32).with(3, 1e-6) }, 'fp16'), { w: 'float16' })
    assert.deepEqual(changed({ weight: WAVE(32 * 64, 1e-5) }, 'fp16'), { b: 'float16' })
  })
})

const REQUEST: CompressRequest = {
  name: 'stripes.onnx',
  data: STRIPES,
  anyway: true,
  epochs: 1,
  batch: 24,
  warmup: 5,
  distill: 0,
  seed: 3,
  threads: 2,
  augment: false,
}

describe('compress', () => {
  for (const rest of ['fp16', 'int8'] as const) {
    test(`${rest}: the file computes the reported accuracy bit for bit, and is smaller`, async () => {
      const [plain, { file, report }] = await Promise.all([
        compress(stripesNetwork({ norm: true }), { ...REQUEST, rest: 'fp32' }),
        compress(stripesNetwork({ norm: true }), { ...REQUEST, rest }),
      ])
      assert.equal(report.verified.bitExact, true)
      assert.equal(report.rest, rest)
      assert.ok(
        report.size.fileBytes < plain.report.size.fileBytes,
        `${report.size.fileBytes} of ${plain.report.size.fileBytes}`,
      )
      assert.equal(report.size.restBytes + report.size.ternaryPackedBytes, file.length)
      assert.equal(report.size.restValues, plain.report.size.restValues)
      assert.deepEqual(
        report.layers.map(({ stored }) => stored),
        [rest === 'fp16' ? 'float16' : 'int8', 'entropy', 'entropy', rest === 'fp16' ? 'float16' : 'int8'],
      )
      const inspected = await inspectModel(file, { name: 'm.ttq' })
      assert.equal(inspected.layers[0]?.bitsPerWeight, rest === 'fp16' ? 16 : (8 * (144 + 8 * 4 + 1)) / 144)
      assert.deepEqual(inspected.encodings?.['entropy']?.tensors, 2)
      for (const name of unpack(file).rest.keys())
        assert.equal(unpack(file).model.graph.initializers.get(name)?.type, 'float32')
    })
  }

  test('without data, too', async () => {
    const { file, report } = await compress(stripesNetwork(), { name: 'stripes.onnx', rest: 'int8', keepNames: true })
    assert.equal(report.verified.bitExact, true)
    assert.deepEqual(
      [...unpack(file).rest].map(([name, { encoding }]) => [name, encoding]),
      [
        ['c1.weight', 'int8'],
        ['fc.weight', 'int8'],
        ...['c2', 'c3'].flatMap((layer) => [
          [`${layer}.weight.channel_scale`, 'float16'],
          [`${layer}.weight.channel_shift`, 'float16'],
        ]),
      ],
    )
  })
})
