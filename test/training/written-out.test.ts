// Networks of composite operators: what they are written out as for training, and what of them learns.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributes } from '../../src/onnx/attributes.js'
import type { Graph, Model, Node } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { classification } from '../../src/tasks/classification.js'
import { elementCount, float32, int64, type Tensor } from '../../src/tensor/tensor.js'
import { buildTrainingGraph, examineTraining, type TrainingGraph } from '../../src/training/training-graph.js'

const BATCH = 2

function waves(dims: readonly number[]): Tensor<'float32'> {
  return float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(3 * i + dims.length)),
  )
}

type Line = [output: string, opType: string, inputs: string[], attributes?: Node['attributes'], domain?: string]

function network(input: readonly number[], lines: Line[], initializers: Record<string, Tensor>): Model {
  const nodes = lines.map(([output, opType, inputs, attrs = {}, domain = '']): Node => ({
    name: opType,
    opType,
    domain,
    inputs,
    outputs: output.split(' ').map((name) => (name === '_' ? '' : name)),
    attributes: attrs,
  }))
  return {
    irVersion: 8,
    opsets: new Map([
      ['', 18],
      ['com.microsoft', 1],
    ]),
    graph: {
      name: 'g',
      nodes,
      inputs: [{ name: 'x', type: { elementType: 'float32', dims: ['N', ...input] } }],
      outputs: [{ name: 'scores', type: { elementType: 'float32', dims: ['N', 3] } }],
      initializers: new Map(Object.entries(initializers)),
    },
  }
}

async function trainingGraphOf(model: Model, input: readonly number[]): Promise<TrainingGraph> {
  const pool = { engine: onnxRuntime, device: 'cpu' as const, load: onnxRuntime.load }
  const loss = { batch: BATCH, distill: 0, temperature: 1 }
  return buildTrainingGraph(
    pool,
    model,
    [{ of: model, weight: 1 }],
    { x: waves([BATCH, ...input]) },
    classification([{ output: 'scores', classes: 3 }]),
    loss,
  )
}

// Largest gradient of each parameter.
async function gradientsOf(found: TrainingGraph, input: readonly number[]): Promise<Record<string, number>> {
  const graph = await onnxRuntime.load(writeModel(found.model), { threads: 1 })
  const parameters = found.parameters.map(({ name, dims, initial }) => [name, float32(dims, initial)] as const)
  const feeds = {
    x: waves([BATCH, ...input]),
    'ttq:labels': float32([BATCH, 3], [1, 0, 0, 0, 0, 1]),
    ...Object.fromEntries(parameters),
  }
  const values = await graph.run(feeds)
  await graph.release()
  return Object.fromEntries(
    [...found.gradients].map(([name, output]) => [
      name,
      (values[output]?.data as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    ]),
  )
}

const head = { wh: waves([3, 4]), bh: waves([3]) }
const HEAD: Line = ['scores', 'Gemm', ['f', 'wh', 'bh'], attributes({ transB: 1 })]

test('layers that ONNX Runtime has fused learn, biases and scales included', async () => {
  const input = [2, 4, 4]
  const model = network(
    input,
    [
      ['c', 'FusedConv', ['x', 'w', 'b'], attributes({ activation: 'Tanh', kernel_shape: [3, 3] }), 'com.microsoft'],
      ['n', 'GroupNormalization', ['c', 's', 't'], attributes({ num_groups: 2 })],
      ['p', 'GlobalAveragePool', ['n']],
      ['q', 'Flatten', ['p']],
      ['g', 'BiasGelu', ['q', 'bg'], {}, 'com.microsoft'],
      ['f', 'FusedMatMul', ['g', 'wf'], attributes({ transB: 1, alpha: { float: 0.5 } }), 'com.microsoft'],
      HEAD,
    ],
    {
      w: waves([4, 2, 3, 3]),
      b: waves([4]),
      s: float32([2], [1, 2]),
      t: waves([2]),
      bg: waves([4]),
      wf: waves([4, 4]),
      ...head,
    },
  )
  const found = await trainingGraphOf(model, input)
  const gradients = await gradientsOf(found, input)
  assert.deepEqual(Object.keys(gradients).sort(), ['b', 'bg', 'bh', 's', 't', 'w', 'wf', 'wh'])
  for (const [name, most] of Object.entries(gradients))
    assert.ok(most > 1e-6 && Number.isFinite(most), `${name}: ${most}`)
})

const recurrent = (steps: number): Model =>
  network(
    [steps, 2],
    [
      ['t', 'Transpose', ['x'], attributes({ perm: [1, 0, 2] })],
      ['_ h', 'LSTM', ['t', 'w', 'r', 'b'], attributes({ hidden_size: 4 })],
      ['f', 'Squeeze', ['h', 'zero']],
      HEAD,
    ],
    { w: waves([1, 16, 2]), r: waves([1, 16, 4]), b: waves([1, 32]), zero: int64([0]), ...head },
  )

test('recurrent layers learn', async () => {
  const gradients = await gradientsOf(await trainingGraphOf(recurrent(5), [5, 2]), [5, 2])
  assert.deepEqual(Object.keys(gradients).sort(), ['b', 'bh', 'r', 'w', 'wh'])
  for (const [name, most] of Object.entries(gradients))
    assert.ok(most > 1e-6 && Number.isFinite(most), `${name}: ${most}`)
})

test('recurrent layers of long sequences keep their weights, and what stands behind them learns', async () => {
  const { parameters } = await trainingGraphOf(recurrent(600), [600, 2])
  assert.deepEqual(
    parameters.map(({ name }) => name),
    ['wh', 'bh'],
  )
})

test('layers in front of a recurrent layer of long sequences stay, and what stands behind it learns', async () => {
  const model = recurrent(600)
  model.graph.nodes[0] = { ...(model.graph.nodes[0] as Node), inputs: ['m'] }
  const product = { name: 'm', opType: 'MatMul', domain: '', inputs: ['x', 'wm'], outputs: ['m'], attributes: {} }
  model.graph.nodes.unshift(product)
  model.graph.initializers.set('wm', waves([2, 2]))
  const feeds = { x: waves([BATCH, 600, 2]) }
  const task = classification([{ output: 'scores', classes: 3 }])
  const { obstacles, blocked, learning } = await examineTraining(onnxRuntime, model, feeds, task)
  assert.deepEqual(
    obstacles.map(({ node, reason }) => [node.name, reason]),
    [['LSTM', '600 steps, more than 512']],
  )
  const names = (parameters: typeof blocked): string[] => parameters.map(({ name }) => name).sort()
  assert.deepEqual(names(blocked), ['b', 'r', 'w', 'wm'])
  assert.deepEqual(names(learning), ['bh', 'wh'])
  const { parameters } = await trainingGraphOf(model, [600, 2])
  assert.deepEqual(parameters.map(({ name }) => name).sort(), ['bh', 'wh'])
})

const branch = (name: string, lines: [string, string, string[]][], output: string): Graph => ({
  name,
  nodes: lines.map(([out, opType, inputs]) => ({
    name: `${name}_${out}`,
    opType,
    domain: '',
    inputs,
    outputs: [out],
    attributes: {},
  })),
  inputs: [],
  outputs: [{ name: output, type: { elementType: 'float32', dims: undefined } }],
  initializers: new Map(),
})

// x, times w, squared where a condition holds and else through a tanh.
function branching(condition: 'of shapes' | 'of data'): Model {
  const model = network(
    [4],
    [
      ['h', 'MatMul', ['x', 'w1']],
      condition === 'of shapes' ? ['size', 'Shape', ['x']] : ['size', 'Cast', ['x'], attributes({ to: 7 })],
      ['least', 'ReduceMin', ['size'], attributes({ keepdims: 0 })],
      ['is_small', 'Less', ['least', 'seven']],
      [
        'f',
        'If',
        ['is_small'],
        {
          then_branch: {
            kind: 'graph',
            value: branch(
              'then',
              [
                ['t', 'Tanh', ['h']],
                ['u', 'Mul', ['t', 't']],
              ],
              'u',
            ),
          },
          else_branch: { kind: 'graph', value: branch('else', [['t', 'Neg', ['h']]], 't') },
        },
      ],
      HEAD,
    ],
    { w1: waves([4, 4]), seven: int64([7]), ...head },
  )
  const seven = model.graph.initializers.get('seven') as Tensor
  model.graph.initializers.set('seven', { ...seven, dims: [] })
  return model
}

test('an If whose condition follows from shapes is differentiated through the branch that it takes', async () => {
  const gradients = await gradientsOf(await trainingGraphOf(branching('of shapes'), [4]), [4])
  assert.deepEqual(Object.keys(gradients).sort(), ['bh', 'w1', 'wh'])
  for (const [name, most] of Object.entries(gradients)) assert.ok(most > 1e-6, `${name}: ${most}`)
})

test('what an If takes in that chooses by data stays', async () => {
  const { parameters } = await trainingGraphOf(branching('of data'), [4])
  assert.deepEqual(parameters.map(({ name }) => name).sort(), ['bh', 'wh'])
})

// A weight of two layers, of which the second has it behind other nodes: its gradient is that of both.
const HALF = float32([], [0.5])
for (const [name, lines] of Object.entries<Line[]>({
  'turned around': [['w2', 'Transpose', ['w'], attributes({ perm: [1, 0] })]],
  'in another rank and back': [
    ['rows', 'Unsqueeze', ['w', 'zero']],
    ['w2', 'Squeeze', ['rows', 'zero']],
  ],
  'negative, and half of it': [
    ['negative', 'Neg', ['w']],
    ['w2', 'Mul', ['negative', 'half']],
  ],
  'its rows the other way around': [['w2', 'Slice', ['w', 'end', 'start', 'zero', 'back']]],
})) {
  test(`a shared weight, ${name}, learns from all its layers`, async () => {
    const model = network(
      [3],
      [...lines, ['h', 'MatMul', ['x', 'w']], ['r', 'Tanh', ['h']], ['scores', 'MatMul', ['r', 'w2']]],
      {
        w: waves([3, 3]),
        half: HALF,
        zero: int64([0]),
        end: int64([-1]),
        start: int64([-(2 ** 31)]),
        back: int64([-1]),
      },
    )
    for (const node of model.graph.nodes) node.name = node.outputs.join()
    const found = await trainingGraphOf(model, [3])
    assert.deepEqual(
      found.parameters.map((parameter) => parameter.name),
      ['w'],
    )
    const graph = await onnxRuntime.load(writeModel(found.model), { threads: 1 })
    const at = async (shift: number): Promise<[loss: number, gradient: ArrayLike<number>]> => {
      const w = waves([3, 3])
      w.data[1] = (w.data[1] as number) + shift
      const results = await graph.run({
        x: waves([BATCH, 3]),
        'ttq:labels': float32([BATCH, 3], [1, 0, 0, 0, 0, 1]),
        w,
      })
      const gradient = results[found.gradients.get('w') as string] as Tensor<'float32'>
      return [Number((results[found.loss] as Tensor<'float32'>).data[0]), gradient.data]
    }
    const [[above], [below], [, gradient]] = [await at(0.01), await at(-0.01), await at(0)]
    assert.ok(Math.abs((above - below) / 0.02 - (gradient[1] as number)) < 1e-3, `${(above - below) / 0.02}`)
    await graph.release()
  })
}
