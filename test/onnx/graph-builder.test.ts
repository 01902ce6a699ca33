import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkGraph } from '../../src/onnx/check-graph.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { float32, int64 } from '../../src/tensor/tensor.js'

test('fresh names differ from those taken and from each other', () => {
  const builder = new GraphBuilder(['a', 'a_2'])
  assert.deepEqual(
    [builder.fresh('a'), builder.fresh('a'), builder.fresh('b'), builder.fresh('b')],
    ['a_3', 'a_4', 'b', 'b_2'],
  )
  builder.push({ name: '', opType: 'Relu', domain: '', inputs: ['x'], outputs: ['c'], attributes: {} })
  assert.equal(builder.fresh('c'), 'c_2')
})

test('equal small constants share a name; 0 and -0, types and shapes differ', () => {
  const builder = new GraphBuilder()
  const names = [float32([1], [0]), float32([1], [0]), float32([1], [-0]), int64([0]), float32([], [0])].map((tensor) =>
    builder.constant(tensor),
  )
  assert.deepEqual(names, ['const', 'const', 'const_2', 'const_3', 'const_4'])
  assert.equal(builder.initializers.size, 4)
})

test('emitted nodes make a legal graph', () => {
  const builder = new GraphBuilder()
  const x = builder.input('x', 'float32', ['n', 4])
  const [left = '', right = ''] = builder.emitMany('Split', [x], 2, { axis: 1, num_outputs: 2 })
  builder.output(builder.emit('Add', [left, right], {}, 'y'), 'float32', ['n', 2])
  const graph = builder.build('made')
  checkGraph(graph)
  assert.deepEqual(
    graph.nodes.map(({ name, outputs }) => [name, outputs]),
    [
      ['Split', ['Split', 'Split_2']],
      ['y', ['y']],
    ],
  )
  assert.deepEqual(graph.outputs, [{ name: 'y', type: { elementType: 'float32', dims: ['n', 2] } }])
})
