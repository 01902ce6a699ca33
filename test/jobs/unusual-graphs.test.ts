// What a graph may be made of although exporters hardly write it: each is compressed with data, from bytes to a result.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { foldConstants } from '../../src/binding/prepare-network.js'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { withLoaded } from '../../src/runtime/engine.js'
import { float32, int64 } from '../../src/tensor/tensor.js'

const SIZE = 16
const folder = mkdtempSync(join(tmpdir(), 'ttq-unusual-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

// A module whose samples have one input of this name.
function loader(input: string): string {
  const file = join(folder, `${input}.mjs`)
  const code = `const split = (size, shift) => ({ size, batch: (indices) => ({
  inputs: { ['${input}']: Float32Array.from({ length: indices.length * ${SIZE} }, (_, i) =>
    Math.sin(indices[Math.floor(i / ${SIZE})] * 7.3 + (i % ${SIZE}) + shift)) },
  labels: indices.map((index) => index % 4) }) })
export const classes = 4, train = split(64, 0), test = split(16, 1)
`
  writeFileSync(file, code)
  return file
}

const values = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + i * 1.7) * 0.3)

function weight(b: GraphBuilder, name: string, ...dims: number[]): ValueName {
  const count = dims.reduce((product, dim) => product * dim, 1)
  return b.constant(float32(dims, values(count, name.length + count)), name)
}

// x -> first -> what a case puts in between, [N, SIZE] to [N, SIZE] -> last -> y.
function network(between: (b: GraphBuilder, x: ValueName) => ValueName, opset = 17): Uint8Array {
  const b = new GraphBuilder()
  const x = b.input('x', 'float32', ['N', SIZE])
  const first = b.emit('Relu', [b.emit('MatMul', [x, weight(b, 'first', SIZE, SIZE)])])
  b.emit('MatMul', [between(b, first), weight(b, 'last', SIZE, 4)], {}, 'y')
  b.output('y', 'float32', ['N', 4])
  return writeModel({ irVersion: 8, opsets: new Map([['', opset]]), graph: b.build('unusual') })
}

const trained = async (bytes: Uint8Array, further: Partial<CompressRequest> = {}): Promise<CompressResult> =>
  await compress(bytes, {
    name: 'unusual.onnx',
    data: loader('x'),
    anyway: true,
    epochs: 1,
    threads: 1,
    keepNames: true,
    ...further,
  })

async function outputOf(bytes: Uint8Array): Promise<Float32Array> {
  const x = float32([3, SIZE], values(3 * SIZE, 5))
  const results = await withLoaded(onnxRuntime, bytes, { threads: 1 }, (graph) => graph.run({ x }, ['y']))
  return results['y']?.data as Float32Array
}

test('nodes may be called like values that others give', async () => {
  const model = readModel(network((b, x) => b.emit('MatMul', [x, weight(b, 'middle', SIZE, SIZE)])))
  const [one, ...others] = model.graph.nodes
  const called = (names: readonly string[]): Uint8Array =>
    writeModel({
      ...model,
      graph: { ...model.graph, nodes: model.graph.nodes.map((node, i) => ({ ...node, name: names[i] ?? '' })) },
    })
  const given = ['middle', 'x', ...others.flatMap(({ outputs }) => outputs), ...(one?.outputs ?? [])]
  const bytes = called(given)
  assert.deepEqual(
    readModel(bytes).graph.nodes.map(({ name }) => name),
    given.slice(0, model.graph.nodes.length),
  )
  const { report } = await trained(bytes)
  const { report: plain } = await trained(called([]))
  assert.deepEqual(report.layers, plain.layers)
})

test('a weight that another tool has quantized stays, where there is room to compute it, too', async () => {
  const bytes = network((b, x) => {
    const codes = {
      type: 'int8',
      dims: [SIZE, SIZE],
      data: Int8Array.from(values(SIZE ** 2, 3), (v) => 400 * v),
    } as const
    const dequantized = b.emit('DequantizeLinear', [b.constant(codes, 'codes'), b.constant(float32([], [0.0025]))])
    return b.emit('MatMul', [b.emit('MatMul', [x, weight(b, 'middle', SIZE, SIZE)]), dequantized])
  })
  const first = await trained(bytes)
  assert.deepEqual(ternaryLayers(first), ['middle'])
  const again = writeModel(unpack(first.file, { name: 'first' }).model)
  assert.deepEqual(ternaryLayers(await trained(again, { epochs: 0 })), ['middle'])
})

const ternaryLayers = ({ report }: CompressResult): string[] =>
  report.layers.filter(({ ternary }) => ternary).map(({ name }) => name)

for (const [name, lowest] of [
  ['minus infinity', -Infinity],
  ['the lowest float32', -3.4028234663852886e38],
] as const) {
  for (const opType of ['Add', 'Gemm']) {
    test(`a mask of ${name} behind a layer, by ${opType}, is no bias that learns`, async () => {
      const result = await trained(
        network((b, x) => {
          const masked = Float32Array.from({ length: SIZE }, (_, i) => (i % 5 === 0 ? lowest : 0))
          const mask = b.constant(float32([SIZE], masked), 'mask')
          const wide = weight(b, 'middle', SIZE, SIZE)
          const scores =
            opType === 'Gemm' ? b.emit('Gemm', [x, wide, mask]) : b.emit('Add', [b.emit('MatMul', [x, wide]), mask])
          return b.emit('Softmax', [scores], { axis: -1 })
        }),
      )
      assert.deepEqual(ternaryLayers(result), ['middle'])
    })
  }
}

for (const input of ['x', '__proto__']) {
  test(`values called __proto__, the input ${input}`, async () => {
    const b = new GraphBuilder()
    const x = b.input(input, 'float32', ['N', SIZE])
    const hidden = b.emit('Relu', [b.emit('MatMul', [x, weight(b, 'first', SIZE, SIZE)])])
    b.emit('MatMul', [hidden, weight(b, 'last', SIZE, 4)], {}, input === 'x' ? '__proto__' : 'y')
    b.output(input === 'x' ? '__proto__' : 'y', 'float32', ['N', 4])
    const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('named') })
    assert.deepEqual(ternaryLayers(await trained(bytes, { ternary: ['*'], data: loader(input) })), ['first', 'last'])
  })
}

for (const equation of ['bi,ij->bj', 'bi,ij', '...i, ji -> ...j', 'ij,bi->bj', 'ki,zi->zk']) {
  test(`an Einsum ${equation} with a constant matrix is a layer`, async () => {
    const result = await trained(
      network((b, x) => {
        const matrix = weight(b, 'middle', SIZE, SIZE)
        const isFirst = !/^(b|\.)/.test(equation)
        const product = b.emit('Einsum', isFirst ? [matrix, x] : [x, matrix], { equation })
        return b.emit('Relu', [product])
      }),
      { epochs: undefined, data: undefined, anyway: undefined },
    )
    assert.deepEqual(ternaryLayers(result), [/ji|ki/.test(equation) ? 'middle_turned' : 'middle'])
    assert.ok(result.report.reconstruction?.distance !== undefined)
  })
}

// Heads: how the rows come and go, and the weight's axes.
for (const [equation, dims, before, after] of [
  ['bi,ihd->bhd', [SIZE, 4, 4], [], [-1, 16]],
  ['bi,hdi->bhd', [4, 4, SIZE], [], [-1, 16]],
  ['bhd,hdo->bo', [2, SIZE / 2, 16], [-1, 2, SIZE / 2], []],
  ['hod,bdh->bo', [2, 16, SIZE / 2], [-1, SIZE / 2, 2], []],
  ['...hd,hde->...e', [2, SIZE / 2, 16], [-1, 2, SIZE / 2], []],
] as const) {
  test(`an Einsum ${equation} with constants is a layer and gives what it gave`, async () => {
    const shaped = (b: GraphBuilder, value: string, to: readonly number[]): string =>
      to.length === 0 ? value : b.emit('Reshape', [value, b.constant(int64(to))])
    const bytes = network((b, x) => {
      const own = weight(b, 'heads', ...dims)
      const rows = shaped(b, x, before)
      const product = b.emit('Einsum', equation.startsWith('ho') ? [own, rows] : [rows, own], { equation })
      return shaped(b, product, after)
    })
    const whole = await trained(bytes)
    assert.equal(ternaryLayers(whole).length, 1)
    const plain = writeModel(await foldConstants(onnxRuntime, readModel(bytes)))
    const [was, is] = [await outputOf(bytes), await outputOf(plain)]
    assert.ok(was.length === 3 * 4 && was.every((value, i) => Math.abs(value - (is[i] as number)) < 1e-5))
  })
}

// In any order of the axes, of the rows, the constants and the result.
for (const [equation, rows, dims, size] of [
  ['hbd,hdo->bo', [2, -1, SIZE / 2], [2, SIZE / 2, 16], 16],
  ['bds,dho->bhso', [-1, 2, SIZE / 2], [2, 2, 4], 64],
  ['bsd,hdo->bohs', [-1, 4, 4], [2, 4, 2], 16],
  ['dbs,ohd->sbho', [2, -1, SIZE / 2], [4, 2, 2], 64],
] as const) {
  test(`an Einsum ${equation} is a product between transpositions`, async () => {
    const bytes = network((b, x) => {
      const shaped = b.emit('Reshape', [x, b.constant(int64(rows))])
      const product = b.emit('Einsum', [shaped, weight(b, 'heads', ...dims)], { equation })
      const flat = b.emit('Reshape', [product, b.constant(int64([-1, size]))])
      return b.emit('MatMul', [flat, weight(b, 'behind', size, SIZE)])
    })
    const plain = await foldConstants(onnxRuntime, readModel(bytes))
    assert.ok(!plain.graph.nodes.some(({ opType }) => opType === 'Einsum'))
    const [was, is] = [await outputOf(bytes), await outputOf(writeModel(plain))]
    assert.ok(was.length === 3 * 4 && was.every((value, i) => Math.abs(value - (is[i] as number)) < 1e-5))
  })
}

// A size of 1 stands for as many as the other operand has: of the rows, which are spread then, or of the constants.
for (const [equation, rows, dims, after, isLayer] of [
  ['bhd,hdo->bo', [-1, 1, SIZE], [2, SIZE, 16], [], true],
  ['bhd,hdo->bo', [-1, SIZE, 1], [SIZE, 4, 16], [], true],
  ['bhd,hdo->bo', [-1, 4, 4], [1, 4, 16], [], false],
  ['bhd,hdo->bo', [-1, 1, SIZE], [SIZE, 1, 16], [], false],
  ['bhd,ho->bdo', [-1, 1, SIZE], [4, 4], [-1, SIZE * 4], true],
] as const) {
  test(`an Einsum ${equation} of rows ${rows.join('x')} and constants ${dims.join('x')} gives what it gave`, async () => {
    const bytes = network((b, x) => {
      const shaped = b.emit('Reshape', [x, b.constant(int64(rows))])
      const product = b.emit('Einsum', [shaped, weight(b, 'heads', ...dims)], { equation })
      const flat = after.length === 0 ? product : b.emit('Reshape', [product, b.constant(int64(after))])
      return after.length === 0 ? flat : b.emit('MatMul', [flat, weight(b, 'behind', SIZE * 4, SIZE)])
    })
    const plain = await foldConstants(onnxRuntime, readModel(bytes))
    assert.equal(!plain.graph.nodes.some(({ opType }) => opType === 'Einsum'), isLayer)
    const [was, is] = [await outputOf(bytes), await outputOf(writeModel(plain))]
    assert.ok(was.length === 3 * 4 && was.every((value, i) => Math.abs(value - (is[i] as number)) < 1e-5))
  })
}

test('constants with heads that two Einsums use, one the other way round, are one weight', async () => {
  const result = await trained(
    network((b, x) => {
      const table = weight(b, 'table', SIZE, 4, 4)
      const heads = b.emit('Einsum', [x, table], { equation: 'bi,ihd->bhd' })
      return b.emit('Einsum', [b.emit('Relu', [heads]), table], { equation: 'bhd,ihd->bi' })
    }),
  )
  assert.equal(ternaryLayers(result).length, 1)
})

test('an Einsum that is more than that stays, and a weight whose type is asked for is a layer', async () => {
  const result = await trained(
    network((b, x) => {
      const likeIt = b.emit('CastLike', [x, weight(b, 'middle', SIZE, SIZE)])
      // Each row has a matrix of its own.
      const rows = b.emit('Reshape', [b.emit('MatMul', [likeIt, 'middle']), b.constant(int64([-1, 4, SIZE / 4]))])
      const heads = b.emit('Einsum', [rows, weight(b, 'heads', 4, SIZE / 4, 4)], { equation: 'bhi,hid->bhd' })
      return b.emit('Flatten', [heads], { axis: 1 })
    }),
  )
  assert.deepEqual(ternaryLayers(result), ['middle'])
  const { nodes } = unpack(result.file).model.graph
  assert.ok(nodes.some(({ opType }) => opType === 'Einsum') && !nodes.some(({ opType }) => opType === 'CastLike'))
})

test('names that hold NUL characters, of which one begins as another ends there', async () => {
  const result = await trained(
    network((b, x) => {
      const first = b.emit('MatMul', [x, weight(b, 'w\0one', SIZE, SIZE)])
      return b.emit('MatMul', [first, weight(b, 'w\0', SIZE, SIZE)], {}, 'hidden\0')
    }),
  )
  assert.deepEqual(ternaryLayers(result), ['w_one', 'w_'])
  assert.doesNotMatch(result.report.warnings.join('\n'), /NUL/)
})

test('inputs and outputs whose names hold NUL are named, with what they are called in the file', async () => {
  const b = new GraphBuilder()
  const x = b.input('x\0in', 'float32', ['N', SIZE])
  const middle = b.emit('MatMul', [
    b.emit('MatMul', [x, weight(b, 'first', SIZE, SIZE)]),
    weight(b, 'middle', SIZE, SIZE),
  ])
  b.output(b.emit('MatMul', [middle, weight(b, 'last', SIZE, 2)], {}, 'y\0'), 'float32', ['N', 2])
  const bytes = writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('ends') })
  const { report } = await compress(bytes, { name: 'm.onnx', data: 'none' })
  const warned = report.warnings.filter((warning) => warning.includes('NUL'))
  assert.deepEqual(
    warned.map((warning) => warning.match(/"[^"]*"/g)),
    [
      ['"x\\0in"', '"x_in"'],
      ['"y\\0"', '"y_"'],
    ],
  )
})
