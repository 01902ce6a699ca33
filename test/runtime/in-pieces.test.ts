import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkGraph } from '../../src/onnx/check-graph.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { inPieces } from '../../src/runtime/in-pieces.js'
import type { Graph, ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { float32, int64, type Tensor } from '../../src/tensor/tensor.js'

const LENGTH = 24
const OPTIONS = { from: 10, longest: 8 }

function graphOf(build: (b: GraphBuilder) => ValueName[], length = LENGTH): Graph {
  const b = new GraphBuilder()
  b.input('x', 'float32', [length])
  b.input('y', 'float32', [length])
  b.input('rate', 'float32', [])
  for (const output of build(b)) b.output(output)
  return b.build('chain')
}

async function run(graph: Graph): Promise<Map<string, number[]>> {
  checkGraph(graph)
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, type }, seed): [string, Tensor] => {
      const dims = type?.dims as readonly number[]
      return [
        name,
        float32(
          dims,
          Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 7 * seed)),
        ),
      ]
    }),
  )
  const session = await Session.create(writeModel({ irVersion: 8, opsets: new Map([['', 18]]), graph }), { threads: 1 })
  try {
    return new Map(
      Object.entries(await session.run(feeds)).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
    )
  } finally {
    await session.release()
  }
}

function operators({ nodes }: Graph): string {
  return nodes.map(({ opType }) => opType).join(' ')
}

const CASES: readonly { name: string; build: (b: GraphBuilder) => ValueName[]; expected: string }[] = [
  { name: 'a chain', build: (b) => [b.emit('Add', ['x', b.emit('Mul', ['y', 'rate'])])], expected: 'Scan' },
  {
    name: 'two results, one of them used on the way to the other',
    build: (b) => {
      const sum = b.emit('Add', ['x', 'y'])
      return [sum, b.emit('Abs', [sum])]
    },
    expected: 'Scan',
  },
  { name: 'a sum', build: (b) => [b.emit('ReduceSum', ['x'], { keepdims: 0 })], expected: 'Scan Reshape' },
  {
    name: 'a mean, kept',
    build: (b) => [b.emit('ReduceMean', [b.emit('Abs', ['x'])], { keepdims: 1 })],
    expected: 'Scan Mul Reshape',
  },
  {
    name: 'largest and smallest',
    build: (b) => [b.emit('ReduceMax', ['x'], { keepdims: 0 }), b.emit('ReduceMin', ['y'], { keepdims: 0 })],
    expected: 'Scan Reshape Reshape',
  },
  {
    name: 'what needs a sum comes in a second loop',
    build: (b) => {
      const shifted = b.emit('Add', ['x', 'rate'])
      return [b.emit('Div', [shifted, b.emit('ReduceMax', [shifted], { keepdims: 0 })])]
    },
    expected: 'Scan Reshape Scan',
  },
  {
    name: 'numbers from numbers',
    build: (b) => [b.emit('Mul', ['x', b.emit('Neg', [b.emit('ReduceSum', ['y'], { keepdims: 0 })])])],
    expected: 'Scan Reshape Neg Scan',
  },
  {
    name: 'an operator that takes the whole value',
    build: (b) => {
      const sorted = b.emitMany('TopK', [b.emit('Abs', ['x']), b.constant(int64([3]))], 2)
      return [b.emit('Sub', ['y', b.emit('ReduceMin', [sorted[0] as ValueName], { keepdims: 0 })])]
    },
    expected: 'Scan Reshape TopK ReduceMin Scan',
  },
]

for (const { name, build, expected } of CASES) {
  test(`in pieces: ${name}`, async () => {
    const whole = graphOf(build)
    const cut = inPieces(whole, OPTIONS)
    assert.equal(operators(cut), expected)
    assert.deepEqual(
      cut.inputs.map(({ type }) => type?.dims),
      [[3, 8], [3, 8], []],
    )
    const [plain, pieces] = [await run(whole), await run(cut)]
    for (const [output, values] of plain) {
      pieces.get(output)?.forEach((value, i) => {
        assert.ok(Math.abs(value - (values[i] as number)) < 1e-5, `${output}[${i}]: ${value}, expected ${values[i]}`)
      })
      assert.equal(pieces.get(output)?.length, values.length)
    }
  })
}

test('short values, and lengths without a divisor, stay whole', () => {
  const build = (b: GraphBuilder): ValueName[] => [b.emit('Add', ['x', 'y'])]
  const short = graphOf(build, 9)
  assert.equal(inPieces(short, OPTIONS), short)
  const prime = graphOf(build, 10007)
  assert.equal(inPieces(prime, { from: 10, longest: 512 }), prime)
})
