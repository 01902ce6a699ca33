// Networks as strangers bring them: more outputs than the scores, layers that lead nowhere, weights shared in odd ways.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { inspectModel } from '../../src/jobs/inspect.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { sameConstants } from '../../src/onnx/same-constants.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { seeded } from '../onnx/fixtures.js'
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

const plain = (b: GraphBuilder, i: number, dims: readonly number[]): ValueName =>
  b.constant(float32(dims, values((dims[0] as number) * (dims[1] as number), i + 2)), `w${i}`)

// x times one weight after another, as a case makes them; 16 -> 32 -> ... -> 4.
function chain(weight = plain, { opset = 17, irVersion = 8, hidden = 1 } = {}): Uint8Array {
  const b = new GraphBuilder()
  const shapes = [[SIZE, 32], ...Array.from({ length: hidden }, () => [32, 32]), [32, 4]]
  let x = b.input('x', 'float32', ['N', SIZE])
  shapes.forEach((dims, i) => {
    x = b.emit('MatMul', [x, weight(b, i, dims)], {}, i === shapes.length - 1 ? 'y' : undefined)
  })
  b.output('y', 'float32', ['N', 4])
  return writeModel({ irVersion, opsets: new Map([['', opset]]), graph: b.build('chain') })
}

const pack = async (
  bytes: Uint8Array,
  data?: string,
  further: Partial<CompressRequest> = {},
): Promise<CompressResult> =>
  await compress(bytes, {
    name: 'odd.onnx',
    epochs: undefined,
    keepNames: true,
    ...(data && { data, anyway: true, epochs: 1, threads: 1 }),
    ...further,
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

  // A second head whose scores have the shape of the first one's.
  const twin = (b: GraphBuilder, hidden: ValueName): void => {
    b.emit('MatMul', [hidden, b.constant(float32([32, 4], values(128, 5)), 'h1')], {}, 'twin')
    b.output('twin', 'float32', ['N', 4])
  }

  test('of several outputs that fit the first is trained, with a warning, or the one that is named', async () => {
    const bytes = network(twin)
    const { report } = await pack(bytes, LOADER)
    assert.ok(
      report.warnings.some((warning) =>
        /^"twin" fits the classes as well as "y", which is taken: networkOutput/.test(warning),
      ),
    )
    assert.equal(report.layers.find(({ name }) => name === 'w3')?.reason, 'last layer')
    const options = { name: 'odd.onnx', data: LOADER, anyway: true, epochs: 1, threads: 1 }
    const named = await compress(bytes, { ...options, networkOutput: ['twin'] })
    assert.ok(!named.report.warnings.some((warning) => warning.includes('as well as')))
    assert.notEqual(named.report.baseline?.top1, report.baseline?.top1)
    await assert.rejects(compress(bytes, { ...options, networkOutput: ['twins'] }), {
      code: 'usage',
      message: 'networkOutput: the network has no output "twins", expected y, twin',
      hint: 'did you mean twin?',
    })
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

  // The middle weight in two layers, each of which has it behind nodes of its own.
  const tied = (...ways: ((b: GraphBuilder, weight: ValueName) => ValueName)[]): Uint8Array => {
    const b = new GraphBuilder()
    const product = (x: ValueName, weight: ValueName): ValueName => b.emit('MatMul', [x, weight])
    let x = b.emit('Relu', [product(b.input('x', 'float32', ['N', SIZE]), plain(b, 0, [SIZE, 32]))])
    const shared = b.constant(float32([32, 32], values(1024, 7)), 'shared')
    for (const way of ways) x = b.emit('Relu', [product(x, way(b, shared))])
    b.emit('MatMul', [x, plain(b, 2, [32, 4])], {}, 'y')
    b.output('y', 'float32', ['N', 4])
    return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('tied') })
  }
  const asIs = (_: GraphBuilder, weight: ValueName): ValueName => weight
  const same = (b: GraphBuilder, weight: ValueName): ValueName => b.emit('Identity', [weight])
  const turned = (b: GraphBuilder, weight: ValueName): ValueName => b.emit('Transpose', [weight], { perm: [1, 0] })
  const reshaped = (b: GraphBuilder, weight: ValueName): ValueName =>
    b.emit('Reshape', [weight, b.constant(int64([32, 32]))])
  const flattened = (b: GraphBuilder, weight: ValueName): ValueName => b.emit('Flatten', [weight], { axis: 1 })
  const dropped = (b: GraphBuilder, weight: ValueName): ValueName => b.emit('Dropout', [weight])
  for (const [name, ways] of Object.entries({
    'as it is': [asIs, asIs],
    'behind Identity': [asIs, same],
    'behind an Identity each': [same, same, same],
    'turned around': [asIs, turned],
    'turned around by a node each': [turned, turned],
    'behind Reshape': [reshaped, asIs],
    'behind Flatten and Dropout': [flattened, dropped],
  })) {
    for (const data of [undefined, LOADER]) {
      test(`a shared weight, ${name}, is one ternary layer ${data === undefined ? 'without' : 'with'} data`, async () => {
        const bytes = tied(...ways)
        const result = await pack(bytes, data)
        assert.equal(ternaryLayers(result).length, 1)
        const { model, ternary } = unpack(result.file)
        const large = [...model.graph.initializers].filter(([, { dims }]) => dims[0] === 32 && dims[1] === 32)
        assert.deepEqual(
          large.map(([initializer]) => initializer),
          [...ternary.keys()],
        )
        if (data === undefined) assert.ok(result.file.length < bytes.length)
      })
    }
  }

  test('a table that is looked up as well is ternary only where it is named', async () => {
    const b = new GraphBuilder()
    const table = b.constant(float32([32, 32], values(1024, 3)), 'table')
    const looked = b.emit('Gather', [table, b.input('ids', 'int64', ['N'])])
    const first = b.emit('MatMul', [looked, plain(b, 0, [32, 32])])
    const middle = b.emit('MatMul', [first, turned(b, table)])
    b.emit('MatMul', [middle, plain(b, 2, [32, 4])], {}, 'y')
    b.output('y', 'float32', ['N', 4])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('table') })
    const of = async (ternary: string[]): Promise<string[]> =>
      ternaryLayers(await compress(bytes, { name: 'table.onnx', ternary }))
    assert.ok(!(await of(['*'])).includes('table'))
    assert.ok((await of(['table'])).includes('table'))
  })

  test('float16 weights behind a Cast become ternary', async () => {
    const half = (b: GraphBuilder, i: number, dims: readonly number[]): ValueName => {
      const data = Uint16Array.from(values((dims[0] as number) * (dims[1] as number), i), numberToFloat16)
      return b.emit('Cast', [b.constant({ type: 'float16', dims, data }, `w${i}`)], { to: 1 })
    }
    const result = await pack(chain(half))
    assert.equal(ternaryLayers(result).length, 1)
    assert.ok(result.report.warnings.some((warning) => warning.includes('behind a Cast: they are stored as float32')))
  })

  test('float64 layers are fitted like all others', async () => {
    const b = new GraphBuilder()
    let x = b.input('x', 'float64', ['N', SIZE])
    const shapes = [
      [SIZE, 32],
      [32, 32],
      [32, 4],
    ] as const
    shapes.forEach(([rows, columns], i) => {
      const data = Float64Array.from(values(rows * columns, i))
      const weight = b.constant({ type: 'float64', dims: [rows, columns], data }, `w${i}`)
      x = b.emit('MatMul', [x, weight], {}, i === 2 ? 'y' : undefined)
    })
    b.output('y', 'float64', ['N', 4])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('double') })
    const result = await compress(bytes, { name: 'double.onnx', samples: 64 })
    assert.deepEqual(
      result.report.reconstruction?.layers.map(({ name }) => name),
      ['w1'],
    )
    assert.ok((result.report.reconstruction.distance as number) < 90, String(result.report.reconstruction.distance))
  })

  test('a bound on the distance holds, with fewer ternary layers, and says what each costs', async () => {
    const bytes = chain(plain, { hidden: 4 })
    const all = await compress(bytes, { name: 'chain.onnx', samples: 64 })
    const before = all.report.reconstruction?.distance as number
    const maxDistance = 0.7 * before
    const { report, file } = await compress(bytes, { name: 'chain.onnx', samples: 64, maxDistance })
    const { distance, bound } = report.reconstruction as NonNullable<typeof report.reconstruction>
    assert.ok((distance as number) <= maxDistance, `${distance} of ${before}`)
    assert.equal(bound?.layers.length, 4)
    const given = report.layers.filter(({ reason }) => reason?.startsWith('--max-distance') === true)
    assert.ok(given.length > 0 && given.length < 4)
    assert.ok(given.every(({ stored }) => stored === 'int8' || stored === 'float16'))
    assert.ok(report.verified.bitExact && file.length > all.file.length)
  })

  test('dimensions below 0 are open, as is a batch of 0', async () => {
    const network = (batch: number, side: number): Uint8Array => {
      const b = new GraphBuilder()
      let x = b.input('x', 'float32', [batch, side])
      for (let i = 0; i < 3; i++) x = b.emit('MatMul', [x, plain(b, i, [8, 8])], {}, i === 2 ? 'y' : undefined)
      b.output('y', 'float32', ['N', 8])
      return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('open') })
    }
    for (const [batch, side] of [
      [-1, 8],
      [0, 8],
      [-768, 8],
      [2, -1],
    ] as const) {
      const { report } = await compress(network(batch, side), { name: 'open.onnx', samples: 16 })
      assert.ok(report.verified.bitExact, `${batch} x ${side}`)
    }
  })

  test('inputs too large to make up: layers are fitted by themselves, and it is said', async () => {
    const b = new GraphBuilder()
    const x = b.input('x', 'float32', [2 ** 30, 8])
    const first = b.emit('MatMul', [x, plain(b, 0, [8, 8])])
    const middle = b.emit('MatMul', [first, plain(b, 1, [8, 8])])
    b.emit('MatMul', [middle, plain(b, 2, [8, 8])], {}, 'y')
    b.output('y', 'float32', [2 ** 30, 8])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('large') })
    const { report } = await compress(bytes, { name: 'large.onnx' })
    assert.equal(report.reconstruction, null)
    assert.ok(report.warnings.some((warning) => warning.includes('too large to make samples of')))
  })

  test('a file within so many bytes has its room used, and a distance no larger than with all layers ternary', async () => {
    const bytes = chain(plain, { hidden: 4 })
    const run = (maxSize?: number | string): ReturnType<typeof compress> =>
      compress(bytes, { name: 'chain.onnx', samples: 64, ...(maxSize !== undefined && { maxSize }) })
    const all = await run()
    const room = all.file.length + Math.floor(0.4 * (bytes.length - all.file.length))
    for (const maxSize of [room, `${bytes.length / room}x`]) {
      const { report, file } = await run(maxSize)
      assert.ok(file.length <= room && file.length > all.file.length, `${file.length} of ${room}`)
      const distances = [report, all.report].map(({ reconstruction }) => reconstruction?.distance as number)
      assert.ok((distances[0] as number) < (distances[1] as number), distances.join())
      const given = report.layers.filter(({ reason }) => reason?.startsWith(`--max-size ${maxSize}: `) === true)
      assert.ok(given.length > 0 && given.length < 4)
      assert.equal(report.reconstruction?.bound?.rounds.at(-1)?.fileBytes, file.length)
    }
    const small = await run(all.file.length - 1)
    assert.deepEqual(small.file, all.file)
    assert.equal(small.report.reconstruction?.bound?.rounds.length, 1)
  })

  test('what further options would give is about what they give', async () => {
    const bytes = chain(plain)
    const run = (options: { rest?: 'int8'; ternary?: string[] }): ReturnType<typeof compress> =>
      compress(bytes, { name: 'chain.onnx', samples: 32, ...options })
    const [now, int8, ternary] = [await run({}), await run({ rest: 'int8' }), await run({ ternary: ['*'] })]
    const { smaller } = now.report
    for (const [said, { file }] of [
      [smaller?.int8, int8],
      [smaller?.ternary, ternary],
    ] as const)
      assert.ok(Math.abs((said ?? 0) / file.length - 1) < 0.1, `${said} bytes, and were ${file.length}`)
    assert.equal(int8.report.smaller?.int8, null)
    assert.equal(ternary.report.smaller?.ternary ?? null, null)
  })

  test('a network of ternary layers alone, unpacked, is packed as it was', async () => {
    const all = await compress(chain(plain), { name: 'chain.onnx', samples: 32, keepNames: true, ternary: ['*'] })
    const unpacked = writeModel(unpack(all.file).model)
    const again = await compress(unpacked, { name: 'chain.onnx', samples: 32, keepNames: true })
    assert.ok(sameConstants(unpack(all.file).model, unpack(again.file).model))
    assert.ok(again.file.length <= all.file.length + 32, `${again.file.length} of ${all.file.length} bytes`)
    const { layers, refusal } = await inspectModel(unpacked, { name: 'chain.onnx' })
    assert.equal(refusal, undefined)
    assert.ok(layers.every(({ ternary, reason }) => ternary && reason === undefined))
  })

  test('a file that grows by factors and what it says of them is told so', async () => {
    const narrow = (b: GraphBuilder, i: number): ValueName => plain(b, i, i === 0 ? [2, 32] : [32, 1])
    const b = new GraphBuilder()
    const hidden = b.emit('MatMul', [b.input('x', 'float32', ['N', 2]), narrow(b, 0)])
    b.emit('MatMul', [hidden, narrow(b, 1)], {}, 'y')
    b.output('y', 'float32', ['N', 1])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('narrow') })
    const { report, file } = await compress(bytes, { name: 'narrow.onnx', samples: 32, ternary: ['*'] })
    assert.ok(file.length > bytes.length, `${file.length} of ${bytes.length}`)
    const grown = report.warnings.find((warning) => warning.startsWith('the packed file has'))
    assert.match(grown ?? '', /its few weights save less/)
  })

  test('values far from zero are fitted to what they have between them', async () => {
    const shifted = (offset: number): Uint8Array => {
      const b = new GraphBuilder()
      const inner = b.emit('MatMul', [b.input('x', 'float32', ['N', SIZE]), plain(b, 0, [SIZE, 32])])
      const far = b.emit('Add', [inner, b.constant(float32([], [offset]))])
      const middle = b.emit('MatMul', [far, plain(b, 1, [32, 32])])
      const vector = (value: number): ValueName => b.constant(float32([32], new Float32Array(32).fill(value)))
      // What the offset adds is taken out again.
      const sums = Float32Array.from({ length: 32 }, (_, c) =>
        values(1024, 3).reduce((sum, value, i) => (i % 32 === c ? sum + value * offset : sum), 0),
      )
      const mean = b.constant(float32([32], sums))
      const normal = b.emit('BatchNormalization', [middle, vector(1), vector(0), mean, vector(1)])
      b.emit('MatMul', [b.emit('Relu', [normal]), plain(b, 2, [32, 4])], {}, 'y')
      b.output('y', 'float32', ['N', 4])
      return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('far') })
    }
    const errorAt = async (offset: number): Promise<number> =>
      (await compress(shifted(offset), { name: 'far.onnx', samples: 256 })).report.reconstruction?.layers[0]?.error ?? 1
    const [near, far] = await Promise.all([errorAt(0), errorAt(1e4)])
    assert.ok(Math.abs(far - near) < 0.05, `${far}, ${near} without the offset`)
  })

  test('where values are not finite, a layer is fitted by itself, and it is said', async () => {
    const b = new GraphBuilder()
    const first = b.emit('MatMul', [b.input('x', 'float32', ['N', SIZE]), plain(b, 0, [SIZE, 32])])
    const middle = b.emit('MatMul', [b.emit('Log', [first]), plain(b, 1, [32, 32])])
    b.emit('MatMul', [middle, plain(b, 2, [32, 4])], {}, 'y')
    b.output('y', 'float32', ['N', 4])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('log') })
    const { report } = await compress(bytes, { name: 'log.onnx', samples: 64 })
    assert.deepEqual(report.reconstruction?.layers, [])
    assert.equal(report.reconstruction.distance, null)
    assert.ok(report.warnings.some((warning) => warning.includes('gives NaN or Infinity')))
  })

  test('weights that are ternary already stay as they are', async () => {
    const codes = Int8Array.from({ length: 1024 }, (_, i) => ((i * 7) % 3) - 1)
    const ternary = float32(
      [32, 32],
      Float32Array.from(codes, (code) => (code > 0 ? 0.21 : code < 0 ? -0.17 : 0)),
    )
    const bytes = chain((b, i, dims) => (i === 1 ? b.constant(ternary, 'w1') : plain(b, i, dims)))
    const once = unpack((await pack(bytes)).file)
    assert.deepEqual(once.model.graph.initializers.get('w1'), ternary)
    assert.deepEqual(once.ternary.get('w1')?.codes, codes)
    // Nor does anything else change: not by rounding, not by fitting the last layer anew.
    const before = readModel(bytes)
    assert.ok(sameConstants(before, once.model))
    const { report } = await pack(bytes)
    assert.equal(report.rest, 'fp32')
    assert.equal(report.reconstruction?.distance, 0)
    const bound = await pack(bytes, undefined, { maxDistance: 1e-3 })
    assert.equal(bound.report.reconstruction?.distance, 0)
    assert.equal((await pack(bytes, undefined, { rest: 'fp16' })).report.rest, 'fp16')
  })

  test('so do those whose zeros have signs, as a mask leaves them', async () => {
    const ternary = Float32Array.from({ length: 1024 }, (_, i) => [0.21, -0.17, -0][(i * 7) % 3] as number)
    const { report } = await pack(
      chain((b, i, dims) => (i === 1 ? b.constant(float32([32, 32], ternary), 'w1') : plain(b, i, dims))),
    )
    assert.deepEqual([report.rest, report.reconstruction?.distance], ['fp32', 0])
  })

  test('what unpacking wrote is packed without a further loss, channel factors and all, and is as small', async () => {
    const { file } = await pack(network())
    const unpacked = unpack(file).model
    const again = (await pack(writeModel(unpacked))).file
    assert.ok(sameConstants(unpack(again).model, unpacked))
    assert.ok(Math.abs(again.length - file.length) < 0.02 * file.length, `${again.length}, ${file.length} at first`)
  })

  test('the value that is named is the one in the file', async () => {
    const weights = values(1024, 2)
    weights[66] = Infinity
    await assert.rejects(
      pack(chain((b, i, dims) => (i === 1 ? b.constant(float32(dims, weights), 'w1') : plain(b, i, dims)))),
      (error: unknown) => error instanceof TtqError && /"w1": element 66 is Infinity/.test(error.message),
    )
  })

  test('constants of types that nobody can fetch stay computed', async () => {
    const rounded = (b: GraphBuilder, i: number, dims: readonly number[]): ValueName => {
      const weight = plain(b, i, dims)
      return i === 1 ? b.emit('Cast', [b.emit('Cast', [weight], { to: 16 })], { to: 1 }) : weight
    }
    const result = await pack(chain(rounded, { hidden: 2 }))
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
    const { file } = await pack(chain(plain, { opset: 6, irVersion: 3 }))
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
  test('in operators of nobody', async () => {
    await refused('Linear', 'pkg.torch', /weights belong to pkg\.torch\.Linear, operators of its own.*inliner/)
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

describe('what only the compressed network would give', () => {
  const hidden = (b: GraphBuilder): ValueName =>
    b.emit('Relu', [b.emit('MatMul', [b.input('x', 'float32', ['N', SIZE]), plain(b, 1, [SIZE, 32])])])
  const written = (b: GraphBuilder): Uint8Array => {
    b.output('y', 'float32', ['N', 4])
    return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('finite') })
  }

  // Two layers whose difference is nothing, until one of them is rounded.
  test('NaN and Infinity are refused', async () => {
    const b = new GraphBuilder()
    const x = hidden(b)
    const times = (factor: number, name: string): ValueName => {
      const weights = values(128, 5).map((value) => value * factor)
      return b.emit('MatMul', [x, b.constant(float32([32, 4], weights), name)])
    }
    const same = b.emit('Mul', [times(1, 'w2'), b.constant(float32([1], [2]), 'two')])
    const difference = b.emit('Mul', [b.emit('Sub', [same, times(2, 'w3')]), b.constant(float32([1], [1e6]), 'large')])
    b.emit('Exp', [b.emit('Abs', [difference])], {}, 'y')
    const options = { ternary: ['w2'], keep: ['w1', 'w3'], samples: 16 }
    await assert.rejects(pack(written(b), undefined, options), {
      code: 'unsupported',
      message:
        /^onnx: odd\.onnx: made ternary, the network gives NaN or Infinity on some of the samples \(.*gives numbers$/,
    })
    await assert.rejects(pack(written(b), undefined, { ...options, renormalize: 'off' }), {
      code: 'unsupported',
      message: /gives NaN or Infinity on a sample, the original gives numbers$/,
    })
  })

  for (const alpha of [0, 1e-42])
    test(`a layer times ${alpha} gives numbers`, async () => {
      const b = new GraphBuilder()
      const bias = b.constant(float32([32], values(32, 8)), 'bias')
      const silent = b.emit('Gemm', [hidden(b), plain(b, 2, [32, 32]), bias], { alpha: { float: alpha } })
      b.emit('MatMul', [b.emit('Add', [silent, b.emit('Relu', [silent])]), plain(b, 3, [32, 4])], {}, 'y')
      const { report } = await pack(written(b), undefined, { samples: 16 })
      assert.ok((report.reconstruction?.distance ?? Infinity) < 50)
    })
})

describe('a single sample', () => {
  const random = (b: GraphBuilder, seed: number, dims: [number, number]): ValueName => {
    const next = seeded(seed)
    return b.constant(
      float32(
        dims,
        Float32Array.from({ length: dims[0] * dims[1] }, () => next() - 0.5),
      ),
      `w${seed}`,
    )
  }

  for (const [op, columns] of [
    ['rows that are solved at once', 64],
    ['rows that are solved in blocks', 2400],
  ] as const)
    test(`does not make channels constant: ${op}`, async () => {
      const b = new GraphBuilder()
      const wide = b.emit('Relu', [
        b.emit('MatMul', [b.input('x', 'float32', ['N', SIZE]), random(b, 1, [SIZE, columns])]),
      ])
      const narrow = b.emit('Relu', [b.emit('MatMul', [wide, random(b, 2, [columns, 16])])])
      b.emit('MatMul', [narrow, random(b, 3, [16, 4])], {}, 'y')
      b.output('y', 'float32', ['N', 4])
      const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('single') })
      const file = join(folder, `single-${columns}.mjs`)
      writeFileSync(
        file,
        `export const train = { size: 1, batch: (indices) => ({
  inputs: { x: Float32Array.from({ length: indices.length * ${SIZE} }, (_, i) => Math.cos((i % ${SIZE}) ** 2)) },
}) }
`,
      )
      const { file: packed } = await pack(bytes, file, { epochs: 0 })
      const graph = await onnxRuntime.load(writeModel(unpack(packed).model), { threads: 1, optimization: 'basic' })
      const x = float32(
        [50, SIZE],
        Float32Array.from({ length: 50 * SIZE }, (_, i) => Math.cos(i * i * 1.3)),
      )
      const y = (await graph.run({ x }, ['y']))['y'] as Tensor<'float32'>
      await graph.release()
      const first = Array.from({ length: 50 }, (_, i) => y.data[4 * i] as number)
      const mean = first.reduce((sum, value) => sum + value / 50, 0)
      const deviation = Math.sqrt(first.reduce((sum, value) => sum + (value - mean) ** 2 / 50, 0))
      const original = await onnxRuntime.load(bytes, { threads: 1, optimization: 'basic' })
      const expected = (await original.run({ x }, ['y']))['y'] as Tensor<'float32'>
      await original.release()
      const differences = y.data.map((value, i) => value - (expected.data[i] as number))
      const norm = (values: Float32Array): number => Math.hypot(...values)
      assert.ok(deviation > 0)
      assert.ok(norm(differences) < 0.6 * norm(expected.data), `${norm(differences) / norm(expected.data)}`)
    })
})

test('a branch of nothing but zeros does not ruin a training', async () => {
  const b = new GraphBuilder()
  const layer = (
    x: ValueName,
    name: string,
    dims: [number, number],
    weights = values(dims[0] * dims[1], dims[1]),
  ): ValueName => b.emit('MatMul', [x, b.constant(float32(dims, weights), name)])
  const first = b.emit('Relu', [layer(b.input('x', 'float32', ['N', SIZE]), 'w1', [SIZE, 32])])
  const sum = b.emit('Add', [first, layer(first, 'zero', [32, 32], new Float32Array(1024))])
  const second = b.emit('Relu', [layer(sum, 'w2', [32, 32])])
  b.output(b.emit('Identity', [layer(second, 'w3', [32, 4])], {}, 'y'), 'float32', ['N', 4])
  const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('zeros') })
  for (const renormalize of ['off', 'auto'] as const) {
    const { report } = await pack(bytes, LOADER, { renormalize, latentStart: 'weights', epochs: 2 })
    const [loss = NaN] = report.training?.history.map((epoch) => epoch.loss) ?? []
    assert.ok(loss < 5, `${renormalize}: ${loss}`)
  }
})
