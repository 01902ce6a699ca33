import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attribute, attributes, describeNode, subgraphs } from '../../src/onnx/attributes.js'
import type { Node } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { fixture } from './fixtures.js'

const conv: Node = {
  name: 'conv1',
  opType: 'Conv',
  domain: '',
  inputs: [],
  outputs: ['y'],
  attributes: attributes({ group: 2, pads: [1, 1], auto_pad: 'NOTSET', alpha: { float: 0.5 }, absent: undefined }),
}

test('attributes of plain values, read back by kind', () => {
  assert.deepEqual(Object.keys(conv.attributes), ['group', 'pads', 'auto_pad', 'alpha'])
  assert.equal(attribute(conv, 'group', 'int', 1), 2)
  assert.deepEqual(attribute(conv, 'pads', 'ints', []), [1, 1])
  assert.equal(attribute(conv, 'auto_pad', 'string', ''), 'NOTSET')
  assert.equal(attribute(conv, 'alpha', 'float', 1), 0.5)
  assert.equal(attribute(conv, 'beta', 'float', 1), 1)
  assert.equal(attribute(conv, 'beta', 'float', undefined), undefined)
})

test('an attribute of another kind is refused', () => {
  assert.throws(() => attribute(conv, 'group', 'ints', []), {
    name: 'TtqError',
    code: 'model',
    message: 'onnx: node "conv1" (Conv): attribute "group" is of kind int, expected ints',
  })
})

test('a node is named by its name, else by its first output; other domains are said', () => {
  assert.equal(describeNode({ ...conv, name: '' }), 'node "y" (Conv)')
  assert.equal(describeNode({ ...conv, name: '', outputs: [], domain: 'local' }), 'node "" (local.Conv)')
})

test('subgraphs are the bodies of control flow', () => {
  const nested = readModel(fixture('accept', 'if-nested.onnx')).graph.nodes[1] as Node
  assert.deepEqual(
    subgraphs(nested).map(({ name }) => name),
    ['d', 'c'],
  )
  assert.deepEqual(subgraphs(conv), [])
})
