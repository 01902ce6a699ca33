import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixInputs } from '../../src/onnx/fix-inputs.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import type { DataType } from '../../src/tensor/data-type.js'

function network(type: DataType, dims: readonly (number | string)[] = []): Model {
  const b = new GraphBuilder()
  b.emit('Identity', [b.input('x', 'float32', ['N', 3])], {}, 'y')
  b.input('rate', type, [...dims])
  b.output('y', 'float32', ['N', 3])
  return { irVersion: 8, opsets: new Map([['', 17]]), graph: b.build('fixed') }
}

for (const [type, text, data] of [
  ['int64', '16000', BigInt64Array.of(16000n)],
  ['int32', '-3', Int32Array.of(-3)],
  ['uint8', '255', Uint8Array.of(255)],
  ['bool', 'true', Uint8Array.of(1)],
  ['float32', '1e-3', Float32Array.of(1e-3)],
  ['float64', '.5', Float64Array.of(0.5)],
  ['float16', '1', Uint16Array.of(0x3c00)],
] as const)
  test(`${type}: the input is a constant`, () => {
    const { graph } = fixInputs(network(type), [`rate=${text}`], '--fix-input')
    assert.deepEqual(
      graph.inputs.map(({ name }) => name),
      ['x'],
    )
    assert.deepEqual(graph.initializers.get('rate'), { type, dims: [], data })
  })

test('open dimensions are 1, and all elements have the value', () => {
  const { graph } = fixInputs(network('int64', ['N', 4]), ['rate=7'], '--fix-input')
  assert.deepEqual(graph.initializers.get('rate'), {
    type: 'int64',
    dims: [1, 4],
    data: BigInt64Array.of(7n, 7n, 7n, 7n),
  })
})

for (const [type, assignments, message] of [
  ['int64', ['rate'], '--fix-input: found "rate", expected an input and its value as name=value'],
  ['int64', ['rate='], '--fix-input: found "rate=", expected an input and its value as name=value'],
  ['int64', ['rat=1'], '--fix-input: the network has no input "rat", expected one of x, rate'],
  ['int64', ['rate=1', 'rate=2'], '--fix-input: "rate" is given twice, expected one of x, rate'],
  ['int64', ['rate=1', 'x=1'], '--fix-input: found all inputs of the network, expected one at least that stays open'],
  ['int64', ['rate=1.5'], '--fix-input: input "rate": found "1.5", expected a whole number of int64'],
  ['uint8', ['rate=256'], '--fix-input: input "rate": found "256", expected a whole number of uint8'],
  ['bool', ['rate=1'], '--fix-input: input "rate": found "1", expected true or false'],
  ['float32', ['rate=Infinity'], '--fix-input: input "rate": found "Infinity", expected a number'],
  ['string', ['rate=a'], '--fix-input: input "rate": found "a", expected an input of numbers: it is of texts'],
] as const)
  test(`refused: ${type} ${assignments.join(' ')}`, () => {
    assert.throws(() => fixInputs(network(type), assignments, '--fix-input'), { code: 'usage', message })
  })
