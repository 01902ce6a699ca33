// inspect on small networks with the peculiarities of real exporters; that ONNX Runtime can take them is checked beside
// it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, Model } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { numberToFloat16 } from '../../src/tensor/float-values.js'
import { FORMS } from '../../src/unpacking/unpacked-forms.js'
import { float32, int64 } from '../../src/tensor/tensor.js'
import { compress } from '../../src/jobs/compress.js'
import { checkRuns } from '../../src/execution/check-runs.js'
import { inspectModel, type InspectReport } from '../../src/jobs/inspect.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'

const OPSETS: readonly [string, number][] = [['', 13]]

function modelOf(graph: Graph, opsets = OPSETS): Model {
  return { irVersion: 8, opsets: new Map(opsets), graph }
}

async function inspect(graph: Graph): Promise<InspectReport> {
  return await inspectModel(writeModel(modelOf(graph)), { name: 'net.onnx' })
}

function weights(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i % 4 === 0 ? 0 : (i % 3) - 1.25))
}

// Three fully connected layers, the weight of the last behind a Reshape of a constant, as CNTK leaves it.
function reshapedWeight(): GraphBuilder {
  const b = new GraphBuilder()
  let value = b.input('x', 'float32', [1, 8])
  for (const name of ['w1', 'w2'])
    value = b.emit('MatMul', [value, b.constant(float32([8, 8], weights(64)), name === 'w1' ? 'w1' : 'w2')])
  const last = b.emit(
    'Reshape',
    [
      b.constant(
        float32(
          [2, 4, 8],
          weights(64).map((w) => w * 2),
        ),
        'w3',
      ),
      b.constant(int64([8, 8])),
    ],
    {},
    'w3_reshaped',
  )
  b.output(b.emit('MatMul', [value, last]))
  return b
}

describe('layers', () => {
  test('whose weights the file has packed are found with their levels and bits, small ones and large', async () => {
    const b = new GraphBuilder()
    const ternary = new Map<string, { codes: Int8Array; wp: number; wn: number }>()
    const sizes = [32, 48, 5210, 48, 10] as const
    let value = b.input('x', 'float32', ['N', 32])
    for (let i = 0; i + 1 < sizes.length; i++) {
      const dims = [sizes[i] as number, sizes[i + 1] as number]
      const codes = Int8Array.from({ length: (dims[0] ?? 0) * (dims[1] ?? 0) }, (_, at) => ((at % 7) % 3) - 1)
      const [wp, wn] = [0.5 + i, 0.25]
      const values = Float32Array.from(codes, (code) => (code === 1 ? wp : code * wn))
      value = b.emit('MatMul', [value, b.constant(float32(dims, values), `w${i}`)])
      ternary.set(`w${i}`, { codes, wp, wn })
    }
    b.output(value)
    const packed = { model: modelOf(b.build('packed')), ternary, rest: new Map(), metadata: {} }
    const bytes = FORMS.packed.write(packed)
    const { layers, parameters, nodes } = await inspectModel(bytes, { name: 'packed.onnx' })
    assert.ok(nodes > 10)
    assert.deepEqual(
      layers.map(({ name, wp, wn, ternary: isTernary, isComputed }) => [name, wp, wn, isTernary, isComputed]),
      [...ternary].map(([name, { wp, wn }]) => [name, wp, wn, true, true]),
    )
    const counts = layers.map(({ shape: [rows = 0, columns = 0] }) => rows * columns)
    assert.equal(
      parameters,
      counts.reduce((sum, count) => sum + count),
    )
    const all = layers.reduce((sum, { bitsPerWeight }, i) => sum + (bitsPerWeight * (counts[i] ?? 0)) / 8, 0)
    assert.ok(all < bytes.length && all > 0.9 * bytes.length, `${all} of ${bytes.length} bytes`)
    assert.ok((layers[1]?.bitsPerWeight ?? 0) > 2 && (layers[1]?.bitsPerWeight ?? 9) < 2.2)
  })

  test('behind constant arithmetic are found, as compress finds them', async () => {
    const b = reshapedWeight()
    b.initializers.set('w2', float32([8, 8], weights(64).reverse()))
    const first = b.nodes[1]
    if (first !== undefined) b.nodes[1] = { ...first, inputs: [first.inputs[0] ?? '', 'w2'] }
    const report = await inspect(b.build('net'))
    assert.deepEqual(
      report.layers.map(({ name, reason }) => [name, reason]),
      [
        ['w1', 'first layer'],
        ['w2', undefined],
        ['w3_reshaped', 'last layer'],
      ],
    )
    assert.equal(report.nodes, 4)
    assert.equal(report.refusal, undefined)
  })

  test('of three values are what compress makes of them, with no scale for a sign that no weight has', async () => {
    const weights: Record<string, Float32Array> = {
      first: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
      same: new Float32Array(64).fill(0.5),
      none: Float32Array.from({ length: 64 }, (_, i) => (i % 3) / 2).map((value) => (value > 0.5 ? 0.25 : 0)),
      last: Float32Array.from({ length: 64 }, (_, i) => Math.cos(i)),
    }
    const b = new GraphBuilder()
    let x = b.input('x', 'float32', ['N', 8])
    for (const [name, data] of Object.entries(weights))
      x = b.emit('Relu', [b.emit('MatMul', [x, b.constant(float32([8, 8], data), name)])])
    b.output(x, 'float32', undefined)
    const { layers } = await inspect(b.build('net'))
    const { report } = await compress(writeModel(modelOf(b.build('net'))), {
      name: 'm',
      threads: 1,
    })
    assert.deepEqual(
      layers.map(({ reason }) => reason),
      report.layers.map(({ reason }) => reason),
    )
    assert.deepEqual(
      layers.map(({ ternary, wp, wn }) => [ternary, wp, wn]),
      [
        [false, null, null],
        [true, 0.5, null],
        [true, 0.25, null],
        [false, null, null],
      ],
    )
    assert.deepEqual(
      report.layers.slice(1, 3).map(({ wn }) => wn),
      [null, null],
    )
  })

  test('of half precision have their signs counted', async () => {
    const b = new GraphBuilder()
    const data = Uint16Array.from([1.5, -0, 0, -2, -0.25, 7], numberToFloat16)
    b.output(
      b.emit('MatMul', [b.input('x', 'float16', [1, 2]), b.constant({ type: 'float16', dims: [2, 3], data }, 'w')]),
      'float16',
    )
    const [layer] = (await inspect(b.build('net'))).layers
    assert.deepEqual([layer?.negatives, layer?.zeros, layer?.positives], [2, 2, 2])
  })

  test('whose constants ONNX Runtime cannot compute are described as they stand', async () => {
    const b = reshapedWeight()
    const reshape = b.nodes.find(({ opType }) => opType === 'Reshape')
    if (reshape !== undefined) b.nodes[b.nodes.indexOf(reshape)] = { ...reshape, inputs: ['w3', 'w3'] }
    const report = await inspect(b.build('net'))
    assert.deepEqual(
      report.layers.map(({ name }) => name),
      ['w1'],
    )
  })
})

describe('networks without a layer to compress', () => {
  test('are refused in the words of compress', async () => {
    const b = new GraphBuilder()
    b.output(b.emit('Relu', [b.input('x', 'float32', [1, 8])]))
    assert.equal(
      (await inspect(b.build('net'))).refusal,
      'onnx: graph "net": no Conv, ConvTranspose, Gemm or MatMul among 1 nodes (Relu), expected at least one ' +
        'layer that can become ternary',
    )
  })

  test('whose weights are what Gemm multiplies from the left', async () => {
    const b = new GraphBuilder()
    const w = b.constant(float32([8, 8], weights(64)), 'w')
    b.output(b.emit('Gemm', [w, b.input('x', 'float32', [8, 2])]))
    assert.match((await inspect(b.build('net'))).refusal ?? '', /the weights of Gemm are its first operand/)
  })

  test('constants in the bodies of control flow are parameters', async () => {
    const body = new GraphBuilder(['x', 'condition'])
    body.output(body.emit('MatMul', ['x', body.constant(float32([8, 8], weights(64)), 'w')], {}, 'inner'))
    const b = new GraphBuilder()
    b.input('x', 'float32', [1, 8])
    b.input('condition', 'bool', [])
    b.output(b.emit('If', ['condition']))
    const [node] = b.nodes
    if (node !== undefined)
      b.nodes[0] = {
        ...node,
        attributes: {
          then_branch: { kind: 'graph', value: body.build('then') },
          else_branch: { kind: 'graph', value: body.build('else') },
        },
      }
    const report = await inspect(b.build('net'))
    assert.equal(report.parameters, 128)
    assert.match(report.refusal ?? '', /all 2 layers stay in full precision \(2 x first layer\)/)
  })
})

describe('checkRuns', () => {
  function withDomain(domain: string): GraphBuilder {
    const b = new GraphBuilder()
    b.output(b.emit('Relu', [b.input('x', 'float32', [1, 8])]))
    const [node] = b.nodes
    if (node !== undefined) b.nodes[0] = { ...node, domain }
    return b
  }

  test('takes what ONNX Runtime takes', async () => {
    await checkRuns(onnxRuntime, modelOf(withDomain('').build('net')), 'net.onnx', new Set())
  })

  test('names foreign operators', async () => {
    await assert.rejects(
      checkRuns(onnxRuntime, modelOf(withDomain('acme').build('net'), [...OPSETS, ['acme', 1]]), 'net.onnx', new Set()),
      (error) => {
        assert.ok(error instanceof TtqError)
        assert.equal(error.code, 'unsupported')
        assert.equal(
          error.message,
          'onnx: net.onnx: operators that ONNX Runtime does not have (acme.Relu), expected a network that ONNX ' +
            'Runtime runs',
        )
        return true
      },
    )
  })

  test('names outputs of types that nobody can fetch', async () => {
    const b = new GraphBuilder()
    b.output(b.emit('Cast', [b.input('x', 'float32', [1, 8])], { to: 16 }, 'half'), 'bfloat16')
    await assert.rejects(checkRuns(onnxRuntime, modelOf(b.build('net')), 'net.onnx', new Set()), {
      code: 'unsupported',
      message:
        'onnx: net.onnx: output "half" is of type bfloat16: types that onnxruntime-node does not carry, ' +
        'expected a network that ONNX Runtime runs',
    })
  })

  test('gives the reason of ONNX Runtime otherwise', async () => {
    const b = new GraphBuilder()
    b.output(b.emit('NoSuchOperator', [b.input('x', 'float32', [1, 8])]))
    await assert.rejects(checkRuns(onnxRuntime, modelOf(b.build('net')), 'net.onnx', new Set()), {
      code: 'unsupported',
      message: /^onnx: net\.onnx: onnxruntime: .*NoSuchOperator/,
    })
  })
})
