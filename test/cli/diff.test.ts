// ttq diff: what two files of a network have in common, and gates on what they have not.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { diff } from '../../src/jobs/diff.js'
import type { DiffReport } from '../../src/jobs/diff-report.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { inlineFunctions } from '../../src/onnx/inline-functions.js'
import { messages } from '../../src/onnx/proto.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { float32 } from '../../src/tensor/tensor.js'
import { pack, unpack } from '../../src/packed/index.js'
import { runHere } from './run-here.js'
import { temporaryFolder } from './run-program.js'
import { smallNetwork } from './small-network.js'

// A folder with the network, packed with and without its own names.
async function packed(): Promise<string> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'net.onnx'), smallNetwork())
  for (const more of [
    ['-o', 'a.ttq'],
    ['-o', 'named.ttq', '--keep-names', '--encoding', '2bit'],
  ])
    assert.equal((await runHere(folder, ['compress', 'net.onnx', '--data', 'none', '--quiet', ...more])).code, 0)
  return folder
}

async function differences(folder: string, ...args: string[]): Promise<{ code: number | null; report: DiffReport }> {
  const { code, stdout } = await runHere(folder, ['diff', ...args, '--json', '--quiet'])
  return { code, report: JSON.parse(stdout) as DiffReport }
}

describe('ttq diff', async () => {
  const folder = await packed()
  test('the same network: equal files, other names and encodings, the unpacked one', async () => {
    const itself = await differences(folder, 'a.ttq', 'a.ttq', '--same')
    assert.deepEqual([itself.code, itself.report.sameBytes, itself.report.tensors], [0, true, []])
    const { code, report } = await differences(folder, 'a.ttq', 'named.ttq', '--same')
    assert.deepEqual([code, report.sameBytes, report.sameNetwork, report.changedCodes], [0, false, true, 0])
    assert.ok(report.ternaryWeights > 0 && report.unchanged > 0)
    for (const { before, after, distance } of report.tensors) {
      assert.notEqual(before?.encoding, after?.encoding)
      assert.equal(distance, 0)
    }
    assert.equal((await runHere(folder, ['unpack', 'a.ttq', '-o', 'a.onnx', '--quiet'])).code, 0)
    const plain = await differences(folder, 'a.ttq', 'a.onnx', '--same')
    assert.deepEqual([plain.code, plain.report.sameNetwork, plain.report.after.version], [0, true, null])
  })

  test('another network: the codes, scales and attributes that differ', async () => {
    const found = unpack(new Uint8Array(readFileSync(join(folder, 'a.ttq'))))
    const [[name, layer]] = [...found.ternary] as [[string, { codes: Int8Array; wp: number; wn: number }]]
    const codes = layer.codes.map((code, i) => (i < 3 ? (code === 1 ? -1 : 1) : code))
    const wp = Math.fround(layer.wp * 2)
    const tensor = found.model.graph.initializers.get(name)
    const data = Float32Array.from(codes, (code) => (code > 0 ? wp : code < 0 ? -layer.wn : 0))
    found.model.graph.initializers.set(name, { ...tensor, data } as never)
    const ternary = new Map([...found.ternary, [name, { codes, wp, wn: layer.wn }]])
    writeFileSync(join(folder, 'b.ttq'), pack({ ...found, ternary }))
    const { code, report } = await differences(folder, 'a.ttq', 'b.ttq', '--same')
    assert.deepEqual([code, report.broken], [4, ['the networks differ']])
    assert.deepEqual([report.changedCodes, report.tensors.length, report.graph], [3, 1, []])
    const [changed] = report.tensors
    assert.deepEqual([changed?.name, changed?.before?.wp, changed?.after?.wp], [name, layer.wp, wp])
    const before = Float64Array.from(layer.codes, (each) => (each > 0 ? layer.wp : each < 0 ? -layer.wn : 0))
    const norm = (values: Float64Array): number => Math.hypot(...values)
    const distance = (100 * norm(before.map((value, i) => (data[i] as number) - value))) / norm(before)
    assert.ok(Math.abs((changed?.distance ?? NaN) - distance) < 1e-6 * distance)
    const shown = await runHere(folder, ['diff', 'a.ttq', 'b.ttq'])
    assert.equal(shown.code, 0)
    assert.match(shown.stdout, /^a\.ttq -> b\.ttq: the networks differ\n/)

    const other = structuredClone(unpack(new Uint8Array(readFileSync(join(folder, 'a.ttq')))))
    const node = other.model.graph.nodes.find(({ opType }) => opType === 'Gemm')
    assert.ok(node)
    node.attributes = { ...node.attributes, alpha: { kind: 'float', value: 0.5 } }
    writeFileSync(join(folder, 'c.ttq'), pack(other))
    const { report: attribute } = await differences(folder, 'a.ttq', 'c.ttq')
    assert.deepEqual([attribute.sameNetwork, attribute.tensors], [false, []])
    assert.match(attribute.graph.join('\n'), /^Gemm that makes "\w+": other attributes$/)
  })

  test('a network and what compressing made of it: tensors by their layers, what only one has in a line', async () => {
    const { report } = await differences(folder, 'net.onnx', 'a.ttq')
    assert.equal(report.sameNetwork, false)
    const { initializers } = readModel(readFileSync(join(folder, 'net.onnx'))).graph
    const both = report.tensors.filter(({ before, after }) => before !== null && after !== null)
    const matrices = [...initializers].filter(([, { dims }]) => dims.length >= 2).map(([name]) => name)
    assert.deepEqual(
      both
        .filter(({ layerDistance }) => layerDistance !== null)
        .map(({ name }) => name)
        .sort(),
      matrices.sort(),
    )
    for (const { before, after } of both) assert.deepEqual(before?.dims, after?.dims)
    const alone = report.tensors.filter(({ before }) => before === null).length
    assert.ok(alone > 0)
    const { stdout } = await runHere(folder, ['diff', 'net.onnx', 'a.ttq'])
    assert.match(stdout, new RegExp(`^new +${alone} tensors of the second file alone, \\d+ numbers$`, 'm'))
    assert.doesNotMatch(stdout.split('\ntensor ')[1] ?? 'none', /none/)
  })

  test('a factor that was divided out of the channels of a layer is no difference of the layer', () => {
    const factors = Float32Array.of(4, 0.5, -2)
    const write = (divided: boolean, form: 'Mul' | 'BatchNormalization'): Uint8Array => {
      const b = new GraphBuilder()
      const x = b.input('x', 'float32', ['N', 2, 4, 4])
      const values = Float32Array.from({ length: 6 }, (_, i) => (i + 1) / (divided ? (factors[i >> 1] as number) : 1))
      const y = b.emit('Conv', [x, b.constant(float32([3, 2, 1, 1], values), 'weight')])
      const vector = (own: readonly number[]): string => b.constant(float32([3], Float32Array.from(own)))
      const ones = [1, 1, 1]
      const scaled = !divided
        ? b.emit('Relu', [y])
        : form === 'Mul'
          ? b.emit('Mul', [b.constant(float32([3, 1, 1], factors)), y])
          : b.emit('BatchNormalization', [y, vector([...factors]), vector(ones), vector(ones), vector(ones)])
      b.output(scaled)
      return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('net') })
    }
    for (const form of ['Mul', 'BatchNormalization'] as const) {
      const after = { name: 'b.onnx', bytes: write(true, form) }
      const [weight] = diff(write(false, form), { name: 'a.onnx', after }).tensors
      assert.equal(weight?.name, 'weight')
      assert.ok((weight?.distance ?? 0) > 50, `${weight?.distance} %`)
      assert.ok((weight?.layerDistance ?? 9) < 1e-3, `${form}: ${weight?.layerDistance} %`)
    }
  })

  test('functions: their operators, attributes and wiring, in the place of the calls where that can be', () => {
    const { AttributeProto, FunctionProto, ModelProto, NodeProto, OperatorSetIdProto } = messages
    const opset = (domain: string, version: number): object => new OperatorSetIdProto({ domain, version })
    const write = (op: string, input: string[], alpha: number, body: number, docString = ''): Uint8Array => {
      const b = new GraphBuilder()
      b.input('x', 'float32', ['N', 4])
      b.push({ name: 'call', opType: 'Own', domain: 'own', inputs: ['x'], outputs: ['y'], attributes: {} })
      b.output('y')
      const opsets = new Map([
        ['', 17],
        ['own', 1],
      ])
      const proto = ModelProto.decode(writeModel({ irVersion: 8, opsets, graph: b.build('net') }))
      const nodes = [
        new NodeProto({ opType: 'Relu', input: ['a'], output: ['b'] }),
        new NodeProto({ opType: op, input, output: ['c'] }),
        new NodeProto({
          opType: 'LeakyRelu',
          input: ['c'],
          output: ['d'],
          attribute: [new AttributeProto({ name: 'alpha', type: 1, f: alpha })],
        }),
      ] as never
      const own = { name: 'Own', domain: 'own', input: ['a'], output: ['d'], node: nodes, docString }
      proto.functions = [new FunctionProto({ ...own, opsetImport: [opset('', body), opset('own', 1)] as never })]
      return ModelProto.encode(proto).finish()
    }
    const isSame = (before: Uint8Array, after: Uint8Array): boolean =>
      diff(before, { name: 'a.onnx', after: { name: 'b.onnx', bytes: after } }).sameNetwork
    for (const body of [17, 16]) {
      const plain = write('Sub', ['a', 'b'], 0.5, body)
      assert.ok(isSame(plain, write('Sub', ['a', 'b'], 0.5, body)))
      for (const other of [
        write('Add', ['a', 'b'], 0.5, body),
        write('Sub', ['b', 'a'], 0.5, body),
        write('Sub', ['a', 'b'], 0.25, body),
      ])
        assert.ok(!isSame(plain, other))
    }
    const plain = write('Sub', ['a', 'b'], 0.5, 17)
    assert.ok(isSame(plain, write('Sub', ['a', 'b'], 0.5, 17, 'a note')))
    assert.ok(isSame(plain, writeModel(inlineFunctions(readModel(plain)))))
  })

  test('0 and -0 are two networks', () => {
    const write = (value: number): Uint8Array => {
      const b = new GraphBuilder()
      b.output(b.emit('Mul', [b.input('x', 'float32', [2]), b.constant(float32([2], Float32Array.of(1, value)), 'w')]))
      return writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('net') })
    }
    const report = diff(write(0), { name: 'a.onnx', after: { name: 'b.onnx', bytes: write(-0) }, same: true })
    assert.deepEqual([report.sameNetwork, report.broken], [false, ['the networks differ']])
    assert.equal(report.tensors[0]?.distance, 0)
  })

  test('a bound on the size, and what is refused', async () => {
    const sizes = ['a.ttq', 'named.ttq'].map((file) => readFileSync(join(folder, file)).length) as [number, number]
    const growth = (100 * (sizes[1] - sizes[0])) / sizes[0]
    const gate = async (bound: number): Promise<unknown> =>
      (await differences(folder, 'a.ttq', 'named.ttq', '--max-growth', bound.toFixed(4))).code
    assert.deepEqual([await gate(growth + 0.01), await gate(growth - 0.01)], [0, 4])
    const said = async (...args: string[]): Promise<unknown[]> => {
      const { code, stderr } = await runHere(folder, ['diff', ...args, '--quiet'])
      return [code, stderr.split('. ')[0]?.trim()]
    }
    assert.deepEqual(await said('a.ttq'), [2, 'ttq: diff: found 1 file, expected two'])
    assert.deepEqual(await said('a.ttq', 'a.ttq', 'a.ttq'), [2, 'ttq: diff: found 3 files, expected two'])
    assert.deepEqual(await said('-', '-'), [2, 'ttq: diff: found - twice, expected one file on stdin'])
    writeFileSync(join(folder, 'cut.ttq'), readFileSync(join(folder, 'a.ttq')).subarray(0, 300))
    assert.equal((await said('a.ttq', 'cut.ttq'))[0], 3)
  })
})
