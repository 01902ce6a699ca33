import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributes, subgraphs } from '../../src/onnx/attributes.js'
import { checkGraph } from '../../src/onnx/check-graph.js'
import {
  cloneModel,
  consumers,
  producers,
  removeUnusedNodes,
  replaceValues,
  usedValues,
  valueNames,
} from '../../src/onnx/graph-queries.js'
import type { Graph, Node } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { Session } from '../../src/runtime/session.js'
import { float32, int64, type Tensor } from '../../src/tensor/tensor.js'
import { fixture } from './fixtures.js'

function node(opType: string, inputs: string[], outputs: string[], attrs: Node['attributes'] = {}): Node {
  return { name: outputs[0] ?? '', opType, domain: '', inputs, outputs, attributes: attrs }
}

function graph(nodes: Node[], outputs: string[], initializers: [string, Tensor][] = [], inputs = ['x']): Graph {
  return {
    name: 'g',
    nodes,
    initializers: new Map(initializers),
    inputs: inputs.map((name) => ({ name, type: { elementType: 'float32', dims: [2] } })),
    outputs: outputs.map((name) => ({ name, type: undefined })),
  }
}

const ifNested = (): Graph => readModel(fixture('accept', 'if-nested.onnx')).graph

test('producers and consumers', () => {
  const relu = node('Relu', ['x'], ['a'])
  const add = node('Add', ['a', 'a'], ['b', ''])
  const g = graph([relu, add], ['b'])
  assert.deepEqual(
    [...producers(g)],
    [
      ['a', relu],
      ['b', add],
    ],
  )
  assert.deepEqual(
    [...consumers(g)],
    [
      ['x', [relu]],
      ['a', [add]],
    ],
  )
})

test('a node uses what graphs nested in it capture, at any depth, and not their own values', () => {
  const g = ifNested()
  const [neg, outer] = g.nodes as [Node, Node]
  assert.deepEqual([...usedValues(outer)].sort(), ['flag', 'pre', 'w', 'x'])
  assert.deepEqual(consumers(g).get('pre'), [outer])
  assert.deepEqual(consumers(g).get('x'), [neg, outer])
  assert.equal(consumers(g).has('own'), false)
  assert.ok(['own', 'inner', 'a', 'b', 'c', 'd'].every((name) => valueNames(g).has(name)))
})

test('a nested graph whose output is an outer value captures it', () => {
  const branch = graph([], ['x'], [], [])
  assert.deepEqual(
    [...usedValues(node('If', ['c'], ['y'], { then_branch: { kind: 'graph', value: branch } }))],
    ['c', 'x'],
  )
})

test('a clone can be edited without touching the original, nested graphs included', () => {
  const model = readModel(fixture('accept', 'if-nested.onnx'))
  const before = writeModel(model)
  const clone = cloneModel(model)
  assert.deepEqual(writeModel(clone), before)
  const edit = (g: Graph): void => {
    for (const n of g.nodes) {
      n.inputs.push('more')
      n.outputs[0] = 'other'
      subgraphs(n).forEach(edit)
      n.attributes.extra = { kind: 'int', value: 1 }
    }
    g.nodes.pop()
    g.initializers.clear()
    for (const info of [...g.inputs, ...g.outputs]) info.name = 'renamed'
  }
  edit(clone.graph)
  clone.opsets.clear()
  assert.deepEqual(writeModel(model), before)
})

test('a clone shares its tensors', () => {
  const model = readModel(fixture('accept', 'if-nested.onnx'))
  assert.equal(cloneModel(model).graph.initializers.get('w'), model.graph.initializers.get('w'))
})

test('unused nodes and initializers go, those that a nested graph captures stay', () => {
  const g = ifNested()
  g.nodes.unshift(node('Neg', ['x'], ['dead']), node('Neg', ['dead'], ['deader']))
  g.initializers.set('unused', float32([1], [0]))
  const kept = removeUnusedNodes(g)
  assert.deepEqual(
    kept.nodes.map(({ outputs }) => outputs),
    [['pre'], ['y']],
  )
  assert.deepEqual([...kept.initializers.keys()], ['w'])
  assert.equal(g.nodes.length, 4)
  assert.deepEqual(
    kept.inputs.map(({ name }) => name),
    ['x', 'flag'],
  )
})

test('an output that is an initializer or an input stays one', () => {
  const kept = removeUnusedNodes(graph([node('Relu', ['x'], ['a'])], ['w', 'x'], [['w', float32([1], [1])]]))
  assert.deepEqual([kept.nodes.length, [...kept.initializers.keys()], kept.outputs.length], [0, ['w'], 2])
})

test('replacing values removes what only they needed', () => {
  const g = graph(
    [
      node('Shape', ['x'], ['shape']),
      node('Gather', ['shape', 'zero'], ['n']),
      node('Relu', ['x'], ['r']),
      node('Add', ['r', 'n'], ['y']),
    ],
    ['y'],
    [['zero', int64([0])]],
  )
  const replaced = replaceValues(g, new Map([['n', float32([1], [2])]]))
  assert.deepEqual(
    replaced.nodes.map(({ opType }) => opType),
    ['Relu', 'Add'],
  )
  assert.deepEqual([...replaced.initializers.keys()], ['n'])
  checkGraph(replaced)
  assert.equal(g.nodes.length, 4)
})

test('replacing one of several outputs, a graph output, a graph input and an unknown name', () => {
  const g = graph(
    [
      node('Split', ['x'], ['a', 'b'], attributes({ axis: 0 })),
      node('Add', ['b', 'z'], ['c']),
      node('Neg', ['c'], ['y']),
    ],
    ['a', 'y', 'c'],
    [],
    ['x', 'z'],
  )
  const values = new Map([
    ['a', float32([1], [1])],
    ['c', float32([1], [2])],
    ['z', float32([1], [3])],
    ['nobody', float32([1], [4])],
  ])
  const replaced = replaceValues(g, values)
  checkGraph(replaced)
  assert.deepEqual(
    replaced.nodes.map(({ opType }) => opType),
    ['Neg'],
  )
  assert.deepEqual([...replaced.initializers.keys()], ['a', 'c'])
  assert.deepEqual(
    replaced.outputs.map(({ name }) => name),
    ['a', 'y', 'c'],
  )
  assert.deepEqual(
    replaced.inputs.map(({ name }) => name),
    ['x'],
  )
  const half = replaceValues(g, new Map([['a', float32([1], [1])]]))
  checkGraph(half)
  assert.deepEqual(half.nodes[0]?.outputs, ['a_unused', 'b'])
})

test('a replaced graph output is still computed by ONNX Runtime', async () => {
  const model = readModel(fixture('accept', 'opset-13.onnx'))
  model.graph = replaceValues(model.graph, new Map([['y', float32([2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])]]))
  assert.equal(model.graph.nodes.length, 0)
  const session = await Session.create(writeModel(model), { threads: 1 })
  const { y } = await session.run({ x: float32([1, 3, 8, 8], new Float32Array(192)) })
  await session.release()
  assert.deepEqual([...(y as Tensor<'float32'>).data], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})
