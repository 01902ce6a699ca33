// Networks with transposed convolutions, the whole way: fitted without data, layer by layer, and trained.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import { trainNetwork } from '../../src/jobs/train.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/index.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'
import { seeded } from '../onnx/fixtures.js'
import { STRIPES } from '../training/stripes-network.js'

interface Form {
  /** Of the first transposed convolution. */
  groups?: number
  /** Batch norm behind the transposed convolutions, else a bias in them. */
  norm?: boolean
  /** The second one gives a shape, else what its padding leaves. */
  shaped?: boolean
}

// Down, up in two steps, joined with what was there before, as in a U-Net; the classes of what comes out.
function network({ groups = 1, norm = false, shaped = false }: Form = {}): Uint8Array {
  const b = new GraphBuilder()
  const random = seeded(3)
  const uniform = (name: string, dims: readonly number[], reach: number, middle = 0): ValueName =>
    b.constant(
      float32(
        dims,
        Float32Array.from({ length: elementCount(dims) }, () => middle + reach * (2 * random() - 1)),
      ),
      name,
    )
  const layer = (
    op: 'Conv' | 'ConvTranspose',
    x: ValueName,
    name: string,
    weight: readonly number[],
    channels: number,
    attributes: Record<string, number | string | readonly number[]>,
  ): ValueName => {
    const isNormed = norm && op === 'ConvTranspose'
    const w = uniform(`${name}.weight`, weight, Math.sqrt((6 * channels) / elementCount(weight)))
    const y = b.emit(op, isNormed ? [x, w] : [x, w, uniform(`${name}.bias`, [channels], 0.1)], attributes)
    if (!isNormed) return b.emit('Relu', [y])
    const parts = (['scale', 'shift', 'mean', 'var'] as const).map((part) =>
      uniform(`${name}.${part}`, [channels], 0.2, part === 'scale' || part === 'var' ? 1 : 0),
    )
    return b.emit('Relu', [b.emit('BatchNormalization', [y, ...parts])])
  }
  const half = { strides: [2, 2], pads: [1, 1, 1, 1] }
  const double = { strides: [2, 2], pads: [1, 1, 1, 1] }
  const x = b.input('x', 'float32', ['N', 2, 8, 8])
  const d1 = layer('Conv', x, 'd1', [8, 2, 3, 3], 8, half)
  const d2 = layer('Conv', d1, 'd2', [16, 8, 3, 3], 16, half)
  const u1 = layer('ConvTranspose', d2, 'u1', [16, 8 / groups, 4, 4], 8, { ...double, group: groups })
  const joined = b.emit('Concat', [d1, u1], { axis: 1 })
  const u2 = layer(
    'ConvTranspose',
    joined,
    'u2',
    [16, 8, 3, 3],
    8,
    shaped
      ? { strides: [2, 2], output_shape: [8, 8], auto_pad: 'SAME_UPPER' }
      : { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  )
  const pooled = b.emit('Flatten', [b.emit('MaxPool', [u2], { kernel_shape: [2, 2], strides: [2, 2] })], { axis: 1 })
  b.emit('Gemm', [pooled, uniform('fc.weight', [128, 3], 0.2), uniform('fc.bias', [3], 0.1)], {}, 'y')
  b.output('y', 'float32', ['N', 3])
  return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('up') })
}

const FORMS: Record<string, Form> = {
  'a bias': {},
  'a batch norm of their own': { norm: true },
  'two groups': { groups: 2 },
  'two groups and a batch norm': { groups: 2, norm: true },
  'a shape to give': { shaped: true },
}
const TERNARY = ['d2.weight', 'u1.weight', 'u2.weight']
const COMMON = { name: 'up.onnx', threads: 1, seed: 3 }

function check({ file, report }: CompressResult): void {
  assert.equal(report.verified.bitExact, true)
  const ternary = report.layers.filter((layer) => layer.ternary)
  assert.deepEqual(
    ternary.map(({ name }) => name),
    TERNARY,
  )
  assert.deepEqual(
    ternary.map(({ op }) => op),
    ['Conv', 'ConvTranspose', 'ConvTranspose'],
  )
  const { model } = unpack(file)
  for (const { name, shape, zeros } of ternary) {
    const tensor = model.graph.initializers.get(name)
    assert.deepEqual(tensor?.dims, shape)
    const values = tensor.data as Float32Array
    assert.ok(new Set(values).size <= 3, name)
    assert.equal(values.filter((value) => value === 0).length, zeros)
  }
}

for (const [name, form] of Object.entries(FORMS)) {
  describe(`transposed convolutions with ${name}`, () => {
    test('without data', async () => {
      check(await compress(network(form), { ...COMMON, keepNames: true }))
    })

    test('layer by layer', async () => {
      const data = { ...COMMON, data: STRIPES, anyway: true, epochs: 0, keepNames: true }
      const fitted = await compress(network(form), data)
      check(fitted)
      const layers = fitted.report.reconstruction?.layers ?? []
      assert.deepEqual(
        layers.map(({ name: layer }) => layer),
        TERNARY,
      )
      for (const { error } of layers) assert.ok(error > 0 && error < 0.3, `${error}`)
    })
  })
}

test('a network with transposed convolutions is trained to be ternary', async () => {
  const form = { norm: true, groups: 2, shaped: true }
  const options = { ...COMMON, data: STRIPES, batch: 24, warmup: 10 }
  const { file, report } = await trainNetwork(network(form), { ...options, epochs: 4 })
  assert.ok((report.after.top1 ?? NaN) > 90, `${report.after.top1}`)
  const compressed = await compress(file, { ...options, epochs: 4, keepNames: true })
  check(compressed)
  assert.ok((compressed.report.compressed?.top1 ?? 0) > 85, `${compressed.report.compressed?.top1}`)
})

test('a batch norm is put behind a transposed convolution in groups that has none, and becomes a factor and a shift', async () => {
  const options = {
    ...COMMON,
    data: STRIPES,
    anyway: true,
    batch: 24,
    epochs: 3,
    latentStart: 'weights',
    keepNames: true,
  } as const
  const result = await compress(network({ groups: 2 }), options)
  check(result)
  const { nodes, initializers } = unpack(result.file).model.graph
  const index = nodes.findIndex(({ inputs }) => inputs[1] === 'u1.weight')
  const [layer, mul, add] = nodes.slice(index, index + 3)
  assert.deepEqual([layer?.inputs.length, mul?.opType, add?.opType], [2, 'Mul', 'Add'])
  assert.deepEqual(initializers.get(mul?.inputs[1] ?? '')?.dims, [8, 1, 1])
})
