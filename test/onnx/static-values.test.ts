import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Graph, Node } from '../../src/onnx/model.js'
import { readModel } from '../../src/onnx/read-model.js'
import { constantValues, staticValues } from '../../src/onnx/static-values.js'
import { float32, int64, type Tensor } from '../../src/tensor/tensor.js'
import { fixture } from './fixtures.js'

// Nodes as `Op in in -> out out`.
function graph(...lines: string[]): Graph {
  const nodes = lines.map((line): Node => {
    const [left = '', right = ''] = line.split(' -> ')
    const [opType = '', ...inputs] = left.split(' ')
    const [domain = '', name = ''] = opType.includes('.') ? opType.split('.') : ['', opType]
    return {
      name: '',
      opType: name,
      domain,
      inputs: inputs.map((input) => (input === '_' ? '' : input)),
      outputs: right.split(' '),
      attributes: {},
    }
  })
  const initializers = new Map<string, Tensor>([
    ['w', float32([2], [1, 2])],
    ['i', int64([0])],
  ])
  return {
    name: 'g',
    nodes,
    inputs: [{ name: 'x', type: { elementType: 'float32', dims: [2, 2] } }],
    outputs: [],
    initializers,
  }
}

const CASES: { what: string; lines: string[]; constant: string; static: string }[] = [
  {
    what: 'computed from initializers',
    lines: ['Neg w -> a', 'Add a w -> b', 'Add b x -> c'],
    constant: 'a b',
    static: 'a b',
  },
  {
    what: 'shape arithmetic',
    lines: ['Relu x -> r', 'Shape r -> s', 'Gather s i -> n', 'Concat n i -> t', 'Reshape r t -> y'],
    constant: '',
    static: 's n t',
  },
  {
    what: 'size, and what is made of it',
    lines: ['Size x -> s', 'ConstantOfShape s -> zeros', 'Add zeros x -> y'],
    constant: '',
    static: 's zeros',
  },
  { what: 'omitted inputs', lines: ['Clip w _ i -> a', 'Clip x _ i -> b'], constant: 'a', static: 'a' },
  {
    what: 'several outputs, one left out',
    lines: ['Split w -> a b', 'TopK w i ->  j'],
    constant: 'a b j',
    static: 'a b j',
  },
  {
    what: 'random numbers',
    lines: ['RandomNormal -> a', 'RandomUniformLike w -> b', 'Multinomial w -> c', 'Add a b -> d'],
    constant: '',
    static: '',
  },
  {
    what: 'shape of random numbers of fixed shape',
    lines: ['RandomNormal -> a', 'Shape a -> s'],
    constant: '',
    static: '',
  },
  { what: 'other domains', lines: ['local.F w -> a', 'Shape a -> s', 'local.Shape x -> t'], constant: '', static: '' },
  { what: 'sequences', lines: ['SequenceConstruct w w -> a', 'SequenceAt a i -> b'], constant: '', static: '' },
  {
    what: 'shapes that depend on data',
    lines: ['NonZero x -> n', 'Shape n -> s', 'Gather s i -> t', 'Reshape x n -> r', 'Shape r -> u'],
    constant: '',
    static: '',
  },
  {
    what: 'shapes fixed by static values',
    lines: ['Shape x -> s', 'Expand x s -> e', 'Shape e -> t', 'Reshape e t -> r', 'Size r -> u'],
    constant: '',
    static: 's t u',
  },
]

for (const { what, lines, constant, static: fixed } of CASES) {
  test(what, () => {
    assert.deepEqual([...constantValues(graph(...lines))].join(' '), constant)
    assert.deepEqual([...staticValues(graph(...lines))].join(' '), fixed)
  })
}

test('control flow is not followed', () => {
  assert.deepEqual([...staticValues(readModel(fixture('accept', 'if-nested.onnx')).graph)], [])
})
