// ttq-onnx/kernels: the outputs of the same network as one session gives them, whatever is around the products; what
// stays the runtime's; faults.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import * as node from 'onnxruntime-node'
import * as web from 'onnxruntime-web'
import { TERNARY_ENCODINGS } from '../../src/kernels/find-products.js'
import type { KernelOptions } from '../../src/kernels/index.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { DECODINGS } from '../../src/packed/decodings.js'
import { float32, int64 } from '../../src/tensor/tensor.js'
import { emptyInitializer, file2, graphBytes } from '../packed/packed-files.js'
import { runtime } from '../standalone/runtime.js'
import { kernels } from './kernels.js'
import { TernaryNetwork } from './ternary-networks.js'

const ROOT = resolve(import.meta.dirname, '../../..')

const SMALL: KernelOptions = { leastWeights: 1000, session: { intraOpNumThreads: 1 } }

type Values = Readonly<Record<string, node.Tensor>>

const tensor = (data: Float32Array, ...dims: number[]): node.Tensor => new node.Tensor('float32', data, dims)

/** Runs the file both ways, compares, and gives how many products the kernel had. */
async function sameOutputs(file: Uint8Array, feeds: Values): Promise<number> {
  const session = await kernels.createSession(file, node, SMALL)
  const whole = await runtime.createSession(file, node)
  assert.deepEqual(session.inputNames, whole.inputNames)
  assert.deepEqual(session.outputNames, whole.outputNames)
  // Twice: nothing of a run is left in the next.
  await session.run(feeds)
  close(await session.run(feeds), await whole.run(feeds))
  await session.release()
  return session.kernelLayers.length
}

function close(found: Values, expected: Values): void {
  assert.deepEqual(Object.keys(found), Object.keys(expected))
  for (const [name, { dims, type, data }] of Object.entries(expected)) {
    assert.deepEqual([found[name]?.dims, found[name]?.type], [dims, type])
    const values = data as Float32Array
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const own = found[name]?.data as Float32Array
    values.forEach((value, i) => {
      assert.ok(Math.abs((own[i] as number) - value) <= 1e-4 * largest, `${name}[${i}]: ${own[i]}, not ${value}`)
    })
  }
}

/** x [N, 300] -> y [N, 100], two layers with ReLU between. */
function twoLayers(b = new TernaryNetwork()): TernaryNetwork {
  b.input('x', 'float32', ['N', 300])
  const first = b.emit('Gemm', ['x', b.matrix('first', 200, 300), b.vector('shift', 200)], { transB: 1 })
  b.emit('Gemm', [b.emit('Relu', [first]), b.matrix('second', 200, 100)], {}, 'y')
  b.output('y', 'float32', ['N', 100])
  return b
}

describe('two large layers', () => {
  const b = twoLayers()
  const expected = [
    { weight: 'first', inputs: 300, outputs: 200 },
    { weight: 'second', inputs: 200, outputs: 100 },
  ]

  for (const encoding of ['2bit', 'base3', 'entropy', 'auto'] as const)
    test(`stored as ${encoding}`, async () => {
      for (const rows of [1, 6]) {
        const x = tensor(b.numbers(rows * 300), rows, 300)
        assert.equal(await sameOutputs(b.packed({ encoding }), { x }), 2)
      }
    })

  test('onnxruntime-web', async () => {
    const file = b.packed()
    const options = { ...SMALL, session: { executionProviders: ['wasm'] } }
    web.env.wasm.numThreads = 1
    const session = await kernels.createSession(file, web, options)
    const whole = await runtime.createSession(file, web, options)
    const feeds = { x: new web.Tensor('float32', b.numbers(300), [1, 300]) }
    close(await session.run(feeds), await whole.run(feeds))
    assert.deepEqual(session.kernelLayers, expected)
    await session.release()
    await whole.release()
  })

  test('their weights reach no session, and take 1.6 bits', async () => {
    const given: number[] = []
    const ort = {
      Tensor: node.Tensor,
      InferenceSession: {
        create: (model: Uint8Array, options?: object) => {
          given.push(model.length)
          return node.InferenceSession.create(model, options)
        },
      },
    }
    const session = await kernels.createSession(b.packed(), ort, SMALL)
    assert.deepEqual(session.kernelLayers, expected)
    // Between them ReLU and 200 floats of the shift; before and behind nothing.
    assert.equal(given.length, 1)
    assert.ok(given.every((bytes) => bytes < 2000))
    assert.equal(session.codeBytes, 8 * 8 * 200 + 5 * 8 * 100)
  })

  test('a million weights at least, unless said otherwise', async () => {
    const session = await kernels.createSession(b.packed(), node)
    assert.deepEqual([session.kernelLayers, session.codeBytes], [[], 0])
    const feeds = { x: tensor(b.numbers(300), 1, 300) }
    close(await session.run(feeds), await (await runtime.createSession(b.packed(), node)).run(feeds))
  })
})

describe('what stands around a product', () => {
  const x = tensor(new TernaryNetwork().numbers(2 * 40), 2, 40)
  const network = (build: (b: TernaryNetwork) => void, output: (number | string)[] = ['N', 50]): Uint8Array => {
    const b = new TernaryNetwork()
    b.input('x', 'float32', ['N', 40])
    build(b)
    b.output('y', 'float32', output)
    return b.packed()
  }
  const CASES: Readonly<Record<string, [products: number, file: Uint8Array]>> = {
    'factors of Gemm': [
      1,
      network((b) => {
        const factors = { alpha: { float: -0.5 }, beta: { float: 3 } }
        b.emit('Gemm', ['x', b.matrix('w', 40, 50), b.vector('c', 50)], factors, 'y')
      }),
    ],
    'a third input that counts for nothing': [
      1,
      network((b) => {
        b.emit('Gemm', ['x', b.matrix('w', 40, 50), b.vector('c', 50)], { beta: { float: 0 } }, 'y')
      }),
    ],
    'a third input that is computed': [
      1,
      network((b) => {
        const c = b.emit('ReduceMax', ['x'], { keepdims: 1, axes: [1] })
        b.emit('Gemm', ['x', b.matrix('w', 50, 40), c], { transB: 1 }, 'y')
      }),
    ],
    'a product that is an output, and used': [
      2,
      network((b) => {
        const y = b.emit('MatMul', ['x', b.matrix('w', 40, 50)], {}, 'y')
        b.emit('MatMul', [b.emit('Relu', [y]), b.matrix('v', 50, 30)], {}, 'z')
        b.output('z', 'float32', ['N', 30])
      }),
    ],
    'two products of one value, joined': [
      2,
      network((b) => {
        const some = b.emit('Tanh', ['x'])
        const both = ['v', 'w'].map((name) => b.emit('MatMul', [some, b.matrix(name, 40, 25)]))
        b.emit('Concat', both, { axis: 1 }, 'y')
      }),
    ],
    'more dimensions than two': [
      1,
      network(
        (b) => {
          const cube = b.emit('Reshape', ['x', b.constant(int64([1, 2, -1, 40]))])
          b.emit('MatMul', [cube, b.matrix('w', 40, 50)], {}, 'y')
        },
        [1, 2, 'N', 50],
      ),
    ],
    'whole numbers that pass by': [
      1,
      network((b) => {
        const shape = b.emit('Shape', ['x'])
        const rows = b.emit('Slice', [shape, b.constant(int64([0])), b.constant(int64([1]))])
        const target = b.emit('Concat', [rows, b.constant(int64([50]))], { axis: 0 })
        b.emit('Reshape', [b.emit('MatMul', ['x', b.matrix('w', 40, 50)]), target], {}, 'y')
      }),
    ],
    'branches that take it': [
      1,
      network((b) => {
        const product = b.emit('MatMul', ['x', b.matrix('w', 40, 50)])
        const branch = (operator: string) => {
          const inner = new GraphBuilder()
          inner.output(inner.emit(operator, [product], {}, `${operator} inside`), 'float32', ['N', 50])
          return { kind: 'graph', value: inner.build(operator) } as const
        }
        const first = b.emit('Gather', [b.emit('Flatten', ['x'], { axis: 0 }), b.constant(int64([0]))], { axis: 1 })
        const isPositive = b.emit('Greater', [first, b.constant(float32([], [0]))])
        const branches = { then_branch: branch('Relu'), else_branch: branch('Neg') }
        b.emit('If', [isPositive], branches, 'y')
      }),
    ],
    'an output that is an input': [
      1,
      network((b) => {
        b.emit('MatMul', ['x', b.matrix('w', 40, 50)], {}, 'y')
        b.output('x', 'float32', ['N', 40])
      }),
    ],
    'weights that two layers have in common': [
      0,
      network((b) => {
        const w = b.matrix('w', 40, 50)
        b.emit('Add', [b.emit('MatMul', ['x', w]), b.emit('MatMul', [b.emit('Neg', ['x']), w])], {}, 'y')
      }),
    ],
    'weights on the left': [
      0,
      network(
        (b) => {
          b.emit('MatMul', [b.matrix('w', 50, 40), b.emit('Transpose', ['x'], { perm: [1, 0] })], {}, 'y')
        },
        [50, 'N'],
      ),
    ],
    'inputs on their side': [
      0,
      network((b) => {
        const turned = b.emit('Transpose', ['x'], { perm: [1, 0] })
        b.emit('Gemm', [turned, b.matrix('w', 40, 50)], { transA: 1 }, 'y')
      }),
    ],
  }

  for (const [name, [products, file]] of Object.entries(CASES))
    test(name, async () => {
      assert.equal(await sameOutputs(file, { x }), products)
    })

  test('an opset whose Gemm spreads otherwise', async () => {
    const b = new TernaryNetwork()
    b.input('x', 'float32', ['N', 40])
    b.emit('MatMul', ['x', b.matrix('w', 40, 50)], {}, 'y')
    b.output('y', 'float32', ['N', 50])
    const quiet = { ...SMALL, session: { logSeverityLevel: 4 } }
    const session = await kernels.createSession(b.packed({ opset: 6 }), node, quiet)
    assert.deepEqual(session.kernelLayers, [])
  })
})

describe('faults', () => {
  const b = twoLayers()

  test('feeds that are not the inputs', async () => {
    const session = await kernels.createSession(b.packed(), node, SMALL)
    await assert.rejects(session.run({ z: tensor(b.numbers(300), 1, 300) }), {
      name: 'TtqError',
      code: 'usage',
      message: 'feeds: found "z", expected "x"',
    })
    await assert.rejects(session.run({}), { message: 'feeds: found none, expected "x"' })
  })

  test('inputs that do not fit a layer', async () => {
    const session = await kernels.createSession(b.packed(), node, SMALL)
    await assert.rejects(session.run({ x: tensor(b.numbers(298), 1, 298) }), {
      code: 'usage',
      message: 'layer "first": found an input float32 [1,298], expected float32 [...,300]',
    })
    const wide = new node.Tensor('float64', Float64Array.from(b.numbers(300)), [1, 300])
    await assert.rejects(session.run({ x: wide }), {
      message: 'layer "first": found an input float64 [1,300], expected float32 [...,300]',
    })
  })

  test('damaged files, as the runtime says it', async () => {
    const file = b.packed()
    for (const at of [5, file.length >> 1, file.length - 40]) {
      const damaged = file.slice()
      damaged[at]! ^= 1
      const said: unknown = await runtime.decodeFrom(damaged).catch((error: unknown) => error)
      assert.ok(said instanceof runtime.TtqError)
      await assert.rejects(kernels.createSession(damaged, node, SMALL), { message: said.message, code: 'packed' })
    }
    await assert.rejects(kernels.createSession(file.subarray(0, -1), node, SMALL), runtime.TtqError)
  })
})

test('a node that is none', async () => {
  const graph = graphBytes(emptyInitializer('w', 1))
  // The length of the name of its input.
  graph[graph.indexOf('x'.charCodeAt(0)) - 1] = 120
  await assert.rejects(kernels.createSession(file2({ graph }), node, { name: 'odd.ttq' }), {
    name: 'TtqError',
    code: 'packed',
    message: 'odd.ttq: graph section: found no ONNX model, expected one',
  })
})

test('the ternary encodings are those of the format', () => {
  const ternary = DECODINGS.filter(({ name }) => ['ternary2', 'base3', 'entropy'].includes(name))
  assert.deepEqual(
    ternary.map(({ id }) => id),
    TERNARY_ENCODINGS,
  )
})

describe('the file that pages load', () => {
  const code = readFileSync(join(ROOT, 'dist/kernels.js'))

  test('at most 15 kB, 6 kB as servers send it', () => {
    assert.ok(code.length <= 15_000, `${code.length} bytes`)
    const sent = brotliCompressSync(code).length
    assert.ok(sent <= 6_000, `${sent} bytes`)
  })

  test('imports the runtime beside it and nothing else, and names nothing that only Node has', () => {
    const sources = [...code.toString().matchAll(/from"([^"]*)"/g)].map((match) => match[1])
    assert.deepEqual([...new Set(sources)], ['./runtime.js'])
    assert.doesNotMatch(code.toString(), /\b(require|process|Buffer|global)\b|import\(/)
  })
})
