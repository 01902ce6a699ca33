// Which constants of plain arithmetic are learned: vectors per channel behind a layer, not what the function is made
// of.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { float32, int64 } from '../../src/tensor/tensor.js'
import { learnedInputs } from '../../src/training/trainable.js'

const C = 6

class Net {
  readonly builder = new GraphBuilder()
  private constants = 0
  readonly x = this.builder.input('x', 'float32', ['N', 'T', C])

  constant(name: string, dims: readonly number[]): ValueName {
    const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1)).fill(++this.constants)
    return this.builder.constant(float32(dims, data), name)
  }

  op(opType: string, ...inputs: ValueName[]): ValueName {
    return this.builder.emit(opType, inputs)
  }

  dense(x: ValueName, name: string): ValueName {
    return this.op('MatMul', x, this.constant(name, [C, C]))
  }

  conv(x: ValueName, name: string): ValueName {
    return this.op('Conv', x, this.constant(name, [C, C, 1, 1]))
  }

  /** Learned initializers with what they are, weights left out. */
  learned(output: ValueName): Record<string, string> {
    this.builder.output(output)
    const found = learnedInputs(this.builder.build('net')).filter(({ learned }) => learned !== 'weight')
    return Object.fromEntries(found.map(({ name, learned }) => [name, learned]))
  }
}

test('the bias of a product, also behind a node that moves it, and of a convolution', () => {
  const net = new Net()
  const y = net.op('Add', net.constant('b1', [C]), net.dense(net.x, 'w1'))
  const z = net.op('Add', net.op('Transpose', net.dense(y, 'w2')), net.constant('b2', [C, 1, 1]))
  assert.deepEqual(net.learned(net.op('Add', net.conv(z, 'k'), net.constant('b3', [1, C, 1, 1]))), {
    b1: 'bias',
    b2: 'bias',
    b3: 'bias',
  })
})

test('a mask, a table of positions and scalars are none', () => {
  const net = new Net()
  const queries = net.op('Mul', net.dense(net.x, 'q'), net.constant('half', []))
  const scores = net.op(
    'Add',
    net.op('MatMul', queries, net.op('Transpose', net.dense(net.x, 'k'))),
    net.constant('mask', [C, C]),
  )
  const rows = net.op('Add', scores, net.constant('row', [C]))
  const y = net.op('Add', net.dense(net.op('Softmax', rows), 'v'), net.constant('positions', [C, C]))
  const swish = net.op('Mul', y, net.op('Clip', net.op('Add', y, net.constant('three', [1]))))
  assert.deepEqual(net.learned(net.op('Div', swish, net.constant('six', [C]))), {})
})

test('how inputs are normalised is none, nor what has as many values along another axis', () => {
  const net = new Net()
  const input = net.op('Mul', net.op('Add', net.x, net.constant('mean', [C])), net.constant('std', [C]))
  const y = net.op('Mul', net.conv(input, 'k'), net.constant('along the width', [C]))
  const z = net.op('Mul', net.dense(y, 'w'), net.constant('along the rows', [C, 1]))
  assert.deepEqual(net.learned(net.op('Mul', z, net.constant('of seven', [7]))), {})
})

test('a mask of minus infinity, or of the lowest float32, is none', () => {
  const net = new Net()
  const masked = (name: string, value: number): ValueName =>
    net.builder.constant(float32([C], Float32Array.of(0, value, 0, 0, value, 0)), name)
  const y = net.op('Add', net.dense(net.x, 'w1'), masked('infinite', -Infinity))
  const z = net.op('Gemm', y, net.constant('w2', [C, C]), masked('lowest', -3.4028234663852886e38))
  assert.deepEqual(net.learned(net.op('Add', z, net.constant('bias', [C]))), { bias: 'bias' })
})

test('an RMS norm behind an embedding, a written out group norm, LayerScale', () => {
  const net = new Net()
  const ids = net.builder.input('ids', 'int64', ['N', 'T'])
  const words = net.op('Gather', net.constant('table', [9, C]), ids)
  const root = net.op('Sqrt', net.op('ReduceMean', net.op('Mul', words, words)))
  const x = net.op('Mul', net.op('Div', words, root), net.constant('rms', [C]))
  const stream = net.op('Add', x, net.op('Mul', net.constant('layer scale', [1, 1, C]), net.dense(x, 'w')))
  const shape = net.builder.constant(int64([0, 2, -1]))
  const groups = net.op('Reshape', net.conv(stream, 'k'), shape)
  const norm = net.op('InstanceNormalization', groups, net.constant('ones', [2]), net.constant('zeros', [2]))
  const back = net.op('Reshape', norm, net.builder.constant(int64([0, C, 1, -1])))
  const y = net.op('Add', net.op('Mul', back, net.constant('factor', [C, 1, 1])), net.constant('shift', [C, 1, 1]))
  assert.deepEqual(net.learned(y), {
    rms: 'scale',
    'layer scale': 'scale',
    ones: 'scale',
    zeros: 'bias',
    factor: 'scale',
    shift: 'bias',
  })
})

test('a vector that something else uses, too, is a constant of the function', () => {
  const net = new Net()
  const shared = net.constant('shared', [C])
  const y = net.op('Add', net.dense(net.x, 'w'), shared)
  assert.deepEqual(net.learned(net.op('Max', y, shared)), {})
})
