// Weights of LSTM, GRU and RNN as ternary layers, where they are named: fitted on what the nodes are given, with
// factors in front of the node and shifts in its biases.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { attributes } from '../../src/onnx/attributes.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { producers } from '../../src/onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { Session } from '../../src/runtime/session.js'
import { elementCount, float32, type Tensor } from '../../src/tensor/tensor.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { seeded } from '../onnx/fixtures.js'

const [STEPS, INPUTS, SIZE, OPSET] = [6, 12, 10, 17]
const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const

interface Form {
  op: keyof typeof GATES
  directions?: 1 | 2
  /** Without it, the node has no biases. */
  bias?: boolean
  attrs?: Parameters<typeof attributes>[0]
  /** Which results the node has names for. Default: all states. */
  results?: 'states' | 'last'
  weights?: 'any' | 'ternary' | 'ternary by channel'
  inBody?: boolean
}

const randomTensor = (random: () => number, dims: number[], size = 0.6): Tensor<'float32'> =>
  float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => size * (2 * random() - 1)),
  )

function recurrent(b: GraphBuilder, x: ValueName, { op, directions = 1, ...form }: Form): Node {
  const random = seeded(3)
  const channels = GATES[op] * SIZE
  const weight = (name: string, columns: number): ValueName => {
    const any = randomTensor(random, [directions, channels, columns])
    const { weights = 'any' } = form
    const data = any.data.map((value, i) => {
      if (weights === 'any') return value
      const factor = weights === 'ternary' ? 0.4 : 0.2 + 0.05 * (Math.floor(i / columns) % channels)
      return Math.abs(value) < 0.2 ? 0 : Math.sign(value) * factor
    })
    return b.constant(float32(any.dims, data), name)
  }
  const inputs = [x, weight('w', INPUTS), weight('r', SIZE)]
  if (form.bias !== false) inputs.push(b.constant(randomTensor(random, [directions, 2 * channels], 0.2), 'b'))
  const own = { hidden_size: SIZE, direction: directions === 2 ? 'bidirectional' : 'forward', ...form.attrs }
  const outputs = form.results === 'last' ? ['', 'last'] : ['states']
  return { name: 'cell', opType: op, domain: '', inputs, outputs, attributes: attributes(own) }
}

// [N, STEPS, INPUTS] -> the recurrent node, with steps first -> [N, ...].
function network(form: Form): Model {
  const b = new GraphBuilder(['x', 'y'])
  b.inputs.push({ name: 'x', type: { elementType: 'float32', dims: ['N', STEPS, INPUTS] } })
  const turned = b.emit('Transpose', ['x'], { perm: [1, 0, 2] }, 'turned')
  const node = recurrent(b, turned, form)
  const result = form.results === 'last' ? 'last' : 'states'
  const perm = form.results === 'last' ? [1, 0, 2] : [2, 0, 1, 3]
  if (form.inBody === true) {
    const branch = (): Graph => ({
      name: 'branch',
      nodes: [node],
      inputs: [],
      outputs: [{ name: result, type: undefined }],
      initializers: new Map(),
    })
    // True for all samples, which nobody can know.
    const sum = b.emit('ReduceSum', [b.emit('Mul', ['x', 'x'])], { keepdims: 0 })
    const condition = b.emit('Greater', [sum, b.constant(float32([], [-1]))])
    const other: Graph = {
      ...branch(),
      nodes: [{ ...node, name: 'other', opType: 'Identity', inputs: ['zeros'], outputs: ['nothing'], attributes: {} }],
      outputs: [{ name: 'nothing', type: undefined }],
    }
    b.initializers.set('zeros', float32([STEPS, 1, 1, SIZE], new Float32Array(STEPS * SIZE)))
    b.push({
      ...node,
      name: 'choice',
      opType: 'If',
      inputs: [condition],
      outputs: ['chosen'],
      attributes: {
        then_branch: { kind: 'graph', value: branch() },
        else_branch: { kind: 'graph', value: other },
      },
    })
    b.push({
      ...node,
      name: '',
      opType: 'Transpose',
      inputs: ['chosen'],
      outputs: ['y'],
      attributes: attributes({ perm }),
    })
  } else {
    b.push(node)
    b.push({
      ...node,
      name: '',
      opType: 'Transpose',
      inputs: [result],
      outputs: ['y'],
      attributes: attributes({ perm }),
    })
  }
  b.outputs.push({ name: 'y', type: { elementType: 'float32', dims: undefined } })
  return { irVersion: 8, opsets: new Map([['', OPSET]]), graph: b.build('recurrent') }
}

// Signals of few frequencies: what a step holds depends on what is around it.
const folder = mkdtempSync(join(tmpdir(), 'ttq-recurrent-'))
after(() => rmSync(folder, { recursive: true }))
const LOADER = join(folder, 'signals.mjs')
writeFileSync(
  LOADER,
  `const waves = [0.3, 0.7, 1.9]
   const value = (i, j) => waves.reduce((sum, w, k) => sum + Math.sin(w * (j % ${INPUTS}) + i * (k + 1.3) + j / (20 * w)), 0)
   const batch = (indices) => ({
     inputs: {
       x: {
         dims: [indices.length, ${STEPS}, ${INPUTS}],
         data: Float32Array.from(indices.flatMap((i) => Array.from({ length: ${STEPS * INPUTS} }, (_, j) => value(i, j)))),
       },
     },
   })
   export default { train: { size: 512, batch }, test: { size: 64, batch: (indices) => batch(indices.map((i) => i + 512)) } }
  `,
)

const COMMON = { name: 'net.onnx', keepNames: true, data: LOADER, epochs: 0, threads: 1 } as const

const fitted = async (form: Form, request: Partial<CompressRequest> = {}): Promise<CompressResult> =>
  await compress(writeModel(network(form)), {
    name: 'net.onnx',
    ternary: ['*'],
    keepNames: true,
    data: LOADER,
    epochs: 0,
    threads: 1,
    ...request,
  })

async function outputOf(model: Model): Promise<Float32Array> {
  const { default: parts } = (await import(LOADER)) as {
    default: { test: { batch: (indices: number[]) => { inputs: { x: Omit<Tensor<'float32'>, 'type'> } } } }
  }
  const session = await Session.create(writeModel(model), { threads: 1 })
  try {
    const { x } = parts.test.batch([0, 1, 2, 3]).inputs
    return (await session.run({ x: { type: 'float32', ...x } }))['y']?.data as Float32Array
  } finally {
    await session.release()
  }
}

// Relative, root mean square.
async function distanceFrom(form: Form, file: Uint8Array): Promise<number> {
  const [expected, found] = [await outputOf(network(form)), await outputOf(unpack(file).model)]
  const squares = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0)
  return Math.sqrt(squares(expected.map((value, i) => value - (found[i] as number))) / squares(expected))
}

const distanceOf = ({ report }: CompressResult): number => report.reconstruction?.distance ?? NaN

describe('recurrent layers', () => {
  test('stay in full precision unless they are named', () => {
    const { graph } = network({ op: 'LSTM' })
    const reasons = (ternary: string[]): (string | undefined)[] =>
      chooseLayers(graph, { keep: [], ternary }).map(({ reason }) => reason)
    assert.deepEqual(reasons([]), ['recurrent layer', 'recurrent layer'])
    assert.deepEqual(reasons(['r']), ['recurrent layer', undefined])
    assert.deepEqual(reasons(['cell']), [undefined, undefined])
  })

  test('are no layers with biases that are computed', () => {
    const { graph } = network({ op: 'GRU' })
    const biases = graph.initializers.get('b') as Tensor
    graph.initializers.delete('b')
    graph.inputs.push({ name: 'b', type: { elementType: 'float32', dims: biases.dims } })
    assert.deepEqual(chooseLayers(graph, { keep: [], ternary: [] }), [])
  })

  const FORMS: Record<string, Form> = {
    LSTM: { op: 'LSTM' },
    'LSTM in both directions, without biases': { op: 'LSTM', directions: 2, bias: false },
    'LSTM in reverse': { op: 'LSTM', attrs: { direction: 'reverse' } },
    'LSTM that gives its last state only': { op: 'LSTM', results: 'last' },
    'LSTM in a branch': { op: 'LSTM', inBody: true },
    GRU: { op: 'GRU', directions: 2 },
    'GRU that resets what comes of the state': { op: 'GRU', attrs: { linear_before_reset: 1 } },
    RNN: { op: 'RNN' },
  }
  for (const [name, form] of Object.entries(FORMS))
    test(`${name}: nearer to the original than by the weights alone`, async () => {
      const [result, alone] = [await fitted(form), await fitted(form, { renormalize: 'off' })]
      const { report, file } = result
      assert.deepEqual(
        report.layers.map(({ name: weight, op, ternary }) => [weight, op, ternary]),
        [
          ['w', form.op, true],
          ['r', form.op, true],
        ],
      )
      const [near, far] = [await distanceFrom(form, file), await distanceFrom(form, alone.file)]
      assert.ok(near < 0.7 * far, `${near}, ${far}`)
    })

  test('in a branch: as outside of it', async () => {
    const [inside, outside] = [await fitted({ op: 'LSTM', inBody: true }), await fitted({ op: 'LSTM' })]
    assert.equal(distanceOf(inside), distanceOf(outside))
  })

  test('ternary as they are: the same codes and scales, and nothing else is changed', async () => {
    const form: Form = { op: 'LSTM', weights: 'ternary' }
    const model = unpack((await fitted(form)).file).model
    for (const weight of ['w', 'r'])
      assert.deepEqual(model.graph.initializers.get(weight), network(form).graph.initializers.get(weight))
    const node = model.graph.nodes.find(({ opType }) => opType === 'LSTM')
    assert.deepEqual(node?.inputs.slice(0, 4), ['turned', 'w', 'r', 'b'])
  })

  test('ternary but for a factor per channel: no error is left, and the factors stand in front of the node', async () => {
    const form: Form = { op: 'LSTM', directions: 2, weights: 'ternary by channel' }
    const result = await fitted(form, { rest: 'fp32' })
    assert.ok(distanceOf(result) < 0.1, `${distanceOf(result)} %`)
    const { graph } = unpack(result.file).model
    const cell = graph.nodes.find(({ opType }) => opType === 'LSTM') as Node
    const makers = producers(graph)
    assert.deepEqual(
      cell.inputs.slice(1, 3).map((name) => [makers.get(name)?.opType, makers.get(name)?.inputs[0]]),
      [
        ['Mul', 'w'],
        ['Mul', 'r'],
      ],
    )
    // Nothing is lost of what was unpacked, though nothing is named.
    const again = await compress(writeModel(unpack(result.file).model), { ...COMMON, rest: 'fp32' })
    assert.ok(distanceOf(again) < 0.1 && again.report.layers.every(({ ternary }) => ternary), `${distanceOf(again)} %`)
  })

  test('one weight of two nodes: stored once, fitted by itself', async () => {
    const b = new GraphBuilder(['x', 'y'])
    b.inputs.push({ name: 'x', type: { elementType: 'float32', dims: ['N', STEPS, INPUTS] } })
    const node = recurrent(b, b.emit('Transpose', ['x'], { perm: [1, 0, 2] }), { op: 'RNN' })
    b.push(node)
    b.push({ ...node, name: 'again', outputs: ['more'] })
    b.push({ ...node, name: '', opType: 'Sub', inputs: ['states', 'more'], outputs: ['y'], attributes: {} })
    b.outputs.push({ name: 'y', type: { elementType: 'float32', dims: undefined } })
    const model = { irVersion: 8, opsets: new Map([['', OPSET]]), graph: b.build('twice') }
    const { file } = await compress(writeModel(model), {
      name: 'n',
      ternary: ['*'],
      keepNames: true,
      data: LOADER,
      epochs: 0,
      threads: 1,
    })
    const { graph } = unpack(file).model
    const cells = graph.nodes.filter(({ opType }) => opType === 'RNN').map(({ inputs }) => inputs.slice(1, 3))
    assert.deepEqual(cells, [
      ['w', 'r'],
      ['w', 'r'],
    ])
  })

  test('learn along with everything else', async () => {
    const trained = await fitted(
      { op: 'LSTM' },
      { epochs: 4, batch: 16, anyway: true, seed: 1, latentStart: 'weights' },
    )
    const { report, file } = trained
    const losses = report.training?.history.map(({ loss }) => loss) ?? []
    assert.ok((losses.at(-1) as number) < 0.8 * (losses[0] as number), losses.join())
    const { wp, wn } = report.layers[0] as { wp: number; wn: number }
    assert.notEqual(wp, wn)
    // What is packed is LSTM as it was, with ternary weights.
    const { graph } = unpack(file).model
    assert.deepEqual(graph.nodes.find(({ opType }) => opType === 'LSTM')?.inputs.slice(0, 3), ['turned', 'w', 'r'])
    const levels = new Set(graph.initializers.get('w')?.data as Float32Array)
    assert.deepEqual(levels.size, 3)
  })

  test('stay as they were fitted in a training of few steps', async () => {
    const { report, file } = await fitted({ op: 'GRU' }, { epochs: 2, batch: 16, anyway: true })
    assert.deepEqual(
      report.layers.map(({ name, ternary }) => [name, ternary]),
      [
        ['w', true],
        ['r', true],
      ],
    )
    assert.equal(report.training?.steps, 2 * Math.floor((512 - 51) / 16))
    const { graph } = unpack(file).model
    const makers = producers(graph)
    const [, w = ''] = graph.nodes.find(({ opType }) => opType === 'GRU')?.inputs ?? []
    assert.deepEqual(makers.get(w)?.inputs[0], 'w')
    assert.ok((report.likeness?.['relativeError'] ?? NaN) < 30, JSON.stringify(report.likeness))
  })
})
