// Both versions of a network run in ONNX Runtime on the same seeded inputs and must give identical outputs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributes } from '../../src/onnx/attributes.js'
import { checkGraph } from '../../src/onnx/check-graph.js'
import type { Model, Node } from '../../src/onnx/model.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import { readModel } from '../../src/onnx/read-model.js'
import { runnableVersions, upgradeOpset } from '../../src/onnx/upgrade-opset.js'
import { UPGRADE_RULES } from '../../src/onnx/upgrade-rules.js'
import { writeModel } from '../../src/onnx/write-model.js'
import type { Results } from '../../src/runtime/engine.js'
import { Session } from '../../src/runtime/session.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import { fixture, fixtureNames, seededFeeds, type Folder } from './fixtures.js'

const SEED = 11
const LATEST = 18

async function run(model: Model): Promise<Results> {
  const session = await Session.create(writeModel(model), { threads: 1, optimization: 'disabled' })
  try {
    return await session.run(seededFeeds(model.graph, SEED))
  } finally {
    await session.release()
  }
}

function testUpgrade(folder: Folder, file: string): void {
  test(`${folder}/${file} computes the same in opset 18`, async () => {
    const model = readModel(fixture(folder, file), { name: file })
    const before = writeModel(model)
    const upgraded = upgradeOpset(model)
    assert.equal(upgraded.opsets.get(''), LATEST)
    checkGraph(upgraded.graph)
    assert.deepEqual(writeModel(model), before, 'the model itself was changed')
    assert.deepEqual(await run(upgraded), await run(model), `seed ${SEED}`)
  })
}

for (const file of fixtureNames('upgrade')) testUpgrade('upgrade', file)
for (const file of fixtureNames('accept').filter((name) => /^opset-(0|1[0-7])/.test(name))) testUpgrade('accept', file)

test('every rule has a file, but those that only refuse', () => {
  const used = new Set(
    fixtureNames('upgrade').flatMap((file) =>
      readModel(fixture('upgrade', file)).graph.nodes.map(({ opType }) => opType),
    ),
  )
  assert.deepEqual(
    // ONNX Runtime has nothing to compare with of opsets before 7: odd networks below.
    Object.keys(UPGRADE_RULES).filter(
      (operator) => !used.has(operator) && UPGRADE_RULES[operator]?.some(({ before }) => before > 7),
    ),
    ['Scan'],
  )
})

test('operators and attributes may be called what every JavaScript object has', () => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    const model = made(13, [
      {
        name: '',
        opType: name,
        domain: '',
        inputs: ['x'],
        outputs: ['y'],
        attributes: Object.fromEntries([[name, { kind: 'int', value: 3 }]]),
      },
    ])
    const upgraded = upgradeOpset(readModel(writeModel(model)))
    assert.equal(upgraded.graph.nodes[0]?.opType, name)
    assert.deepEqual(
      Object.entries(readModel(writeModel(upgraded)).graph.nodes[0]?.attributes ?? {}).map(([key]) => key),
      [name],
    )
  }
})

test('models of opset 18 and later, and those without ai.onnx, come back as they are', () => {
  for (const file of ['opset-18.onnx', 'opset-24.onnx']) {
    const model = readModel(fixture('accept', file))
    assert.equal(upgradeOpset(model), model)
  }
  const custom = made(13, [])
  custom.opsets = new Map([['local', 1]])
  assert.equal(upgradeOpset(custom), custom)
})

function made(
  opset: number,
  nodes: Partial<Node>[],
  outputs: string[] = [],
  initializers: [string, Tensor][] = [],
): Model {
  const full = nodes.map((node): Node => ({
    name: '',
    opType: '',
    domain: '',
    inputs: ['x'],
    outputs: ['y'],
    attributes: {},
    ...node,
  }))
  const inputs = [{ name: 'x', type: { elementType: 'float32', dims: [2, 3, 4] } as const }]
  const graph = {
    name: 'g',
    nodes: full,
    inputs,
    outputs: outputs.map((name) => ({ name, type: undefined })),
    initializers: new Map(initializers),
  }
  return { irVersion: 7, opsets: new Map([['', opset]]), graph }
}

const STATISTICS: [string, Tensor][] = ['s', 'b', 'm', 'v'].map((name, i) => [name, float32([3], [1 + i, 2, 3])])

for (const [opset, training] of [
  [9, {}],
  [14, { training_mode: 1 }],
  [15, { training_mode: 1 }],
] as const) {
  test(`batch norm of opset ${opset} stuck in training becomes inference`, async () => {
    const outputs = opset < 14 ? ['y', 'm2', 'v2', 'm3', 'v3'] : ['y', 'm2', 'v2']
    const norm = {
      opType: 'BatchNormalization',
      inputs: ['x', 's', 'b', 'm', 'v'],
      outputs,
      attributes: attributes({ ...training, momentum: { float: 0.5 } }),
    }
    const model = made(opset, [norm], ['y'], STATISTICS)
    const upgraded = upgradeOpset(model)
    assert.deepEqual(
      upgraded.graph.nodes.map((node) => [node.outputs, Object.keys(node.attributes)]),
      [[['y'], ['momentum']]],
    )
    const plain = made(opset, [{ ...norm, outputs: ['y'], attributes: {} }], ['y'], STATISTICS)
    assert.deepEqual(await run(upgraded), await run(plain))
  })
}

test('softmax over the last axis needs no reshaping where the rank is known', () => {
  const flatten = { opType: 'Flatten', outputs: ['flat'] }
  const model = made(11, [flatten, { opType: 'Softmax', inputs: ['flat'], attributes: attributes({ axis: 1 }) }], ['y'])
  assert.deepEqual(
    upgradeOpset(model).graph.nodes.map(({ opType }) => opType),
    ['Flatten', 'Softmax'],
  )
})

const REFUSALS: { model: Model; message: string }[] = [
  {
    model: made(7, [{ name: 'bn', opType: 'BatchNormalization', attributes: attributes({ spatial: 0 }) }]),
    message:
      'onnx: node "bn" (BatchNormalization) of opset 7 cannot be brought to opset 18: it has spatial = 0 ' +
      '(statistics per activation)',
  },
  {
    model: made(9, [{ opType: 'BatchNormalization', outputs: ['y', 'm2', 'v2'] }], ['y', 'v2']),
    message:
      'onnx: node "y" (BatchNormalization) of opset 9 cannot be brought to opset 18: its further output "v2" is used',
  },
  {
    model: made(10, [
      { opType: 'Dropout', outputs: ['y', 'mask'] },
      { opType: 'Not', inputs: ['mask'], outputs: ['z'] },
    ]),
    message: 'onnx: node "y" (Dropout) of opset 10 cannot be brought to opset 18: its further output "mask" is used',
  },
  {
    model: made(11, [
      { opType: 'Resize', attributes: attributes({ coordinate_transformation_mode: 'tf_half_pixel_for_nn' }) },
    ]),
    message:
      'onnx: node "y" (Resize) of opset 11 cannot be brought to opset 18: coordinate_transformation_mode ' +
      'tf_half_pixel_for_nn no longer exists',
  },
  {
    model: made(9, [{ opType: 'Upsample', inputs: ['x', 's'] }], [], [['s', float32([3], [1, 0.5, 2])]]),
    message:
      'onnx: node "y" (Upsample) of opset 9 cannot be brought to opset 18: it enlarges one axis and shrinks another',
  },
  {
    model: made(8, [{ opType: 'Scan' }]),
    message: 'onnx: node "y" (Scan) of opset 8 cannot be brought to opset 18: Scan 8 batches its sequences',
  },
  {
    model: made(
      10,
      [{ opType: 'Clip', inputs: ['h'], attributes: attributes({ min: { float: 0 } }) }],
      [],
      [['h', { type: 'float16', dims: [1], data: Uint16Array.of(0) }]],
    ),
    message:
      'onnx: node "y" (Clip) of opset 10 cannot be brought to opset 18: it works on float16, expected float32 or ' +
      'float64',
  },
]

for (const { model, message } of REFUSALS) {
  test(`refuses: ${message}`, () =>
    assert.throws(() => upgradeOpset(model), { name: 'TtqError', code: 'unsupported', message }))
}

// Opsets that ONNX Runtime has no operators of: the numbers are those of the definitions.
const line = (
  opType: string,
  inputs: string[],
  output: string,
  given: Parameters<typeof attributes>[0] = {},
): Node => ({
  name: output,
  opType,
  domain: '',
  inputs,
  outputs: [output],
  attributes: attributes(given),
})

test('before opset 7: operands along an axis, attributes that went, shapes and types that were attributes', async () => {
  const model: Model = {
    irVersion: 3,
    opsets: new Map([['', 4]]),
    graph: {
      name: 'old',
      nodes: [
        line('Add', ['x', 'b'], 'sum', { broadcast: 1, axis: 0, consumed_inputs: [0, 0] }),
        line('Mul', ['sum', 'b'], 'scaled', { broadcast: 1, axis: 0 }),
        line('Dropout', ['scaled'], 'kept', { is_test: 1, ratio: { float: 0.5 } }),
        line('Reshape', ['kept'], 'flat', { shape: [3, 2] }),
        line('Gemm', ['flat', 'w', 'c'], 'product', { broadcast: 1 }),
        line('Cast', ['product'], 'y', { to: 'FLOAT' }),
      ],
      inputs: [{ name: 'x', type: { elementType: 'float32', dims: [2, 3] } }],
      outputs: [{ name: 'y', type: { elementType: 'float32', dims: [3, 2] } }],
      initializers: new Map([
        ['b', float32([2], [10, 20])],
        ['w', float32([2, 2], [1, 0, 0, 1])],
        ['c', float32([2], [0, 1])],
      ]),
    },
  }
  const session = await Session.create(writeModel(upgradeOpset(model)), { threads: 1 })
  const { y } = await session.run({ x: float32([2, 3], [1, 2, 3, 4, 5, 6]) })
  assert.deepEqual(y, float32([3, 2], [110, 121, 130, 481, 500, 521]))
  await session.release()
  const recurrent = { ...model, graph: { ...model.graph, nodes: [line('LSTM', ['x', 'w', 'w'], 'y')] } }
  assert.throws(() => upgradeOpset(recurrent), /node "y" \(LSTM\) of opset 4 cannot be brought to opset 18/)
  assert.equal(runnableVersions(recurrent), recurrent)
})

test('a model of a later IR version that says nothing else runs as one of the last that ONNX Runtime takes', async () => {
  const b = new GraphBuilder()
  b.output(b.emit('Relu', [b.input('x', 'float32', [2])], {}, 'y'))
  const model: Model = { irVersion: 14, opsets: new Map([['', 21]]), graph: b.build('later') }
  const session = await Session.create(writeModel(runnableVersions(model)), { threads: 1 })
  assert.deepEqual((await session.run({ x: float32([2], [-1, 2]) }))['y'], float32([2], [0, 2]))
  await session.release()
  assert.equal(runnableVersions({ ...model, irVersion: 13 }).irVersion, 13)
})

test('before opset 7: slopes of PRelu are those of channels', async () => {
  for (const [dims, slopes, expected] of [
    [
      [1, 2, 1, 2],
      [0.5, 2],
      [-0.5, 1, -6, 4],
    ],
    [
      [2, 2],
      [0.5, 2],
      [-0.5, 1, -1.5, 4],
    ],
    [[1, 2, 1, 2], [0.5], [-0.5, 1, -1.5, 4]],
  ] as const) {
    const model: Model = {
      irVersion: 3,
      opsets: new Map([['', 6]]),
      graph: {
        name: 'slopes',
        nodes: [line('PRelu', ['x', 'slopes'], 'y')],
        inputs: [{ name: 'x', type: { elementType: 'float32', dims: [...dims] } }],
        outputs: [{ name: 'y', type: { elementType: 'float32', dims: [...dims] } }],
        initializers: new Map([['slopes', float32([slopes.length], [...slopes])]]),
      },
    }
    const session = await Session.create(writeModel(upgradeOpset(model)), { threads: 1 })
    const { y } = await session.run({ x: float32([...dims], [-1, 1, -3, 4]) })
    assert.deepEqual(y, float32([...dims], [...expected]))
    await session.release()
  }
})
