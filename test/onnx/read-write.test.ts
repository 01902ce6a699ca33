// Every file of fixtures/onnx/accept: read as onnx itself reads it, written back without loss, and computing the same.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkGraph } from '../../src/onnx/check-graph.js'
import type { Attribute, Attributes, Graph, Model, Node, ValueInfo } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { DATA_TYPES } from '../../src/tensor/data-type.js'
import { float32, int64, type Tensor } from '../../src/tensor/tensor.js'
import { externalData, fixture, fixtureNames, seededFeeds } from './fixtures.js'

interface Expected {
  irVersion: number
  opsets: Record<string, number>
  graph: unknown
  kept: string[]
}

const EXPECTED = JSON.parse(
  readFileSync(new URL('../../../fixtures/onnx/accept/expected.json', import.meta.url), 'utf8'),
) as Record<string, Expected>
const SEED = 7

function read(file: string): Model {
  return readModel(fixture('accept', file), { name: file, externalData: externalData('accept') })
}

// The same words as graph_facts of fixtures/onnx/make.py.
function graphFacts(graph: Graph): unknown {
  return {
    nodes: graph.nodes.map((node) => [
      node.opType,
      node.domain,
      node.inputs,
      node.outputs,
      Object.fromEntries(Object.entries(node.attributes).map(([name, attribute]) => [name, attributeFacts(attribute)])),
    ]),
    initializers: Object.fromEntries([...graph.initializers].map(([name, tensor]) => [name, tensorFacts(tensor)])),
    inputs: graph.inputs.map(({ name }) => name),
    outputs: graph.outputs.map(({ name }) => name),
  }
}

function attributeFacts(attribute: Attribute): unknown {
  if (attribute.kind === 'other') return 'other'
  if (attribute.kind === 'graph') return graphFacts(attribute.value)
  return attribute.kind === 'tensor' ? tensorFacts(attribute.value) : attribute.value
}

function tensorFacts({ type, dims, data }: Tensor): unknown {
  const { buffer, byteOffset, byteLength } = data as Uint8Array
  return {
    type: DATA_TYPES[type].onnx,
    dims,
    data: type === 'string' ? data : Buffer.from(buffer, byteOffset, byteLength).toString('hex'),
  }
}

test('every accept file has its expectations', () => {
  assert.deepEqual(
    fixtureNames('accept').map((file) => file.replace('.onnx', '')),
    Object.keys(EXPECTED).sort(),
  )
})

for (const file of fixtureNames('accept')) {
  const expected = EXPECTED[file.replace('.onnx', '')] as Expected

  test(`reads ${file} as onnx does`, () => {
    const model = read(file)
    assert.equal(model.irVersion, expected.irVersion)
    assert.deepEqual(Object.fromEntries(model.opsets), expected.opsets)
    assert.deepEqual(graphFacts(model.graph), expected.graph)
  })

  test(`writes ${file} back without loss`, () => {
    const written = writeModel(read(file))
    const again = readModel(written)
    assert.equal(again.irVersion, Math.max(4, expected.irVersion))
    assert.deepEqual(Object.fromEntries(again.opsets), expected.opsets)
    assert.deepEqual(graphFacts(again.graph), expected.graph)
    for (const bytes of expected.kept)
      assert.ok(Buffer.from(written).includes(Buffer.from(bytes, 'hex')), `lost: ${bytes}`)
    assert.deepEqual(writeModel(again), written, 'writing is not stable')
  })

  if (!file.startsWith('not-run')) {
    test(`${file} computes the same after writing`, async () => {
      const model = read(file)
      const after = await run(writeModel(model), model.graph)
      // Bytes alone do not lead ONNX Runtime to external files; for these the weights compared above must do.
      if (file !== 'external.onnx')
        assert.deepEqual(after, await run(fixture('accept', file), model.graph), `seed ${SEED}`)
      assert.deepEqual(
        Object.keys(after),
        model.graph.outputs.map(({ name }) => name),
      )
    })
  }
}

async function run(bytes: Uint8Array, graph: Graph): Promise<Record<string, Tensor>> {
  const session = await Session.create(bytes, { threads: 1, optimization: 'disabled' })
  try {
    return await session.run(seededFeeds(graph, SEED))
  } finally {
    await session.release()
  }
}

test('aligned raw data is a view of the file, unaligned data is copied', () => {
  const written = writeModel(madeModel())
  const aligned = [0, 1, 2, 3].map((shift) => {
    const buffer = new Uint8Array(written.length + 8)
    buffer.set(written, shift)
    const bytes = buffer.subarray(shift, shift + written.length)
    const weight = readModel(bytes).graph.initializers.get('w') as Tensor<'float32'>
    assert.deepEqual([...weight.data], [1, -2, 3])
    return weight.data.buffer === buffer.buffer
  })
  assert.equal(aligned.filter(Boolean).length, 1)
})

test('a Node Buffer reads as plain typed arrays', () => {
  const model = readModel(Buffer.from(writeModel(madeModel())))
  assert.equal(Object.getPrototypeOf(model.graph.initializers.get('w')?.data), Float32Array.prototype)
})

function madeModel(): Model {
  const graph: Graph = {
    name: '',
    nodes: [
      { name: 'add', opType: 'Add', domain: '', inputs: ['x', 'w'], outputs: ['sum'], attributes: {} },
      {
        name: '',
        opType: 'Slice',
        domain: '',
        inputs: ['sum', 'from', 'to'],
        outputs: ['y'],
        attributes: {},
      },
    ],
    inputs: [{ name: 'x', type: { elementType: 'float32', dims: ['n', null, 3] } }],
    outputs: [{ name: 'y', type: undefined }],
    initializers: new Map<string, Tensor>([
      ['w', float32([3], [1, -2, 3])],
      ['from', int64([0])],
      ['to', int64([1])],
    ]),
  }
  return { irVersion: 3, opsets: new Map([['', 13]]), graph }
}

test('a model made from scratch is written, read and run', async () => {
  const bytes = writeModel(madeModel())
  const model = readModel(bytes)
  assert.equal(model.irVersion, 4)
  assert.deepEqual(model.graph.inputs[0]?.type, { elementType: 'float32', dims: ['n', null, 3] })
  const session = await Session.create(bytes, { threads: 1 })
  const { y } = await session.run({ x: float32([2, 1, 3], [1, 2, 3, 4, 5, 6]) })
  await session.release()
  assert.deepEqual(y, float32([1, 1, 3], [2, 0, 6]))
})

test('nodes come in the order of their values, in bodies, too; those that are in order stay where they are', async () => {
  const node = (opType: string, inputs: string[], output: string, attributes: Attributes = {}): Node => {
    return { name: output, opType, domain: '', inputs, outputs: [output], attributes }
  }
  const info = (name: string, elementType: 'float32' | 'bool'): ValueInfo => ({
    name,
    type: { elementType, dims: elementType === 'bool' ? [] : [3] },
  })
  const body = (name: string, ...nodes: Node[]): Attribute => {
    const own = { name, nodes, inputs: [], outputs: [info(`${name}_y`, 'float32')], initializers: new Map() }
    return { kind: 'graph', value: own }
  }
  const branches = {
    then_branch: body('a', node('Neg', ['a_1'], 'a_y'), node('Relu', ['late'], 'a_1')),
    else_branch: body('b', node('Neg', ['late'], 'b_y')),
  }
  const given = [
    node('Neg', ['c'], 'y'),
    node('If', ['flag'], 'c', branches),
    node('Neg', ['x'], 'p'),
    node('Relu', ['p'], 'late'),
    node('Abs', ['x'], 'free'),
  ]
  const graph: Graph = {
    name: 'unsorted',
    nodes: given,
    inputs: [info('x', 'float32'), info('flag', 'bool')],
    outputs: [info('y', 'float32'), info('free', 'float32')],
    initializers: new Map(),
  }
  const read = readModel(writeModel({ irVersion: 8, opsets: new Map([['', 17]]), graph }))
  const namesOf = ({ nodes }: Graph): string[] => nodes.map(({ name }) => name)
  assert.deepEqual(namesOf(read.graph), ['p', 'late', 'c', 'y', 'free'])
  const inner = read.graph.nodes[2]?.attributes['then_branch']
  assert.ok(inner?.kind === 'graph')
  assert.deepEqual(namesOf(inner.value), ['a_1', 'a_y'])
  const session = await Session.create(writeModel(read), { threads: 1 })
  const flag: Tensor = { type: 'bool', dims: [], data: Uint8Array.of(1) }
  const { y } = await session.run({ x: float32([3], [1, -2, 3]), flag }, ['y'])
  await session.release()
  assert.deepEqual(y, float32([3], [0, 2, 0]))
  assert.deepEqual(
    readModel(writeModel(read)).graph.nodes.map(({ name }) => name),
    namesOf(read.graph),
  )
})

test('a second node of one name is written without it: ONNX Runtime refuses two', async () => {
  const { graph, ...model } = madeModel()
  const twice = { ...graph, nodes: graph.nodes.map((node) => ({ ...node, name: 'same' })) }
  const bytes = writeModel({ ...model, graph: twice })
  const names = readModel(bytes).graph.nodes.map(({ name }) => name)
  assert.deepEqual(names, ['same', ...graph.nodes.slice(1).map(() => '')])
  assert.ok(names.length > 1)
  await (await Session.create(bytes, { threads: 1 })).release()
})

test('attributes: changed ones are written anew, INT64_MAX survives both ways', () => {
  const [slice] = read('slice-int64-max.onnx').graph.nodes
  assert.deepEqual(slice?.attributes.ends, { ...slice?.attributes.ends, kind: 'ints', value: [2 ** 63] })
  const model = madeModel()
  model.graph.nodes[1] = {
    ...slice,
    inputs: ['sum'],
    outputs: ['y'],
    attributes: {
      axes: { ...(slice?.attributes.axes as Attribute & { kind: 'ints' }), value: [2] },
      starts: { kind: 'ints', value: [1] },
      ends: { kind: 'ints', value: [2 ** 63] },
      f: { kind: 'float', value: -0 },
      i: { kind: 'int', value: -1 },
      s: { kind: 'string', value: 'ä' },
      fs: { kind: 'floats', value: [0.5] },
      ss: { kind: 'strings', value: ['a', ''] },
      t: { kind: 'tensor', value: float32([1], [9]) },
      g: { kind: 'graph', value: { ...madeModel().graph, name: 'body' } },
      gs: { kind: 'graphs', value: [] },
    },
  }
  const written = readModel(writeModel(model)).graph.nodes[1]?.attributes ?? {}
  assert.deepEqual(
    Object.entries(written).map(([name, { kind }]) => [name, kind]),
    Object.entries(model.graph.nodes[1].attributes).map(([name, { kind }]) => [name, kind]),
  )
  assert.deepEqual(
    [written.axes, written.starts, written.ends, written.f, written.i, written.s, written.ss].map(
      (a) => (a as { value: unknown }).value,
    ),
    [[2], [1], [2 ** 63], -0, -1, 'ä', ['a', '']],
  )
})

test('checkGraph accepts what readModel gives', () => {
  for (const file of fixtureNames('accept')) checkGraph(read(file).graph)
})

test('overwriting: large weights become views of the file wherever they lie, and have the values that copies have', () => {
  const sizes = [5000, 3, 4999, 6001, 4096]
  for (const name of ['g', 'gr', 'gra', 'grap']) {
    const initializers = new Map<string, Tensor>(
      sizes.map((size, i) => [
        `w${i}`,
        float32(
          [size],
          Float32Array.from({ length: size }, (_, j) => Math.sin(i + j)),
        ),
      ]),
    )
    initializers.set('shape', int64(Array.from({ length: 4000 }, (_, i) => i)))
    const model: Model = {
      irVersion: 8,
      opsets: new Map([['', 18]]),
      graph: { name, nodes: [], inputs: [], outputs: [], initializers },
    }
    const bytes = writeModel(model)
    const copied = readModel(bytes)
    const moved = readModel(bytes, { overwrite: true })
    for (const [key, tensor] of copied.graph.initializers) {
      const found = moved.graph.initializers.get(key) as Tensor
      assert.deepEqual(found, tensor, `${name}: ${key}`)
      if (tensor.type === 'float32' && tensor.data.length > 4096)
        assert.equal((found.data as Float32Array).buffer, bytes.buffer, `${name}: ${key} is a copy`)
    }
    assert.deepEqual(writeModel(moved), writeModel(model))
  }
})
