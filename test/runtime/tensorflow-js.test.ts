// TensorFlow.js as an engine: what it refuses and how it says so, old operator sets, branches, results in place.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { attributes } from '../../src/onnx/attributes.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { ENGINES, requireEngine } from '../../src/runtime/engines.js'
import { versionOf } from '../../src/runtime/tfjs/packages.js'
import { float32, int64 } from '../../src/tensor/tensor.js'
import { inLibrary } from '../../src/options/option-table.js'

const ENGINE = ENGINES['tfjs-cpu']
const OPTIONS = { threads: 1 }

function modelOf(b: GraphBuilder, opset = 18): Model {
  return { irVersion: 8, opsets: new Map([['', opset]]), graph: b.build('test') }
}

async function problemOf(work: Promise<unknown>): Promise<TtqError> {
  return await work.then(
    () => assert.fail('it was taken'),
    (error: unknown) => (error instanceof TtqError ? error : assert.fail(String(error))),
  )
}

test('an operator without a kernel is refused before anything runs, by its node', async () => {
  const b = new GraphBuilder()
  b.input('x', 'float32', [1, 1, 2, 2])
  b.output(b.emit('GridSample', ['x', b.constant(float32([1, 1, 1, 2], [0, 0]))], {}, 'sampled'))
  const error = await problemOf(ENGINE.load(writeModel(modelOf(b)), OPTIONS))
  assert.equal(error.code, 'unsupported')
  assert.equal(error.message, 'tfjs: node "sampled" (GridSample): it has no kernel for this operator')
  assert.deepEqual(error.waysOut, [
    'run it with ONNX Runtime (--engine onnxruntime); docs/operators.md lists what this engine computes',
  ])
  const prepared = await problemOf(ENGINE.prepareGradients(modelOf(b), new Map(), 'cpu', ENGINE))
  assert.equal(prepared.message, error.message)
})

test('so is an attribute', async () => {
  const b = new GraphBuilder()
  b.input('x', 'float32', [1, 1, 4, 4])
  b.output(b.emit('MaxPool', ['x'], { kernel_shape: [2, 2], storage_order: 1 }, 'pooled'))
  const { message } = await problemOf(ENGINE.load(writeModel(modelOf(b)), OPTIONS))
  assert.equal(message, 'tfjs: node "pooled" (MaxPool): it has no kernel for column-major indices (storage_order 1)')
})

test('constants whose arrays hold bit patterns are refused', async () => {
  const b = new GraphBuilder()
  const half = b.constant({ type: 'bfloat16', dims: [2], data: Uint16Array.of(0x3f80, 0x4000) }, 'half')
  b.output(b.emit('Mul', [b.input('x', 'float32', [2]), b.emit('Cast', [half], { to: 1 })]))
  const { code, message } = await problemOf(ENGINE.load(writeModel(modelOf(b)), OPTIONS))
  assert.deepEqual(
    [code, message],
    ['unsupported', 'tfjs: the constant "half" is of type bfloat16, which it does not have'],
  )
})

test('types that it does not compute are named when they come', async () => {
  const b = new GraphBuilder()
  b.input('x', 'int64', [2, 2])
  b.output(b.emit('MatMul', ['x', 'x'], {}, 'product'), 'int64')
  const graph = await ENGINE.load(writeModel(modelOf(b)), OPTIONS)
  const { code, message } = await problemOf(graph.run({ x: int64([1, 2, 3, 4], [2, 2]) }))
  assert.deepEqual([code, message], ['unsupported', 'tfjs: node "product" (MatMul): input 0 is int64, expected floats'])
})

test('an input that no window fits into is refused', async () => {
  const b = new GraphBuilder()
  b.input('x', 'float32', [1, 1, 'h', 'w'])
  b.output(b.emit('MaxPool', ['x'], { kernel_shape: [2, 2] }, 'pooled'))
  const graph = await ENGINE.load(writeModel(modelOf(b)), OPTIONS)
  const { code, message } = await problemOf(graph.run({ x: float32([1, 1, 1, 1], [1]) }))
  const expected = 'tfjs: node "pooled" (MaxPool): found an input of 1x1, expected one that a window of 2x2 fits into'
  assert.deepEqual([code, message], ['unsupported', expected])
})

test('what TensorFlow.js itself refuses is told with the node, and what is missing by its name', async () => {
  const b = new GraphBuilder()
  b.input('x', 'float32', ['n', 3])
  b.output(b.emit('MatMul', ['x', b.constant(float32([2, 2], [1, 2, 3, 4]))], {}, 'product'))
  const graph = await ENGINE.load(writeModel(modelOf(b)), OPTIONS)
  const failed = await problemOf(graph.run({ x: float32([1, 3], [1, 2, 3]) }))
  assert.equal(failed.code, 'runtime')
  assert.match(failed.message, /^tfjs: node "product" \(MatMul\): Error in matMul: inner shapes \(3\) and \(2\)/)
  assert.equal((await problemOf(graph.run({}))).message, 'tfjs: the run failed: input "x" is missing')
})

test('operators of old opsets are computed as they were meant', async () => {
  const b = new GraphBuilder()
  b.input('x', 'float32', [1, 2, 2])
  b.output(b.emit('Softmax', [b.emit('Unsqueeze', ['x'], { axes: [0] })], { axis: 2 }, 'y'))
  const graph = await ENGINE.load(writeModel(modelOf(b, 9)), OPTIONS)
  const { y } = await graph.run({ x: float32([1, 2, 2], [0, 0, 0, 0]) })
  assert.deepEqual(y, float32([1, 1, 2, 2], [0.25, 0.25, 0.25, 0.25]))
})

test('a branch sees the values around it, and gives values of its own', async () => {
  const branch = (name: string, opType: string): Model['graph'] => {
    const inner = new GraphBuilder(['x'])
    inner.output(inner.emit(opType, ['x'], {}, name))
    return inner.build(name)
  }
  const b = new GraphBuilder()
  b.input('condition', 'bool', [])
  b.input('x', 'float32', [2])
  const [thenBranch, elseBranch] = [branch('negated', 'Neg'), branch('same', 'Identity')]
  b.push({
    name: 'if',
    opType: 'If',
    domain: '',
    inputs: ['condition'],
    outputs: ['y'],
    attributes: attributes({
      then_branch: { kind: 'graph', value: thenBranch },
      else_branch: { kind: 'graph', value: elseBranch },
    }),
  })
  b.output('y')
  const graph = await ENGINE.load(writeModel(modelOf(b)), OPTIONS)
  for (const [truth, expected] of [
    [1, [-1, 2]],
    [0, [1, -2]],
  ] as const) {
    const condition = { type: 'bool', dims: [], data: Uint8Array.of(truth) } as const
    const { y } = await graph.run({ condition, x: float32([2], [1, -2]) })
    assert.deepEqual(y, float32([2], expected))
  }
})

test('results go where they are wanted; what is given is never written to, nor handed out', async () => {
  const b = new GraphBuilder()
  b.input('x', 'float32', [2])
  b.output(b.emit('Identity', ['x'], {}, 'same'))
  b.output(b.emit('Add', ['x', b.constant(float32([], [1]))], {}, 'sum'))
  const graph = await ENGINE.load(writeModel(modelOf(b)), OPTIONS)
  const x = float32([2], [1, 2])
  const into = float32([2], [0, 0])
  const results = await graph.runInto({ x }, { sum: into })
  assert.equal(results['sum'], into)
  assert.deepEqual(into, float32([2], [2, 3]))
  ;(results['same']?.data as Float32Array)[0] = 7
  assert.deepEqual(x, float32([2], [1, 2]))
  const again = await graph.run({ x }, ['same'])
  assert.deepEqual(again, { same: float32([2], [1, 2]) })
})

test('tfjs is the fastest form that is installed; one that is not is refused', async () => {
  const found = await requireEngine('tfjs', inLibrary)
  assert.equal(found, versionOf('tfjs-node') === undefined ? 'tfjs-wasm' : 'tfjs-node')
  assert.equal(await requireEngine('onnxruntime', inLibrary), 'onnxruntime')
  if (versionOf('tfjs-node') !== undefined) return
  const { code, message, waysOut } = await problemOf(requireEngine('tfjs-node', inLibrary))
  assert.equal(code, 'usage')
  assert.equal(
    message,
    'engine: found tfjs-node, whose @tensorflow/tfjs-node is not installed, expected an engine that is',
  )
  assert.match(
    waysOut[0] as string,
    /^it comes by npm install @tensorflow\/tfjs-node, .*; ttq doctor shows what is found$/,
  )
})
