// Which layers are chosen on small graphs written out here, and what is said when none is.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, ValueName } from '../../src/onnx/model.js'
import type { DataType } from '../../src/tensor/data-type.js'
import { elementCount, float32, int64 } from '../../src/tensor/tensor.js'
import { explainNoTernaryLayer } from '../../src/ternary/explain-no-ternary-layer.js'
import { channelCount } from '../../src/ternary/layer-choice.js'
import { chooseLayers } from '../../src/ternary/layers.js'

class Network {
  readonly builder = new GraphBuilder()

  constructor() {
    this.builder.input('x', 'float32', ['N', 8, 8, 8])
  }

  weight(name: string, dims: number[]): ValueName {
    this.builder.initializers.set(name, float32(dims, new Float32Array(elementCount(dims)).fill(1)))
    return name
  }

  conv(x: ValueName, weight: ValueName, dims = [8, 8, 3, 3]): ValueName {
    return this.builder.emit('Conv', [x, this.weight(weight, dims)], { pads: [1, 1, 1, 1] }, `${weight}_out`)
  }

  end(...outputs: ValueName[]): Graph {
    for (const output of outputs) this.builder.output(output)
    return this.builder.build('net')
  }
}

function summary(graph: Graph, keep: string[] = [], ternary: string[] = []): [string, string][] {
  return chooseLayers(graph, { keep, ternary }).map(({ weight, ternary: isTernary, reason }) => [
    weight,
    isTernary ? 'ternary' : (reason ?? ''),
  ])
}

function chain(): Network & { last: ValueName } {
  const net = new Network()
  const c1 = net.builder.emit('Relu', [net.conv('x', 'c1')])
  const c2 = net.conv(c1, 'c2')
  const c3 = net.conv(net.builder.emit('Add', [c2, c1]), 'c3')
  const flat = net.builder.emit('Flatten', [c3], { axis: 1 })
  const last = net.builder.emit('Gemm', [flat, net.weight('fc', [10, 512])], { transB: 1 }, 'fc_out')
  return Object.assign(net, { last: net.builder.emit('Softmax', [last], { axis: 1 }) })
}

describe('chooseLayers', () => {
  test('weights that are ternary as they are stay so wherever they are, but where they are kept', () => {
    const net = chain()
    const codes = (dims: number[], last = 1): Float32Array =>
      new Float32Array(elementCount(dims)).map((_, i, { length }) => (i === length - 1 ? last : (i % 3) - 1))
    net.builder.initializers.set('c1', float32([8, 8, 3, 3], codes([8, 8, 3, 3])))
    net.builder.initializers.set('fc', float32([10, 512], codes([10, 512], 0.5)))
    const graph = net.end(net.last)
    assert.deepEqual(summary(graph).slice(0, 1), [['c1', 'ternary']])
    assert.deepEqual(summary(graph).slice(3), [['fc', 'last layer']])
    assert.deepEqual(summary(graph, ['c1']).slice(0, 1), [['c1', '--keep c1']])
    // What chooses codes anew does not leave them as they are.
    for (const other of [{ method: 'bwn' }, { sparsity: 0.5 }, { threshold: 0.1 }] as const) {
      const [first] = chooseLayers(graph, { keep: [], ternary: [], ...other })
      assert.deepEqual([first?.weight, first?.reason], ['c1', 'first layer'])
    }
  })

  test('first and last layers stay, those in between become ternary', () => {
    const net = chain()
    assert.deepEqual(summary(net.end(net.last)), [
      ['c1', 'first layer'],
      ['c2', 'ternary'],
      ['c3', 'ternary'],
      ['fc', 'last layer'],
    ])
  })

  test('all first and all last layers of a network with branches', () => {
    const net = new Network()
    const [a, b] = [net.conv('x', 'a'), net.conv('x', 'b')]
    const middle = net.conv(net.builder.emit('Add', [a, b]), 'm')
    const graph = net.end(net.conv(middle, 'p'), net.builder.emit('GlobalAveragePool', [net.conv(middle, 'q')]))
    assert.deepEqual(summary(graph), [
      ['a', 'first layer'],
      ['b', 'first layer'],
      ['m', 'ternary'],
      ['p', 'last layer'],
      ['q', 'last layer'],
    ])
  })

  test('a shape that was read off the input makes no layer the first', () => {
    const net = new Network()
    const c2 = net.conv(net.conv('x', 'c1'), 'c2')
    const batch = net.builder.emit('Gather', [net.builder.emit('Shape', ['x']), net.builder.constant(int64([0]))], {
      axis: 0,
    })
    const shape = net.builder.emit('Concat', [batch, net.builder.constant(int64([512]))], { axis: 0 })
    const fc1 = net.builder.emit('MatMul', [net.builder.emit('Reshape', [c2, shape]), net.weight('fc1', [512, 16])])
    const graph = net.end(net.builder.emit('MatMul', [fc1, net.weight('fc2', [16, 10])]))
    assert.deepEqual(summary(graph), [
      ['c1', 'first layer'],
      ['c2', 'ternary'],
      ['fc1', 'ternary'],
      ['fc2', 'last layer'],
    ])
  })

  test('patterns: keep is stronger than ternary, which is stronger than first, last and tiny', () => {
    const graph = (): Graph => {
      const net = chain()
      return net.end(net.last)
    }
    assert.deepEqual(summary(graph(), ['c2'], ['*']), [
      ['c1', 'ternary'],
      ['c2', '--keep c2'],
      ['c3', 'ternary'],
      ['fc', 'ternary'],
    ])
    assert.deepEqual(
      summary(graph(), ['c?_out']).map(([, outcome]) => outcome),
      ['--keep c?_out', '--keep c?_out', '--keep c?_out', 'last layer'],
    )
    assert.deepEqual(
      summary(graph(), [], ['fc']).map(([, outcome]) => outcome),
      ['first layer', 'ternary', 'ternary', 'ternary'],
    )
  })

  test('in a pattern only * and ? are special', () => {
    const net = new Network()
    const graph = net.end(net.conv(net.conv(net.conv('x', 'a'), '/layer.1/conv[0]+'), 'b'))
    assert.deepEqual(summary(graph, ['/layer.1/conv[0]+'])[1], ['/layer.1/conv[0]+', '--keep /layer.1/conv[0]+'])
    assert.throws(() => summary(graph, ['/layer?1/conv0*']), TtqError)
  })

  test('a pattern that matches nothing is refused with the names there are', () => {
    const net = chain()
    const graph = net.end(net.last)
    assert.throws(
      () => summary(graph, ['conv*']),
      (error: unknown) =>
        error instanceof TtqError &&
        error.code === 'usage' &&
        error.message ===
          'keep: "conv*" matches no layer, expected the name of a weight or node, with * and ? as wildcards' &&
        error.hint === 'the weights are: c1, c2, c3, fc',
    )
    assert.throws(() => summary(graph, [], ['c']), /ternary: "c" matches no layer/)
  })

  test('a shared weight appears once, and only if all its uses can be ternary', () => {
    const net = new Network()
    let x = net.conv('x', 'first')
    for (let i = 0; i < 2; i++) x = net.conv(x, 'tied')
    x = net.conv(x, 'last')
    assert.deepEqual(summary(net.end(x)), [
      ['first', 'first layer'],
      ['tied', 'ternary'],
      ['last', 'last layer'],
    ])
    const ends = new Network()
    const graph = ends.end(ends.conv(ends.conv(ends.conv('x', 'first'), 'tied'), 'tied'))
    assert.deepEqual(summary(graph), [
      ['first', 'first layer'],
      ['tied', 'last layer'],
    ])
    assert.deepEqual(chooseLayers(graph, { keep: [], ternary: [] })[1]?.outputs, ['tied_out', 'tied_out_2'])
  })

  test('what cannot be ternary: tables, tiny tensors, weights of integers', () => {
    const net = new Network()
    const b = net.builder
    let x = net.conv('x', 'first')
    x = b.emit('MatMul', [x, net.weight('table', [8, 8])])
    const rows = b.emit('Gather', ['table', b.constant(int64([1]))], { axis: 0 })
    x = net.conv(b.emit('Add', [x, rows]), 'tiny', [8, 1, 1, 1])
    b.initializers.set('integers', { type: 'int8', dims: [8, 8], data: new Int8Array(64) })
    x = b.emit('MatMul', [x, b.emit('Cast', ['integers'], { to: 1 })])
    x = net.conv(x, 'last')
    const graph = net.end(x)
    const expected = [
      ['first', 'first layer'],
      ['table', `also used by node "${rows}" (Gather)`],
      ['tiny', 'fewer than 64 weights'],
      ['last', 'last layer'],
    ]
    assert.deepEqual(summary(graph), expected)
    assert.deepEqual(
      summary(graph, [], ['t*']).map(([, outcome]) => outcome),
      ['first layer', expected[1]?.[1], 'ternary', 'last layer'],
    )
  })

  test('a transposed convolution is a layer like any other: inside, as the first and as the last', () => {
    const net = new Network()
    const up = (x: ValueName, name: string): ValueName =>
      net.builder.emit('ConvTranspose', [x, net.weight(name, [8, 8, 3, 3])])
    assert.deepEqual(summary(net.end(up(up(up('x', 'first'), 'up'), 'last'))), [
      ['first', 'first layer'],
      ['up', 'ternary'],
      ['last', 'last layer'],
    ])
  })

  test('a weight that a transposed convolution shares with a convolution is ternary, first in the order of the graph', () => {
    const net = new Network()
    let x = net.conv(net.conv('x', 'first'), 'tied')
    x = net.builder.emit('ConvTranspose', [x, 'tied'])
    const graph = net.end(net.conv(x, 'last'))
    assert.deepEqual(summary(graph), [
      ['first', 'first layer'],
      ['tied', 'ternary'],
      ['last', 'last layer'],
    ])
    assert.equal(chooseLayers(graph, { keep: [], ternary: [] })[1]?.outputs.length, 2)
  })

  test('channel axes of weight and output', () => {
    const net = new Network()
    const b = net.builder
    const up = b.emit('ConvTranspose', [net.conv('x', 'conv'), net.weight('up', [8, 4, 3, 3])], { group: 2 })
    let x = b.emit('Flatten', [up], { axis: 1 })
    x = b.emit('Gemm', [x, net.weight('gemm', [512, 10])])
    x = b.emit('Gemm', [x, net.weight('gemmB', [11, 10])], { transB: 1 })
    x = b.emit('MatMul', [x, net.weight('right', [11, 12])])
    x = b.emit('MatMul', [net.weight('left', [13, 12]), x])
    const axes = chooseLayers(net.end(x), { keep: [], ternary: [] }).map((choice) => [
      choice.weight,
      choice.channelAxis,
      choice.outputAxis,
      channelCount(choice),
    ])
    assert.deepEqual(axes, [
      ['conv', 0, 1, 8],
      ['up', 1, 1, 8],
      ['gemm', 1, -1, 10],
      ['gemmB', 0, -1, 11],
      ['right', 1, -1, 12],
      ['left', 0, -2, 13],
    ])
  })

  for (const type of ['float16', 'float64'] as DataType[]) {
    test(`weights of ${type} count`, () => {
      const net = chain()
      const graph = net.end(net.last)
      const data = type === 'float16' ? new Uint16Array(576) : new Float64Array(576)
      graph.initializers.set('c2', { type, dims: [8, 8, 3, 3], data })
      const choice = chooseLayers(graph, { keep: [], ternary: [] })[1]
      assert.deepEqual([choice?.weight, choice?.elementType, choice?.ternary], ['c2', type, true])
    })
  }
})

describe('explainNoTernaryLayer', () => {
  function explain(graph: Graph, keep: string[] = []): string {
    const error = explainNoTernaryLayer(graph, chooseLayers(graph, { keep, ternary: [] }))
    assert.equal(error.code, 'unsupported')
    assert.ok(error.hint)
    return error.message
  }

  function oneNode(opType: string, prepare: (net: Network) => ValueName[] = () => ['x']): Graph {
    const net = new Network()
    return net.end(net.builder.emit(opType, prepare(net)))
  }

  test('a network without outputs', () => {
    const graph = { ...oneNode('Relu'), outputs: [], nodes: [] }
    assert.match(explain(graph), /: the network has no outputs, so that none of its nodes counts, expected/)
  })

  test('all layers kept', () => {
    const net = chain()
    assert.equal(
      explain(net.end(net.last), ['c2', 'c3']),
      'onnx: graph "net": all 4 layers stay in full precision (1 x first layer, 1 x --keep c2, 1 x --keep c3, 1 ' +
        'x last layer), expected at least one layer that can become ternary',
    )
  })

  test('a weight with another use is not to be named', () => {
    const net = new Network()
    const layer = net.conv('x', 'c')
    const use = net.builder.emit('ReduceSum', ['c'])
    const graph = net.end(net.builder.emit('Add', [layer, use]))
    const { message, hint } = explainNoTernaryLayer(graph, chooseLayers(graph, { keep: [], ternary: ['c'] }))
    assert.match(message, /the only layer stays in full precision \(1 x also used by node ".*" \(ReduceSum\)\)/)
    assert.equal(hint, 'export the network with a copy of "c" for each of its uses')
  })

  test('one layer only', () => {
    const net = new Network()
    assert.match(explain(net.end(net.conv('x', 'c'))), /the only layer stays in full precision \(1 x first layer\)/)
  })

  test('layers inside control flow', () => {
    const body = new Network()
    const graph = oneNode('If')
    const node = graph.nodes[0]
    if (node !== undefined) node.attributes['then_branch'] = { kind: 'graph', value: body.end(body.conv('x', 'c')) }
    assert.match(explain(graph), /the layers lie in the bodies of If/)
  })

  test('quantized weights', () => {
    const graph = oneNode('MatMulInteger', (net) => {
      net.builder.initializers.set('w', { type: 'int8', dims: [8, 8], data: new Int8Array(64) })
      return ['x', 'w']
    })
    assert.match(explain(graph), /the weights are quantized already \(MatMulInteger\)/)
  })

  test('one float layer among quantized ones', () => {
    const net = new Network()
    const layer = net.conv('x', 'c')
    net.builder.initializers.set('q', { type: 'int8', dims: [8], data: new Int8Array(8) })
    net.builder.initializers.set('s', { type: 'float32', dims: [], data: Float32Array.of(1) })
    const table = net.builder.emit('DequantizeLinear', ['q', 's'])
    assert.match(
      explain(net.end(net.builder.emit('Add', [layer, table]))),
      /\(1 x first layer\) and other weights are quantized already \(DequantizeLinear\),/,
    )
  })

  test('recurrent layers', () => {
    assert.match(explain(oneNode('LSTM')), /the weights belong to LSTM/)
  })

  test('weights that are inputs', () => {
    assert.match(explain(oneNode('MatMul', () => ['x', 'x'])), /the weights of MatMul are inputs or computed/)
  })

  const constant = (net: Network, name: string, type: 'bfloat16' | 'float32' | 'int32', dims: number[]): string => {
    const Data = { bfloat16: Uint16Array, float32: Float32Array, int32: Int32Array }[type]
    net.builder.initializers.set(name, { type, dims, data: new Data(elementCount(dims)) })
    return name
  }

  test('constant weights of a type that is not supported, as they are or turned around', () => {
    for (const [type, opType] of [
      ['bfloat16', 'Gemm'],
      ['bfloat16', 'MatMul'],
      ['int32', 'MatMul'],
    ] as const)
      for (const isTurned of [false, true]) {
        const graph = oneNode(opType, (net) => {
          const weight = constant(net, 'w', type, [16, 16])
          return ['x', isTurned ? net.builder.emit('Transpose', [weight]) : weight]
        })
        const { message, hint } = explainNoTernaryLayer(graph, chooseLayers(graph, { keep: [], ternary: [] }))
        const found = `layers in ${type} (${opType}) are not supported`
        assert.equal(message, `onnx: graph "net": ${found}, expected at least one layer that can become ternary`)
        assert.equal(hint, 'export the network in float32 or float16')
      }
  })

  test('recurrent layers of such a type', () => {
    const graph = oneNode('LSTM', (net) => [
      'x',
      constant(net, 'w', 'bfloat16', [1, 32, 8]),
      constant(net, 'r', 'bfloat16', [1, 32, 8]),
    ])
    assert.match(explain(graph), /: layers in bfloat16 \(LSTM\) are not supported,/)
  })

  test('one float layer among others of such a type', () => {
    const net = new Network()
    const layer = net.conv('x', 'c')
    const product = net.builder.emit('MatMul', [layer, constant(net, 'w', 'bfloat16', [16, 16])])
    assert.match(
      explain(net.end(product)),
      /the only layer stays in full precision \(1 x .* layer\), and layers in bfloat16 \(MatMul\) are not supported,/,
    )
  })

  test('weights that are vectors', () => {
    const graph = oneNode('MatMul', (net) => ['x', constant(net, 'w', 'float32', [16])])
    assert.match(explain(graph), /the weights of MatMul are vectors,/)
  })

  test('no layers at all', () => {
    assert.match(explain(oneNode('Relu')), /no Conv, ConvTranspose, Gemm or MatMul among 1 nodes \(Relu\)/)
  })
})
