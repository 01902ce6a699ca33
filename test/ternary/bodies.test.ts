// Layers in the bodies of If, Loop and Scan: each is fitted on what it is given there, and the packed file computes
// what was fitted.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compress, type CompressResult } from '../../src/jobs/compress.js'
import type { CompressRequest } from '../../src/jobs/compress-job.js'
import { attributes } from '../../src/onnx/attributes.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { valueNames } from '../../src/onnx/graph-queries.js'
import { hoistConstants } from '../../src/onnx/hoist-constants.js'
import type { Graph, Model, Node, ValueName } from '../../src/onnx/model.js'
import { walkGraphs } from '../../src/onnx/nested-graphs.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import type { Results } from '../../src/runtime/engine.js'
import { Session } from '../../src/runtime/session.js'
import { isFloatType } from '../../src/tensor/data-type.js'
import { floatTensor } from '../../src/tensor/float-values.js'
import { elementCount, float32, int64, type Tensor } from '../../src/tensor/tensor.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { seeded } from '../onnx/fixtures.js'

const CHANNELS = 8
const OPSET = 17

const node = (opType: string, inputs: ValueName[], outputs: ValueName[], own: Node['attributes'] = {}): Node => ({
  name: '',
  opType,
  domain: '',
  inputs,
  outputs,
  attributes: own,
})
const floatValue = (name: ValueName): Graph['inputs'][number] => ({
  name,
  type: { elementType: 'float32', dims: undefined },
})
const bool = (value: 0 | 1): Tensor => ({ type: 'bool', dims: [], data: Uint8Array.of(value) })
const whole = (value: bigint): Tensor => ({ type: 'int64', dims: [], data: BigInt64Array.of(value) })

const weight = (b: GraphBuilder, random: () => number, name: string, dims: number[]): ValueName =>
  b.constant(
    float32(
      dims,
      Float32Array.from({ length: elementCount(dims) }, () => random() - 0.5),
    ),
    name,
  )

// Two layers on [N, CHANNELS, ...], which stand in a body or do not. Their weights are the same wherever.
const convolve = (b: GraphBuilder, x: ValueName, random: () => number): ValueName => {
  const layer = (value: ValueName, name: string): ValueName =>
    b.emit('Conv', [value, weight(b, random, name, [CHANNELS, CHANNELS, 3, 3])], { pads: [1, 1, 1, 1] })
  return b.emit('Relu', [layer(b.emit('Relu', [layer(x, 'inner')]), 'inner_2')])
}

type Middle = (b: GraphBuilder, x: ValueName, random: () => number) => ValueName

const nested = (b: GraphBuilder, x: ValueName, random: () => number): { inner: GraphBuilder; result: ValueName } => {
  const inner = new GraphBuilder([x, ...valueNames(b.build('around'))])
  const result = convolve(inner, x, random)
  return { inner, result }
}

const MIDDLES = {
  plain: convolve,
  // Once through, so that a plain network has the same layers with the same inputs.
  Loop: (b, x, random) => {
    const { inner, result } = nested(b, 'carried', random)
    const body: Graph = {
      name: 'body',
      nodes: [...inner.nodes, node('Identity', ['go'], ['on'])],
      inputs: [
        { name: 'i', type: { elementType: 'int64', dims: [] } },
        { name: 'go', type: { elementType: 'bool', dims: [] } },
        floatValue('carried'),
      ],
      outputs: [{ name: 'on', type: { elementType: 'bool', dims: [] } }, floatValue(result)],
      initializers: inner.initializers,
    }
    const looped = b.fresh('looped')
    const given = [b.constant(whole(1n)), b.constant(bool(1)), x]
    b.push(node('Loop', given, [looped], { body: { kind: 'graph', value: body } }))
    return looped
  },
  // Over the only element of a new first axis.
  Scan: (b, x, random) => {
    const { inner, result } = nested(b, 'turn', random)
    const body: Graph = {
      name: 'body',
      nodes: inner.nodes,
      inputs: [floatValue('turn')],
      outputs: [floatValue(result)],
      initializers: inner.initializers,
    }
    const [turns, scanned, axes] = [b.fresh('turns'), b.fresh('scanned'), b.constant(int64([0]))]
    b.push(node('Unsqueeze', [x, axes], [turns]))
    b.push(
      node('Scan', [turns], [scanned], {
        body: { kind: 'graph', value: body },
        ...attributes({ num_scan_inputs: 1 }),
      }),
    )
    return b.emit('Squeeze', [scanned, axes])
  },
  // Both branches have values of one name; which is taken, data say.
  If: (b, x, random) => {
    const then = nested(b, x, random)
    const other: Graph = {
      name: 'other',
      nodes: [node('Neg', [x], [then.result])],
      inputs: [],
      outputs: [floatValue(then.result)],
      initializers: new Map(),
    }
    const taken: Graph = {
      name: 'then',
      nodes: then.inner.nodes,
      inputs: [],
      outputs: [floatValue(then.result)],
      initializers: then.inner.initializers,
    }
    const sum = b.emit('ReduceMax', [x], { keepdims: 0 })
    const isAny = b.emit('GreaterOrEqual', [sum, b.constant(float32([], [0]))])
    const chosen = b.fresh('chosen')
    b.push(
      node('If', [isAny], [chosen], {
        then_branch: { kind: 'graph', value: taken },
        else_branch: { kind: 'graph', value: other },
      }),
    )
    return chosen
  },
} satisfies Record<string, Middle>

function network(middle: Middle): Model {
  const b = new GraphBuilder()
  const random = seeded(3)
  const conv = (x: ValueName, name: string, dims: number[]): ValueName =>
    b.emit('Conv', [x, weight(b, random, name, dims)], { pads: [1, 1, 1, 1] })
  const x = b.emit('Relu', [conv(b.input('x', 'float32', ['N', 3, 6, 6]), 'first', [CHANNELS, 3, 3, 3])])
  // The same numbers whatever stands between.
  const inside = seeded(4)
  const y = b.emit('Relu', [conv(middle(b, x, inside), 'behind', [CHANNELS, CHANNELS, 3, 3])])
  const pooled = b.emit('Flatten', [b.emit('GlobalAveragePool', [y])])
  b.emit('MatMul', [pooled, weight(b, random, 'last', [CHANNELS, 4])], {}, 'y')
  b.output('y', 'float32', ['N', 4])
  return { irVersion: 8, opsets: new Map([['', OPSET]]), graph: b.build('bodies') }
}

const pack = async (model: Model, further: Partial<CompressRequest> = {}): Promise<CompressResult> =>
  await compress(writeModel(model), { name: 'net.onnx', samples: 64, threads: 1, keepNames: true, ...further })

const INPUT = float32(
  [2, 3, 6, 6],
  Float32Array.from({ length: 216 }, (_, i) => Math.sin(i * 1.3)),
)
const run = async (model: Model): Promise<Results> => {
  const session = await Session.create(writeModel(model), { threads: 1, optimization: 'disabled' })
  try {
    return await session.run({ x: INPUT })
  } finally {
    await session.release()
  }
}
const outputOf = async (model: Model): Promise<number[]> => Array.from((await run(model))['y']?.data as Float32Array)

const ternaryWeights = ({ file }: Pick<CompressResult, 'file'>): Map<string, number[]> => {
  const { model, ternary } = unpack(file)
  const values = (name: ValueName): number[] =>
    Array.from((model.graph.initializers.get(name) as Tensor<'float32'>).data)
  return new Map([...ternary.keys()].sort().map((name) => [name, values(name)]))
}

describe('a body that is run once', () => {
  const outside = pack(network(MIDDLES.plain))
  for (const kind of ['Loop', 'Scan', 'If'] as const)
    test(`${kind}: its layers become what they become outside of it`, async () => {
      const [flat, inBody] = [await outside, await pack(network(MIDDLES[kind]))]
      const [expected, found] = [ternaryWeights(flat), ternaryWeights(inBody)]
      assert.deepEqual([...found.keys()], [...expected.keys()])
      // Sums of floats may come in another order in a body.
      const codes = (weights: Map<string, number[]>): number[] => [...weights.values()].flat().map(Math.sign)
      const [first, second] = [codes(expected), codes(found)]
      const equal = first.filter((code, i) => code === second[i]).length
      assert.ok(equal >= 0.99 * first.length, `${equal} of ${first.length}`)
      const distances = [flat, inBody].map(({ report }) => report.reconstruction?.distance ?? NaN)
      assert.ok(Math.abs((distances[1] as number) / (distances[0] as number) - 1) < 0.05, distances.join(', '))
      assert.deepEqual(inBody.report.reconstruction?.layers.length, 3)
      assert.equal(inBody.report.verified.bitExact, true)
    })
})

test('layers by their weights alone have factors in bodies, too', async () => {
  const model = network(MIDDLES.Loop)
  const { file } = await pack(model, { threshold: 0.05 })
  const [expected, found] = [await outputOf(model), await outputOf(unpack(file).model)]
  const distance = (values: readonly number[]): number =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  assert.ok(distance(found.map((value, i) => value - (expected[i] as number))) < distance(expected))
  const inBody = [...walkGraphs(unpack(file).model.graph)].flatMap(({ nodes }, depth) =>
    depth === 0 ? [] : nodes.map(({ opType }) => opType),
  )
  assert.equal(inBody.filter((op) => op === 'Mul').length, 2)
})

test('weights that are ternary already come back from a body as they are', async () => {
  const { file } = await pack(network(MIDDLES.Loop))
  const once = unpack(file).model
  const again = await pack(once)
  assert.deepEqual(ternaryWeights(again), ternaryWeights({ file }))
  assert.deepEqual(await outputOf(unpack(again.file).model), await outputOf(once))
})

test('constants of bodies are those of the whole network, under names of their own', async () => {
  for (const kind of ['Loop', 'Scan', 'If'] as const) {
    const model = network(MIDDLES[kind])
    const hoisted = { ...model, graph: hoistConstants(model.graph) }
    const [outermost, ...inner] = [...walkGraphs(hoisted.graph)]
    assert.equal(
      [...(outermost?.initializers.values() ?? [])].filter(({ type }) => isFloatType(type)).length,
      kind === 'If' ? 6 : 5,
    )
    assert.ok(inner.every(({ initializers }) => initializers.size === 0))
    const made = [...walkGraphs(hoisted.graph)].flatMap(({ nodes }) => nodes.flatMap(({ outputs }) => outputs))
    assert.equal(new Set(made).size, made.length)
    assert.deepEqual(await outputOf(hoisted), await outputOf(model))
  }
})

test('the same constants in two bodies are stored once', () => {
  const { graph } = network(MIDDLES.Loop)
  const twice = {
    ...graph,
    nodes: graph.nodes.flatMap((each) => (each.opType === 'Loop' ? [each, { ...each, outputs: ['again'] }] : [each])),
  }
  assert.equal(hoistConstants(twice).initializers.size, hoistConstants(graph).initializers.size)
})

// A Loop whose number of turns is what a case says.
const turning = (turns: (b: GraphBuilder) => ValueName, change: (body: Graph) => Graph = (body) => body): Model =>
  network((b, x, random) => {
    const looped = MIDDLES.Loop(b, x, random)
    const loop = b.nodes.find(({ opType }) => opType === 'Loop') as Node
    const { value } = loop.attributes['body'] as { value: Graph }
    loop.attributes = { body: { kind: 'graph', value: change(value) } }
    const count = turns(b)
    loop.inputs = [count, ...loop.inputs.slice(1)]
    b.nodes.splice(b.nodes.indexOf(loop), 1)
    b.nodes.push(loop)
    return looped
  })

test('turns differ from sample to sample, down to none: layers are fitted by themselves', async () => {
  // Images whose largest number lies above 3 have no turn.
  const model = turning((b) => {
    const most = b.emit('ReduceMax', ['x'], { keepdims: 0 })
    return b.emit('Cast', [b.emit('Less', [most, b.constant(float32([], [3]))])], { to: 7 })
  })
  const { report } = await pack(model)
  assert.equal(report.layers.filter(({ ternary }) => ternary).length, 3)
  assert.equal(report.verified.bitExact, true)
})

test('a layer of a body that leads to nothing is gone', async () => {
  const model = turning(
    (b) => b.constant(whole(2n)),
    (body) => {
      const idle = float32([6, 6], new Float32Array(36).fill(0.1))
      return {
        ...body,
        nodes: [node('MatMul', ['carried', 'idle'], ['nothing']), ...body.nodes],
        initializers: new Map([...body.initializers, ['idle', idle]]),
      }
    },
  )
  const { report } = await pack(model)
  assert.ok(!report.layers.some(({ name }) => name.includes('idle')))
})

test('weights of a body in float16 behind a Cast, and one that --keep names', async () => {
  const model = turning(
    (b) => b.constant(whole(2n)),
    (body) => {
      const half = floatTensor(
        'float16',
        [CHANNELS, CHANNELS, 3, 3],
        body.initializers.get('inner')?.data as Float32Array,
      )
      return {
        ...body,
        nodes: [node('Cast', ['half'], ['inner'], attributes({ to: 1 })), ...body.nodes],
        initializers: new Map(
          [...body.initializers].flatMap(([name, tensor]) =>
            name === 'inner' ? [['half', half] as const] : [[name, tensor] as const],
          ),
        ),
      }
    },
  )
  const { report } = await pack(model, { keep: ['inner_2'], rest: 'int8' })
  const layer = (name: string): (typeof report.layers)[number] | undefined =>
    report.layers.find((each) => each.name === name)
  assert.equal(layer('inner')?.ternary, true)
  assert.equal(layer('inner_2')?.stored, 'int8')
})

test('first and last are layers at the ends of a body that is first or last itself', () => {
  const layers = ({ graph }: Model): (string | undefined)[] =>
    chooseLayers(hoistConstants(graph), { keep: [], ternary: [] }).map(({ reason }) => reason)
  assert.deepEqual(layers(network(MIDDLES.Loop)), ['first layer', undefined, undefined, undefined, 'last layer'])
  const alone = new GraphBuilder()
  const y = MIDDLES.Loop(alone, alone.input('x', 'float32', ['N', CHANNELS, 6, 6]), seeded(4))
  alone.output(y, 'float32')
  const model = { irVersion: 8, opsets: new Map([['', OPSET]]), graph: alone.build('alone') }
  assert.deepEqual(layers(model), ['first layer', 'last layer'])
})
