// Which layers are first and last: small networks with the outline of well-known ones.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Attribute, ValueName } from '../../src/onnx/model.js'
import { isLayer } from '../../src/onnx/operators.js'
import { firstLayers, lastLayers } from '../../src/ternary/network-ends.js'
import { float32 } from '../../src/tensor/tensor.js'

const SIZE = 8

class Outline {
  readonly builder = new GraphBuilder()

  input(name: string, type: 'float32' | 'int64' = 'float32'): ValueName {
    return this.builder.input(name, type, ['N', 'T', SIZE])
  }

  op(opType: string, ...inputs: ValueName[]): ValueName {
    return this.builder.emit(opType, inputs, opType === 'Concat' ? { axis: -1 } : {})
  }

  /** A product with a weight; the node is called as the weight. */
  layer(input: ValueName, name: string): ValueName {
    const weight = this.builder.constant(float32([SIZE, SIZE], new Float32Array(SIZE * SIZE)), `${name}.weight`)
    return this.builder.emit('MatMul', [input, weight], {}, name)
  }

  /** An If whose branches take nothing in but what they capture. */
  choice(condition: ValueName, then: ValueName, otherwise: ValueName): ValueName {
    const branch = (captured: ValueName, name: string): Attribute => {
      const body = new GraphBuilder([captured, condition])
      body.output(body.emit('Relu', [captured], {}, name))
      return { kind: 'graph', value: body.build(name) }
    }
    const output = this.builder.fresh('If')
    const attributes = { then_branch: branch(then, 'then'), else_branch: branch(otherwise, 'else') }
    this.builder.push({ name: output, opType: 'If', domain: '', inputs: [condition], outputs: [output], attributes })
    return output
  }

  /** Queries, keys and values of an input, their products, and what makes one value of them. */
  attention(input: ValueName, name: string, mask?: ValueName): ValueName {
    const [query, key, value] = ['q', 'k', 'v'].map((part) => this.layer(input, `${name}.${part}`)) as [
      ValueName,
      ValueName,
      ValueName,
    ]
    const scores = this.op('MatMul', query, this.op('Transpose', key))
    const masked = mask === undefined ? scores : this.op('Add', scores, mask)
    return this.layer(this.op('MatMul', this.op('Softmax', masked), value), `${name}.out`)
  }

  ends(...outputs: ValueName[]): { first: string[]; last: string[] } {
    for (const output of outputs) this.builder.output(output)
    const graph = this.builder.build('outline')
    const withWeight = (node: (typeof graph.nodes)[number]): boolean =>
      isLayer(node) && node.inputs.some((input) => graph.initializers.has(input))
    const names = (nodes: ReadonlySet<{ outputs: readonly string[] }>): string[] =>
      [...nodes].map(({ outputs }) => outputs[0] as string).sort()
    return { first: names(firstLayers(graph, withWeight)), last: names(lastLayers(graph, withWeight)) }
  }
}

/** A table of rows, looked up. */
function lookUp(net: Outline, ids: ValueName, name: string): ValueName {
  const table = net.builder.constant(float32([SIZE, SIZE], new Float32Array(SIZE * SIZE)), `${name}.table`)
  return net.builder.emit('Gather', [table, ids], {}, name)
}

describe('first and last layers', () => {
  test('residual network: the stem and the head, not what the stream goes past', () => {
    const net = new Outline()
    let x = net.op('Relu', net.layer(net.input('image'), 'stem'))
    for (const name of ['one', 'two'])
      x = net.op('Add', x, net.layer(net.op('Relu', net.layer(x, `${name}.a`)), `${name}.b`))
    assert.deepEqual(net.ends(net.layer(x, 'head')), { first: ['stem'], last: ['head'] })
  })

  test('encoder of words with types, positions and a mask: the tables are first, the last block has the last layer', () => {
    const net = new Outline()
    const [ids, types] = [net.input('ids', 'int64'), net.input('types', 'int64')]
    const mask = net.op('Cast', net.input('mask', 'int64'))
    const far = net.op('Mul', mask, net.builder.constant(float32([], Float32Array.of(-1e4))))
    let x = net.op('Add', lookUp(net, ids, 'words'), lookUp(net, types, 'kinds'))
    for (const name of ['one', 'two']) {
      x = net.op('Add', x, net.attention(x, name, far))
      x = net.op('Add', x, net.layer(net.op('Relu', net.layer(x, `${name}.up`)), `${name}.down`))
    }
    assert.deepEqual(net.ends(x), { first: ['kinds', 'words'], last: ['two.down'] })
  })

  test('language model with a cache of keys: neither the cache that comes in nor the one that goes out has layers', () => {
    const net = new Outline()
    const x = lookUp(net, net.input('ids', 'int64'), 'words')
    const past = net.input('past')
    const key = net.op('Concat', past, net.layer(x, 'k'))
    const scores = net.op('MatMul', net.layer(x, 'q'), net.op('Transpose', key))
    const context = net.layer(net.op('MatMul', net.op('Softmax', scores), net.layer(x, 'v')), 'out')
    const stream = net.op('Add', x, context)
    assert.deepEqual(net.ends(net.layer(stream, 'head'), key), { first: ['words'], last: ['head'] })
  })

  test('U-Net that takes its input in again: only the way down begins, only the way up ends', () => {
    const net = new Outline()
    const image = net.input('image')
    const down = net.layer(image, 'down')
    const up = net.layer(net.op('Concat', net.layer(down, 'bottom'), down), 'up')
    const out = net.layer(net.op('Concat', up, image), 'out')
    assert.deepEqual(net.ends(net.op('Add', out, image)), { first: ['down'], last: ['out'] })
  })

  test('several inputs and outputs have theirs, numbers appended to what was looked up, too', () => {
    const net = new Outline()
    const words = lookUp(net, net.input('ids', 'int64'), 'words')
    const both = net.layer(net.op('Concat', words, net.op('Relu', net.input('numbers'))), 'mix')
    const seen = net.layer(net.input('image'), 'eye')
    const joint = net.op('Add', net.layer(both, 'inner'), seen)
    assert.deepEqual(net.ends(net.layer(joint, 'class'), net.layer(net.op('Relu', joint), 'box')), {
      first: ['eye', 'mix', 'words'],
      last: ['box', 'class'],
    })
  })

  test('an image that is sampled where a small network says is still the image', () => {
    const net = new Outline()
    const image = net.input('image')
    const grid = net.layer(net.op('Relu', net.layer(image, 'where.a')), 'where.b')
    const x = net.layer(net.op('GridSample', image, grid), 'conv')
    assert.deepEqual(net.ends(net.layer(net.layer(x, 'middle'), 'head')), {
      first: ['conv', 'where.a'],
      last: ['head'],
    })
  })

  test('features that go out on the way make no layer the last', () => {
    const net = new Outline()
    const features = net.op('Relu', net.layer(net.layer(net.input('image'), 'stem'), 'inner'))
    assert.deepEqual(net.ends(features, net.layer(features, 'head')), { first: ['stem'], last: ['head'] })
  })
  test('what branches capture leads on, and the input that chooses among them is no data behind them', () => {
    const net = new Outline()
    const condition = net.builder.input('condition', 'bool', [])
    const stem = net.layer(net.input('image'), 'stem')
    const middle = net.layer(net.choice(condition, net.op('Relu', stem), stem), 'middle')
    const inner = net.layer(net.op('Relu', middle), 'inner')
    const head = net.layer(net.op('Relu', inner), 'head')
    const small = net.layer(net.op('Relu', inner), 'small')
    assert.deepEqual(net.ends(net.choice(condition, head, small)), { first: ['stem'], last: ['head', 'small'] })
  })
})
