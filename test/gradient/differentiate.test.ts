// The driver: paths, accumulation, broadcasting, names, refusals.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { differentiate, unsupportedNodes, type GradientGraph } from '../../src/gradient/differentiate.js'
import { NOT_DIFFERENTIABLE } from '../../src/gradient/rule.js'
import { RULES } from '../../src/gradient/rule-table.js'
import { attributes } from '../../src/onnx/attributes.js'
import type { Graph, ValueName } from '../../src/onnx/model.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import { evaluate } from './gradient-case.js'

type Line = readonly [
  output: string,
  opType: string,
  inputs: readonly string[],
  attributes?: Parameters<typeof attributes>[0],
  domain?: string,
]

// Graphs in a short notation; all inputs and their shapes are given, those of the other values observed by a run.
function graph(
  inputs: Readonly<Record<string, readonly number[]>>,
  lines: readonly Line[],
  initializers: Readonly<Record<string, Tensor>> = {},
): Graph {
  return {
    name: 'test',
    nodes: lines.map(([output, opType, names, attrs = {}, domain = '']) => ({
      name: `node_${output}`,
      opType,
      domain,
      inputs: [...names],
      outputs: [output],
      attributes: attributes(attrs),
    })),
    inputs: Object.entries(inputs).map(([name, dims]) => ({ name, type: { elementType: 'float32', dims } })),
    outputs: [{ name: 'loss', type: undefined }],
    initializers: new Map(Object.entries(initializers)),
  }
}

function derive(
  of: Graph,
  withRespectTo: readonly ValueName[],
  shapes: Readonly<Record<string, readonly number[]>>,
): GradientGraph {
  const inputs = of.inputs.map(({ name, type }): [string, readonly number[]] => [name, type?.dims as number[]])
  return differentiate(of, { loss: 'loss', withRespectTo, shapes: new Map([...inputs, ...Object.entries(shapes)]) })
}

async function gradientsOf(
  result: GradientGraph,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, number[]>> {
  const values = await evaluate(result.graph, feeds)
  return Object.fromEntries(
    [...result.gradients].map(([value, name]) => [value, Array.from(values[name]?.data as Float32Array)]),
  )
}

const SUM: Line = ['loss', 'ReduceSum', ['y'], { keepdims: 0 }]
const x = float32([2], [3, -1])

describe('accumulation', () => {
  test('a value used by three nodes gets the sum of their gradients', async () => {
    const result = derive(
      graph(
        { x: [2] },
        [['a', 'Mul', ['x', 'two']], ['b', 'Exp', ['x']], ['c', 'Add', ['a', 'b']], ['y', 'Sub', ['c', 'x']], SUM],
        { two: float32([], [2]) },
      ),
      ['x'],
      { a: [2], b: [2], c: [2], y: [2], loss: [] },
    )
    const { x: gradient } = await gradientsOf(result, { x })
    for (const [index, value] of [2 + Math.exp(3) - 1, 2 + Math.exp(-1) - 1].entries())
      assert.ok(Math.abs((gradient?.[index] as number) - value) < 1e-5)
  })

  test('a node that takes the same value twice', async () => {
    const result = derive(graph({ x: [2] }, [['y', 'Mul', ['x', 'x']], SUM]), ['x'], { y: [2], loss: [] })
    assert.deepEqual(await gradientsOf(result, { x }), { x: [6, -2] })
  })

  test("a parameter that is also an inner value of another parameter's path", async () => {
    const result = derive(
      graph({ x: [2] }, [
        ['y', 'Mul', ['x', 'x']],
        ['z', 'Mul', ['y', 'y']],
        ['loss', 'ReduceSum', ['z'], { keepdims: 0 }],
      ]),
      ['x', 'y'],
      { y: [2], z: [2], loss: [] },
    )
    assert.deepEqual(await gradientsOf(result, { x }), { x: [108, -4], y: [18, 2] })
  })

  test('the loss with respect to itself is 1', async () => {
    const result = derive(graph({ x: [2] }, [['y', 'Neg', ['x']], SUM]), ['loss'], { y: [2], loss: [] })
    assert.deepEqual(await gradientsOf(result, { x }), { loss: [1] })
  })
})

describe('shapes', () => {
  test("broadcast gradients are summed back to the input's shape", async () => {
    const result = derive(
      graph({ x: [2, 1], s: [], v: [3] }, [['a', 'Mul', ['x', 'v']], ['y', 'Mul', ['a', 's']], SUM]),
      ['x', 's', 'v'],
      { a: [2, 3], y: [2, 3], loss: [] },
    )
    const gradients = await gradientsOf(result, {
      x: float32([2, 1], [1, 2]),
      s: float32([], [10]),
      v: float32([3], [1, 2, 3]),
    })
    assert.deepEqual(gradients, { x: [60, 60], s: [18], v: [30, 30, 30] })
    assert.deepEqual(
      result.graph.outputs.slice(1).map(({ type }) => type?.dims),
      [[2, 1], [], [3]],
    )
  })

  test('a parameter that the loss does not depend on has a gradient of zeros', async () => {
    const result = derive(graph({ x: [2], unused: [2, 2] }, [['y', 'Neg', ['x']], SUM]), ['x', 'unused'], {
      y: [2],
      loss: [],
    })
    assert.deepEqual(await gradientsOf(result, { x, unused: float32([2, 2], [1, 2, 3, 4]) }), {
      x: [-1, -1],
      unused: [0, 0, 0, 0],
    })
  })

  test('an initializer can be a parameter', async () => {
    const result = derive(graph({ x: [2] }, [['y', 'Mul', ['x', 'w']], SUM], { w: float32([], [5]) }), ['w'], {
      y: [2],
      loss: [],
    })
    assert.deepEqual(await gradientsOf(result, { x }), { w: [2] })
  })

  test('a value of unknown shape is our own mistake', () => {
    assert.throws(
      () => derive(graph({ x: [2] }, [['y', 'Add', ['x', 'x']], SUM]), ['x'], { loss: [] }),
      /^Error: internal: differentiate: the shape of "y" was not observed$/,
    )
  })
})

describe('names', () => {
  const twoLayers = graph({ x: [2], v: [2] }, [['h', 'Mul', ['x', 'v']], ['y', 'Exp', ['h']], SUM])

  test('gradients are called after their values, outputs follow those of the graph', () => {
    const result = derive(twoLayers, ['v'], { h: [2], y: [2], loss: [] })
    assert.deepEqual([...result.gradients], [['v', 'v_grad']])
    assert.deepEqual(
      result.graph.outputs.map(({ name }) => name),
      ['loss', 'v_grad'],
    )
    assert.ok(result.graph.nodes.some(({ outputs }) => outputs[0] === 'h_grad'))
  })

  test('a name that is taken is left alone', async () => {
    const taken = graph({ x: [2], v: [2], v_grad: [2] }, [['h', 'Mul', ['x', 'v']], ['y', 'Add', ['h', 'v_grad']], SUM])
    const result = derive(taken, ['v', 'v_grad'], { h: [2], y: [2], loss: [] })
    assert.equal(
      new Set([...result.graph.inputs.map(({ name }) => name), ...result.graph.nodes.flatMap(({ outputs }) => outputs)])
        .size,
      3 + result.graph.nodes.length,
    )
    assert.deepEqual(await gradientsOf(result, { x, v: x, v_grad: x }), { v: [3, -1], v_grad: [1, 1] })
  })

  test('parameters that share one gradient have an output each', async () => {
    const result = derive(graph({ x: [2], v: [2] }, [['y', 'Add', ['x', 'v']], SUM]), ['x', 'v'], { y: [2], loss: [] })
    assert.deepEqual([...result.gradients.values()], ['x_grad', 'v_grad'])
    assert.deepEqual(await gradientsOf(result, { x, v: x }), { x: [1, 1], v: [1, 1] })
  })

  test('the given graph is not changed', () => {
    const before = JSON.stringify([twoLayers.nodes, twoLayers.outputs, [...twoLayers.initializers.keys()]])
    derive(twoLayers, ['v'], { h: [2], y: [2], loss: [] })
    assert.equal(JSON.stringify([twoLayers.nodes, twoLayers.outputs, [...twoLayers.initializers.keys()]]), before)
  })
})

describe('work that is not needed', () => {
  const convolution = graph({ x: [1, 2, 4, 4], w: [3, 2, 3, 3] }, [
    ['y', 'Conv', ['x', 'w'], { pads: [1, 1, 1, 1] }],
    SUM,
  ])
  const convolutions = (result: GradientGraph): number =>
    result.graph.nodes.filter(({ opType }) => opType === 'Conv').length

  test("the first layer's input gradient is left out", () => {
    assert.equal(convolutions(derive(convolution, ['w'], { y: [1, 3, 4, 4], loss: [] })), 1)
    assert.equal(convolutions(derive(convolution, ['x', 'w'], { y: [1, 3, 4, 4], loss: [] })), 2)
  })

  test('nodes off the path stay as they are, also those without a rule', () => {
    const graphWithMetric = graph({ x: [2] }, [['metric', 'Magic', ['x'], {}, 'test.domain'], ['y', 'Neg', ['x']], SUM])
    const result = derive(graphWithMetric, ['x'], { metric: [2], y: [2], loss: [] })
    assert.deepEqual(
      result.graph.nodes.slice(0, 3).map(({ opType }) => opType),
      ['Magic', 'Neg', 'ReduceSum'],
    )
  })

  test('only ai.onnx operators are added', () => {
    const result = derive(convolution, ['x', 'w'], { y: [1, 3, 4, 4], loss: [] })
    assert.deepEqual([...new Set(result.graph.nodes.map(({ domain }) => domain))], [''])
  })
})

describe('refusals', () => {
  const bad = graph({ x: [2, 2] }, [
    ['a', 'Det', ['x']],
    ['b', 'MaxPool', ['x'], { kernel_shape: [1], storage_order: 1 }],
    ['c', 'CDist', ['b', 'b'], {}, 'com.microsoft'],
    ['d', 'Add', ['a', 'c']],
    ['loss', 'ReduceSum', ['d'], { keepdims: 0 }],
  ])

  test('all nodes without a rule are named at once', () => {
    assert.throws(
      () => derive(bad, ['x'], {}),
      (error) => {
        assert.ok(error instanceof TtqError)
        assert.equal(error.code, 'unsupported')
        assert.equal(
          error.message,
          'onnx: cannot be differentiated: node "node_a" (Det): no gradient rule; ' +
            'node "node_b" (MaxPool): column-major indices (storage_order 1); node "node_c" ' +
            '(com.microsoft.CDist): no gradient rule',
        )
        assert.equal(
          error.hint,
          'fit it layer by layer without gradients (ttq compress --epochs 0), or export it without these nodes',
        )
        return true
      },
    )
  })

  test('they can be asked for beforehand', () => {
    assert.deepEqual(
      unsupportedNodes(bad, ['x'], ['loss']).map(({ node, reason }) => [node.name, reason]),
      [
        ['node_a', 'no gradient rule'],
        ['node_b', 'column-major indices (storage_order 1)'],
        ['node_c', 'no gradient rule'],
      ],
    )
    assert.deepEqual(unsupportedNodes(graph({ x: [2] }, [['y', 'Neg', ['x']], SUM]), ['x'], ['loss']), [])
  })
})

describe('operators without a gradient by definition', () => {
  const listed = Object.entries(RULES).flatMap(([opType, rule]) => (rule === NOT_DIFFERENTIABLE ? [opType] : []))

  test('are these', () => {
    assert.deepEqual(listed, [
      'And',
      'ArgMax',
      'ArgMin',
      'Bernoulli',
      'Ceil',
      'ConstantOfShape',
      'Equal',
      'EyeLike',
      'Floor',
      'Greater',
      'GreaterOrEqual',
      'Hardmax',
      'IsInf',
      'IsNaN',
      'Less',
      'LessOrEqual',
      'NonMaxSuppression',
      'NonZero',
      'Not',
      'OneHot',
      'Or',
      'RandomNormal',
      'RandomNormalLike',
      'RandomUniform',
      'RandomUniformLike',
      'Range',
      'Round',
      'Shape',
      'Sign',
      'Size',
      'Xor',
    ])
  })

  for (const opType of listed) {
    test(`${opType} ends the path`, () => {
      const result = derive(graph({ x: [2] }, [['a', opType, ['x']], ['y', 'Mul', ['a', 'x']], SUM]), ['x'], {
        a: [2],
        y: [2],
        loss: [],
      })
      assert.deepEqual(
        result.graph.nodes.filter(({ outputs }) => outputs[0] === 'x_grad').map(({ opType: found }) => found),
        ['Mul'],
      )
      assert.ok(!result.graph.nodes.some(({ outputs }) => outputs[0] === 'a_grad'))
    })
  }
})

test('batch normalisation in training mode gives the running statistics as ONNX defines them', async () => {
  const normalised = graph({ x: [2, 2], s: [2], b: [2] }, [SUM], {
    mean: float32([2], [10, 20]),
    variance: float32([2], [4, 8]),
  })
  normalised.nodes.unshift({
    name: 'norm',
    opType: 'BatchNormalization',
    domain: '',
    inputs: ['x', 's', 'b', 'mean', 'variance'],
    outputs: ['y', 'next_mean', 'next_variance'],
    attributes: attributes({ training_mode: 1, momentum: { float: 0.75 } }),
  })
  const result = derive(normalised, ['s'], { y: [2, 2], loss: [] })
  result.graph.outputs.push({ name: 'next_mean', type: undefined }, { name: 'next_variance', type: undefined })
  const values = await evaluate(result.graph, {
    x: float32([2, 2], [1, 5, 3, 9]),
    s: float32([2], [1, 1]),
    b: float32([2], [0, 0]),
  })
  // Batch: means 2 and 7, population variances 1 and 4.
  assert.deepEqual(Array.from(values['next_mean']?.data as Float32Array), [0.75 * 10 + 0.25 * 2, 0.75 * 20 + 0.25 * 7])
  assert.deepEqual(Array.from(values['next_variance']?.data as Float32Array), [
    0.75 * 4 + 0.25 * 1,
    0.75 * 8 + 0.25 * 4,
  ])
})
