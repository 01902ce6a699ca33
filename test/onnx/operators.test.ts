// The operator table: rows that agree with each other, names that are no operators, and the places of weights.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributes } from '../../src/onnx/attributes.js'
import type { Node } from '../../src/onnx/model.js'
import { isLayer, learnedPositions, operatorName, operatorOf } from '../../src/onnx/operators.js'
import { valueFacts } from '../../src/onnx/value-facts.js'
import { constantValues } from '../../src/onnx/static-values.js'

const node = (opType: string, attrs = {}, domain = ''): Node => ({
  name: '',
  opType,
  domain,
  inputs: ['a', 'b'],
  outputs: ['y'],
  attributes: attributes(attrs),
})

test('names that every JavaScript object has are no operators', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']) {
    assert.deepEqual(operatorOf({ domain: '', opType: name }), {})
    assert.deepEqual(learnedPositions({ domain: '', opType: name }), [])
    const graph = {
      name: 'g',
      nodes: [node(name)],
      inputs: [],
      outputs: [],
      initializers: new Map([['a', { type: 'float32', dims: [2, 3], data: new Float32Array(6) } as const]]),
    }
    const facts = valueFacts(graph, new Map([['y', graph.nodes[0] as Node]]))
    assert.equal(facts.rank('y'), undefined)
    assert.equal(constantValues(graph).size, 0)
  }
})

test('an operator of another domain is another operator', () => {
  assert.equal(operatorName({ domain: '', opType: 'Conv' }), 'Conv')
  assert.equal(operatorName({ domain: 'com.example', opType: 'Conv' }), 'com.example.Conv')
  assert.ok(isLayer(node('Conv')))
  assert.ok(!isLayer(node('Conv', {}, 'com.example')))
  assert.deepEqual(operatorOf(node('Relu', {}, 'com.example')), {})
  assert.equal(operatorOf(node('QGemm', {}, 'com.microsoft')).weights, 'quantized')
  assert.equal(operatorOf(node('QGemm')).weights, undefined)
})

describe('where weights stand', () => {
  // [attributes, index, dims] -> [channel axis, groups, output axis, fan-in], from the operators' specifications.
  const cases: readonly [string, object, number, number[], [number, number, number | undefined, number]][] = [
    ['Conv', {}, 1, [8, 4, 3, 3], [0, 1, 1, 36]],
    ['Conv', { group: 4 }, 1, [8, 1, 3, 3], [0, 1, 1, 9]],
    ['ConvTranspose', {}, 1, [4, 8, 2, 2], [1, 1, 1, 16]],
    ['ConvTranspose', { group: 2 }, 1, [4, 8, 2, 2], [1, 2, 1, 8]],
    ['Gemm', {}, 1, [5, 7], [1, 1, -1, 5]],
    ['Gemm', { transB: 1 }, 1, [7, 5], [0, 1, -1, 5]],
    ['Gemm', {}, 0, [7, 5], [0, 1, undefined, 5]],
    ['Gemm', { transA: 1 }, 0, [5, 7], [1, 1, undefined, 5]],
    ['MatMul', {}, 1, [5, 7], [1, 1, -1, 5]],
    ['MatMul', {}, 1, [3, 5, 7], [2, 1, -1, 5]],
    ['MatMul', {}, 0, [7, 5], [0, 1, -2, 5]],
  ]
  for (const [opType, attrs, index, dims, [channelAxis, groups, outputAxis, fanIn]] of cases) {
    test(`${opType} ${JSON.stringify(attrs)} at ${index}`, () => {
      const place = operatorOf(node(opType)).place?.(node(opType, attrs), index, dims)
      assert.deepEqual(place, { channelAxis, groups, outputAxis, fanIn })
      assert.equal(new Map(learnedPositions(node(opType))).get(index), 'weight')
    })
  }
})
