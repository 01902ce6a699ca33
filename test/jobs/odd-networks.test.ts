// Networks as strangers bring them: more outputs than the scores, layers that lead nowhere, weights shared in odd ways.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { numberToFloat16 } from '../../src/tensor/float-values.js'
import { float32, int64, type Tensor } from '../../src/tensor/tensor.js'

const SIZE = 16
const folder = mkdtempSync(join(tmpdir(), 'ttq-odd-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})
const LOADER = join(folder, 'points.mjs')
writeFileSync(
  LOADER,
  `const split = (size, shift) => ({ size, batch: (indices) => {
  const x = new Float32Array(indices.length * ${SIZE})
  indices.forEach((index, i) => { for (let j = 0; j < ${SIZE}; j++) x[i * ${SIZE} + j] = Math.sin(index * 7.3 + j + shift) })
  return { inputs: { x }, labels: indices.map((index) => index % 4) }
} })
export const classes = 4, train = split(200, 0), test = split(40, 1)
`,
)

const values = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + i * 1.7) * 0.3)

// x -> w1 -> w2 -> w3 -> y, with whatever else a case adds.
function network(add: (b: GraphBuilder, hidden: ValueName) => void = () => {}, opset = 17): Uint8Array {
  const b = new GraphBuilder()
  const layer = (x: ValueName, name: string, dims: [number, number], output?: string): ValueName =>
    b.emit('MatMul', [x, b.constant(float32(dims, values(dims[0] * dims[1], name.length + dims[1])), name)], {}, output)
  const first = b.emit('Relu', [layer(b.input('x', 'float32', ['N', SIZE]), 'w1', [SIZE, 32])])
  const hidden = b.emit('Relu', [layer(first, 'w2', [32, 32])])
  layer(hidden, 'w3', [32, 4], 'y')
  b.output('y', 'float32', ['N', 4])
  add(b, hidden)
  return writeModel({ irVersion: 8, opsets: new Map([['', opset]]), graph: b.build('odd') })
}

const pack = async (bytes: Uint8Array, data?: string): Promise<CompressResult> =>
  await compress(bytes, {
    name: 'odd.onnx',
    epochs: undefined,
    ...(data && { data, anyway: true, epochs: 1, threads: 1 }),
  })

const ternaryLayers = ({ report }: CompressResult): string[] =>
  report.layers.filter(({ ternary }) => ternary).map(({ name }) => name)

describe('layers and outputs beside the scores', () => {
  const second = (isOutput: boolean) => (b: GraphBuilder, hidden: ValueName) => {
    const weight = b.constant(float32([32, 32], values(1024, 9)), 'h1')
    const other = b.emit('Relu', [b.emit('MatMul', [hidden, weight])])
    b.emit('MatMul', [other, b.constant(float32([32, 2], values(64, 5)), 'h2')], {}, 'second')
    if (isOutput) b.output('second', 'float32', ['N', 2])
  }

  test('layers of another output stay in full precision, with a warning', async () => {
    const result = await pack(network(second(true)), LOADER)
    assert.deepEqual(ternaryLayers(result), ['w2'])
    assert.match(result.report.layers.find(({ name }) => name === 'h1')?.reason ?? '', /^does not lead to "y"$/)
    assert.ok(
      result.report.warnings.some((warning) => warning.startsWith('the layer h1 does not lead to the output "y"')),
    )
  })

  for (const data of [undefined, LOADER]) {
    test(`layers that lead to no output are left out, ${data === undefined ? 'without' : 'with'} data`, async () => {
      const result = await pack(network(second(false)), data)
      assert.deepEqual(
        result.report.layers.map(({ name }) => name),
        ['w1', 'w2', 'w3'],
      )
      assert.ok(!unpack(result.file).model.graph.initializers.has('h1'))
    })
  }

  const outputs: Record<string, (b: GraphBuilder) => void> = {
    'a constant table': (b) => {
      b.emit('Identity', [b.constant(float32([5, 2], values(10, 1)), 'table')], {}, 'other')
      b.output('other', 'float32', [5, 2])
    },
    'a scalar': (b) => {
      b.emit('ReduceMean', ['x'], { keepdims: 0 }, 'other')
      b.output('other', 'float32', [])
    },
    'a sequence': (b) => {
      b.push({ name: '', opType: 'SequenceConstruct', domain: '', inputs: ['x'], outputs: ['other'], attributes: {} })
      b.outputs.push({ name: 'other', type: undefined })
    },
  }
  for (const [name, add] of Object.entries(outputs)) {
    test(`another output, ${name}, does not matter to training, and is packed along`, async () => {
      const { file, report } = await pack(network(add), LOADER)
      assert.equal(report.training?.epochs, 1)
      assert.deepEqual(
        unpack(file).model.graph.outputs.map((output) => output.name),
        ['y', 'other'],
      )
    })
  }
})

describe('weights in odd places', () => {
  test('a table that a layer uses turned around is stored once', async () => {
    const b = new GraphBuilder()
    const table = b.constant(float32([300, 32], values(9600, 3)), 'table')
    let x = b.emit('Gather', [table, b.input('ids', 'int64', ['N'])])
    for (const name of ['w1', 'w2'])
      x = b.emit('Relu', [b.emit('MatMul', [x, b.constant(float32([32, 32], values(1024, name.length)), name)])])
    b.emit('MatMul', [x, b.emit('Transpose', [table], { perm: [1, 0] })], {}, 'y')
    b.output('y', 'float32', ['N', 300])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('tied') })
    const result = await pack(bytes)
    assert.ok(result.file.length < bytes.length)
    assert.deepEqual(
      [...unpack(result.file).model.graph.initializers.keys()].filter((name) => name === 'table'),
      ['table'],
    )
    assert.ok(ternaryLayers(result).includes('w2'))
  })

  test('float16 weights behind a Cast become ternary', async () => {
    const b = new GraphBuilder()
    let x = b.input('x', 'float32', ['N', SIZE])
    for (const [i, dims] of [
      [SIZE, 32],
      [32, 32],
      [32, 4],
    ].entries()) {
      const data = Uint16Array.from(values((dims[0] as number) * (dims[1] as number), i), numberToFloat16)
      const half = b.constant({ type: 'float16', dims, data }, `w${i}`)
      x = b.emit('MatMul', [x, b.emit('Cast', [half], { to: 1 })], {}, i === 2 ? 'y' : undefined)
    }
    b.output('y', 'float32', ['N', 4])
    const result = await pack(writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('half') }))
    assert.equal(ternaryLayers(result).length, 1)
    assert.ok(result.report.warnings.some((warning) => warning.includes('behind a Cast from float16')))
  })

  test('weights that are ternary already stay as they are', async () => {
    const codes = Int8Array.from({ length: 1024 }, (_, i) => ((i * 7) % 3) - 1)
    const b = new GraphBuilder()
    const ternary = float32(
      [32, 32],
      Float32Array.from(codes, (code) => (code > 0 ? 0.21 : code < 0 ? -0.17 : 0)),
    )
    const first = b.emit('MatMul', [
      b.input('x', 'float32', ['N', SIZE]),
      b.constant(float32([SIZE, 32], values(512, 2))),
    ])
    const hidden = b.emit('MatMul', [first, b.constant(ternary, 'w2')])
    b.emit('MatMul', [hidden, b.constant(float32([32, 4], values(128, 3)))], {}, 'y')
    b.output('y', 'float32', ['N', 4])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('kept') })
    const once = unpack((await pack(bytes)).file)
    assert.deepEqual(once.model.graph.initializers.get('w2'), ternary)
    assert.deepEqual(once.ternary.get('w2')?.codes, codes)
    // What unpacking wrote is packed without a further loss, channel factors and all.
    const again = unpack((await pack(writeModel(unpack((await pack(network())).file).model))).file)
    assert.deepEqual(
      again.model.graph.initializers.get('w2'),
      unpack((await pack(network())).file).model.graph.initializers.get('w2'),
    )
  })

  test('the value that is named is the one in the file', async () => {
    const b = new GraphBuilder()
    const weights = values(1024, 2)
    weights[66] = Infinity
    const first = b.emit('MatMul', [
      b.input('x', 'float32', ['N', SIZE]),
      b.constant(float32([SIZE, 32], values(512, 2))),
    ])
    const hidden = b.emit('MatMul', [first, b.constant(float32([32, 32], weights), 'w2')])
    b.emit('MatMul', [hidden, b.constant(float32([32, 4], values(128, 3)))], {}, 'y')
    b.output('y', 'float32', ['N', 4])
    await assert.rejects(
      pack(writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('inf') })),
      (error: unknown) => error instanceof TtqError && /"w2": element 66 is Infinity/.test(error.message),
    )
  })

  test('constants of types that nobody can fetch stay computed', async () => {
    const b = new GraphBuilder()
    const rounded = b.emit('Cast', [b.constant(float32([32, 32], values(1024, 2)), 'w2')], { to: 16 })
    const first = b.emit('MatMul', [
      b.input('x', 'float32', ['N', SIZE]),
      b.constant(float32([SIZE, 32], values(512, 2))),
    ])
    const hidden = b.emit('MatMul', [first, b.emit('Cast', [rounded], { to: 1 })])
    const next = b.emit('MatMul', [hidden, b.constant(float32([32, 32], values(1024, 3)))])
    b.emit('MatMul', [next, b.constant(float32([32, 4], values(128, 3)))], {}, 'y')
    b.output('y', 'float32', ['N', 4])
    const result = await pack(writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('bfloat') }))
    assert.ok(ternaryLayers(result).length > 0)
  })
})

describe('what was packed runs', () => {
  for (const opset of [7, 13]) {
    test(`a network of opset ${opset}`, async () => {
      const { file } = await pack(network(undefined, opset))
      const graph = await onnxRuntime.load(writeModel(unpack(file).model), { threads: 1 })
      const { y } = await graph.run({ x: float32([3, SIZE], values(3 * SIZE, 1)) })
      assert.deepEqual(y?.dims, [3, 4])
      await graph.release()
    })
  }

  test('before opset 7, where arithmetic does not broadcast', async () => {
    const b = new GraphBuilder()
    let x = b.input('x', 'float32', ['N', SIZE])
    for (const [i, dims] of [
      [SIZE, 32],
      [32, 32],
      [32, 4],
    ].entries()) {
      const weight = b.constant(float32(dims, values((dims[0] as number) * (dims[1] as number), i)), `w${i}`)
      x = b.emit('MatMul', [x, weight], {}, i === 2 ? 'y' : undefined)
    }
    b.output('y', 'float32', ['N', 4])
    const { file } = await pack(writeModel({ irVersion: 3, opsets: new Map([['', 6]]), graph: b.build('old') }))
    const graph = await onnxRuntime.load(writeModel(unpack(file).model), { threads: 1 })
    assert.deepEqual((await graph.run({ x: float32([2, SIZE], values(2 * SIZE, 1)) }))['y']?.dims, [2, 4])
    await graph.release()
  })
})

describe('where the layers are, if not in sight', () => {
  const refused = async (opType: string, domain: string, message: RegExp): Promise<void> => {
    const b = new GraphBuilder()
    const inputs = [b.input('x', 'float32', ['N', SIZE]), b.constant(float32([SIZE, 4], values(64, 1)), 'w')]
    b.push({ name: '', opType, domain, inputs, outputs: ['y'], attributes: {} })
    b.output('y', 'float32', ['N', 4])
    const bytes = writeModel({
      irVersion: 8,
      opsets: new Map([
        ['', 17],
        [domain, 1],
      ]),
      graph: b.build('hidden'),
    })
    await assert.rejects(
      pack(bytes),
      (error: unknown) => error instanceof TtqError && message.test(`${error.message}. ${error.hint}`),
    )
  }
  test('in functions of the model', async () => {
    await refused('Linear', 'pkg.torch', /weights belong to pkg\.torch\.Linear, functions .*inliner/)
  })
  test('in operators that ONNX Runtime fused', async () => {
    await refused('FusedGemm', 'com.microsoft', /weights belong to com\.microsoft\.FusedGemm.*before it was optimised/)
  })
})

test('an input with a default value is told of', async () => {
  const bytes = network((b) => {
    const temperature: Tensor = float32([], [2])
    b.constant(temperature, 'temperature')
    b.emit('Div', ['x', 'temperature'], {}, 'scaled')
    b.output('scaled', 'float32', ['N', SIZE])
    b.constant(int64([1]), 'unused')
    b.inputs.push({ name: 'temperature', type: { elementType: 'float32', dims: [] } })
  })
  const { report } = await pack(bytes)
  assert.ok(report.warnings.some((warning) => warning.startsWith('the input "temperature" has a default value')))
})
