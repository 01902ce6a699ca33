// Functions of a model in the place of their calls: the same results, and every name its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/errors/ttq-error.js'
import { subgraphs } from '../../src/onnx/attributes.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { inlineFunctions } from '../../src/onnx/inline-functions.js'
import { messages } from '../../src/onnx/proto.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { withLoaded } from '../../src/runtime/engine.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import { seeded } from './fixtures.js'

const { AttributeProto, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto } =
  messages
type Body = Parameters<typeof NodeProto.create>[0][]

const OPSETS = [
  { domain: '', version: 17 },
  { domain: 'own', version: 1 },
]
const node = (opType: string, input: string[], output: string[], rest: object = {}): object =>
  new NodeProto({ opType, input, output, ...rest })
const own = (opType: string, input: string[], output: string[], rest: object = {}): object =>
  node(opType, input, output, { domain: 'own', ...rest })
const define = (name: string, input: string[], output: string[], body: object[], rest: object = {}): object =>
  new FunctionProto({
    name,
    domain: 'own',
    input,
    output,
    node: body as Body as never,
    opsetImport: OPSETS.map((entry) => new OperatorSetIdProto(entry)),
    ...rest,
  })
const reference = (name: string, refAttrName: string): object => new AttributeProto({ name, refAttrName, type: 1 })
const half = new AttributeProto({
  name: 'value',
  type: 4,
  t: new TensorProto({ dataType: 1, floatData: [0.5] }),
})

const values = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.9))

// x -> the calls of a case -> y
function bytesOf(functions: object[], calls: object[], opset = 17): Uint8Array {
  const b = new GraphBuilder()
  b.input('x', 'float32', ['N', 4])
  b.constant(float32([4, 4], values(16)), 'w')
  b.output('y', 'float32', ['N', 4])
  const plain = writeModel({
    irVersion: 8,
    opsets: new Map([
      ['', opset],
      ['own', 1],
    ]),
    graph: { ...b.build('calls'), initializers: b.initializers },
  })
  const proto = messages.ModelProto.decode(plain)
  ;(proto.graph as { node: object[] }).node = calls
  proto.functions = functions
  return messages.ModelProto.encode(proto).finish()
}

const linear = define(
  'Linear',
  ['x', 'w', 'b'],
  ['y'],
  [
    node('MatMul', ['x', 'w'], ['product'], { name: 'product' }),
    node('Constant', [], ['half'], { attribute: [half] }),
    node('Mul', ['product', 'half'], ['y']),
  ],
)
const activated = define(
  'Activated',
  ['x', 'w'],
  ['z'],
  [own('Linear', ['x', 'w'], ['y']), node('LeakyRelu', ['y'], ['z'], { attribute: [reference('alpha', 'slope')] })],
  { attribute: ['slope'] },
)
const slope = (f: number): object => ({ attribute: [new AttributeProto({ name: 'slope', type: 1, f })] })

async function resultOf(bytes: Uint8Array): Promise<Tensor> {
  const feeds = { x: float32([3, 4], values(12)) }
  const results = await withLoaded(onnxRuntime, bytes, { threads: 1, optimization: 'disabled' }, (graph) =>
    graph.run(feeds),
  )
  return results['y'] as Tensor
}

const CASES: Readonly<Record<string, [functions: object[], calls: object[]]>> = {
  'calls in calls, an omitted input, an attribute that is passed on': [
    [linear, activated],
    [
      own('Activated', ['x', 'w'], ['h'], { name: 'first', ...slope(0.25) }),
      own('Activated', ['h', 'w'], ['i'], slope(0.5)),
      own('Activated', ['i', 'w'], ['y']),
    ],
  ],
  'several results, one of them left out': [
    [define('Both', ['x'], ['r', 'n'], [node('Relu', ['x'], ['r']), node('Neg', ['r'], ['n'])])],
    [own('Both', ['x'], ['r', 'n']), node('Sub', ['r', 'n'], ['s']), own('Both', ['s'], ['', 'y'])],
  ],
  'a result that is a constant': [
    [define('Half', [], ['h'], [node('Constant', [], ['h'], { attribute: [half] })])],
    [own('Half', [], ['a']), node('Mul', ['x', 'a'], ['m']), own('Half', [], ['b']), node('Add', ['m', 'b'], ['y'])],
  ],
  'names that are taken': [
    [define('Twice', ['x'], ['y'], [node('Neg', ['x'], ['n']), node('Neg', ['n'], ['y'])])],
    [
      own('Twice', ['x'], ['t/n'], { name: 't' }),
      own('Twice', ['t/n'], ['u'], { name: 't/n' }),
      own('Twice', ['u'], ['y'], { name: 't_' }),
    ],
  ],
}

for (const [name, [functions, calls]] of Object.entries(CASES)) {
  test(name, async () => {
    const bytes = bytesOf(functions, calls)
    const inlined = inlineFunctions(readModel(bytes))
    assert.ok(inlined.graph.nodes.every(({ domain }) => domain === ''))
    const written = writeModel(inlined)
    assert.equal(messages.ModelProto.decode(written).functions.length, 0)
    assert.deepEqual(await resultOf(written), await resultOf(bytes))
    // The model that was read is as it was.
    assert.deepEqual(await resultOf(writeModel(readModel(bytes))), await resultOf(bytes))
  })
}

test('a result that is an input of the function gets a node of its own', () => {
  const same = define('Same', ['x'], ['x', 'n'], [node('Neg', ['x'], ['n'])])
  const { graph } = inlineFunctions(
    readModel(bytesOf([same], [own('Same', ['x'], ['s', 'n']), node('Add', ['s', 'n'], ['y'])])),
  )
  assert.deepEqual(
    graph.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs]),
    [
      ['Neg', ['x'], ['n']],
      ['Identity', ['x'], ['s']],
      ['Add', ['s', 'n'], ['y']],
    ],
  )
})

test('a constant of a function is one initializer for all of its calls, those in nested graphs and calls too', () => {
  const yes = new AttributeProto({ name: 'value', type: 4, t: new TensorProto({ dataType: 9, int32Data: [1] }) })
  const branch = (name: string): object =>
    new AttributeProto({
      name,
      type: 5,
      g: new GraphProto({
        name,
        node: [own('Linear', ['a', 'w'], [`of ${name}`])] as Body as never,
        output: [new ValueInfoProto({ name: `of ${name}` })],
      }),
    })
  const { graph } = inlineFunctions(
    readModel(
      bytesOf(
        [linear, activated],
        [
          own('Linear', ['x', 'w'], ['a'], { name: 'first' }),
          node('Constant', [], ['yes'], { attribute: [yes] }),
          node('If', ['yes'], ['b'], { attribute: [branch('then_branch'), branch('else_branch')] }),
          own('Activated', ['b', 'w'], ['y']),
        ],
      ),
    ),
  )
  assert.deepEqual([...graph.initializers.keys()], ['w', 'yes', 'first/half'])
  const all = [graph, ...graph.nodes.flatMap(subgraphs)]
  assert.deepEqual(
    all.flatMap(({ nodes }) => nodes.filter(({ opType }) => opType === 'Mul').map(({ inputs }) => inputs[1])),
    ['first/half', 'first/half', 'first/half', 'first/half'],
  )
  assert.deepEqual(
    all.slice(1).map(({ initializers }) => initializers.size),
    [0, 0],
  )
})

test('a constant that is an input of its function as well is refused', () => {
  const both = define(
    'Both',
    ['h'],
    ['y'],
    [node('Constant', [], ['h'], { attribute: [half] }), node('Neg', ['h'], ['y'])],
  )
  assert.throws(() => inlineFunctions(readModel(bytesOf([both], [own('Both', ['x'], ['y'])])), 'm.onnx'), {
    code: 'model',
    message: 'm.onnx: function "Both": value "h" is defined twice',
  })
})

test('functions of another operator set stay', () => {
  const model = readModel(bytesOf([linear], [own('Linear', ['x', 'w'], ['y'])], 18))
  assert.equal(inlineFunctions(model), model)
})

test('functions that multiply are refused', () => {
  const functions = Array.from({ length: 8 }, (_, i) =>
    define(
      `f${i}`,
      ['x'],
      ['y'],
      Array.from({ length: 10 }, (_, j) =>
        (i === 0 ? node : own)(i === 0 ? 'Neg' : `f${i - 1}`, [j === 0 ? 'x' : `t${j}`], [j === 9 ? 'y' : `t${j + 1}`]),
      ),
    ),
  )
  const model = readModel(bytesOf(functions, [own('f7', ['x'], ['y'])]))
  assert.throws(() => inlineFunctions(model, 'bomb.onnx'), {
    code: 'model',
    message: 'bomb.onnx: its functions come to more than 200000 nodes',
  })
})

test('a function that calls itself is refused', () => {
  const model = readModel(bytesOf([define('f', ['x'], ['y'], [own('f', ['x'], ['y'])])], [own('f', ['x'], ['y'])]))
  assert.throws(() => inlineFunctions(model), { code: 'model' })
})

test('damaged functions are told as damaged models are', () => {
  const bytes = bytesOf([linear], [own('Linear', ['x', 'w'], ['y'])])
  const random = seeded(3)
  for (let i = 0; i < 3000; i++) {
    const changed = Uint8Array.from(bytes)
    changed[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    try {
      writeModel(inlineFunctions(readModel(changed)))
    } catch (error) {
      assert.ok(hasCode(error, 'model'), String(error))
    }
  }
})
