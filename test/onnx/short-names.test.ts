// Short names: what is renamed, what is not, and that the network computes the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Graph, Model, Node } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { shortNames } from '../../src/onnx/short-names.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

const value = (name: string): Graph['inputs'][number] => ({ name, type: { elementType: 'float32', dims: [2] } })
const node = (opType: string, inputs: string[], outputs: string[], attributes: Node['attributes'] = {}): Node => ({
  name: `a long name of ${opType}`,
  opType,
  domain: '',
  inputs,
  outputs,
  attributes,
})

// y = x + weight where x > 0, else x * weight; the branches capture values of the outer graph.
function branching(): Model {
  const branch = (opType: string, name: string): Graph => ({
    name,
    nodes: [node(opType, ['input', 'layer.weight'], [`${name}.made`])],
    inputs: [],
    outputs: [value(`${name}.made`)],
    initializers: new Map(),
  })
  return {
    irVersion: 8,
    opsets: new Map([['', 17]]),
    graph: {
      name: 'g',
      nodes: [
        node('ReduceSum', ['input'], ['the sum'], { keepdims: { kind: 'int', value: 0 } }),
        node('Greater', ['the sum', 'layer.zero'], ['0']),
        node('If', ['0'], ['of the branches'], {
          then_branch: { kind: 'graph', value: branch('Add', 'then') },
          else_branch: { kind: 'graph', value: branch('Mul', 'else') },
        }),
        node('Identity', ['of the branches'], ['output']),
      ],
      inputs: [value('input')],
      outputs: [value('output')],
      initializers: new Map<string, Tensor>([
        ['layer.weight', float32([2], [3, 4])],
        ['layer.zero', float32([], [0])],
        ['words', { type: 'string', dims: [1], data: ['kept'] }],
      ]),
    },
  }
}

async function outputsOf(model: Model): Promise<unknown[]> {
  const graph = await onnxRuntime.load(writeModel(model), { threads: 1 })
  const found = []
  for (const values of [
    [1, 2],
    [-1, -2],
  ])
    found.push((await graph.run({ input: float32([2], values) }))['output']?.data)
  return found
}

test('everything but inputs, outputs and strings is shortened, in nested graphs too; the network computes the same', async () => {
  const model = branching()
  const { model: short, names } = shortNames(model)
  // "0" is somebody's name already.
  assert.deepEqual(
    [...names],
    [
      ['layer.weight', '1'],
      ['layer.zero', '2'],
      ['the sum', '3'],
      ['0', '4'],
      ['of the branches', '5'],
      ['then.made', '6'],
      ['else.made', '7'],
    ],
  )
  const { graph } = short
  assert.deepEqual([...graph.initializers.keys()], ['1', '2', 'words'])
  assert.deepEqual([graph.inputs, graph.outputs], [model.graph.inputs, model.graph.outputs])
  assert.deepEqual(
    graph.nodes.map((each) => each.name),
    ['', '', '', ''],
  )
  assert.deepEqual(await outputsOf(short), await outputsOf(model))
  assert.deepEqual(await outputsOf(short), [Float32Array.of(4, 6), Float32Array.of(-3, -8)])
  assert.deepEqual(model, branching(), 'the model itself is as it was')
})

test('shapes declared for values that have other names now are gone', () => {
  const model = branching()
  const bytes = writeModel({ ...model, graph: { ...model.graph } })
  const again = readModel(bytes, { name: 'm' })
  const short = writeModel(shortNames(again).model)
  assert.ok(!Buffer.from(short).includes('the sum') && !Buffer.from(short).includes('long name'))
  assert.ok(short.length < bytes.length)
})
