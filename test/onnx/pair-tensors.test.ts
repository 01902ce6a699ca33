// Constants of networks that differ in their operators are paired by what they are for, never by names that say
// nothing.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph } from '../../src/onnx/model.js'
import { pairTensors } from '../../src/onnx/pair-tensors.js'
import { shortNames } from '../../src/onnx/short-names.js'
import { elementCount, float32 } from '../../src/tensor/tensor.js'

interface Layer {
  name: string
  columns?: number
  /** Kinds of the vectors behind it. */
  behind: readonly ('Mul' | 'Add')[]
}

// Matrix products one behind the other, with vectors behind them.
function network(layers: readonly Layer[]): Graph {
  const b = new GraphBuilder()
  let value = b.input('x', 'float32', ['N', 4])
  let [rows, made] = [4, 0]
  for (const { name, columns = 4, behind } of layers) {
    const constant = (dims: readonly number[], own: string): string => {
      // Equal constants would be one.
      const values = new Float32Array(elementCount(dims)).fill(++made)
      return b.constant(float32(dims, values), own)
    }
    value = b.emit('MatMul', [value, constant([rows, columns], `${name}.weight`)])
    for (const op of behind) value = b.emit(op, [value, constant([columns], `${name}.${op}`)])
    value = b.emit('Relu', [value])
    rows = columns
  }
  b.output(value)
  return b.build('net')
}

// With short names; a map from these to the own ones.
function shortened(graph: Graph): { graph: Graph; ownOf: Map<string, string> } {
  const { model, names } = shortNames({ irVersion: 8, opsets: new Map([['', 17]]), graph })
  return { graph: model.graph, ownOf: new Map([...names].map(([own, short]) => [short, own])) }
}

const PLAIN: Layer[] = ['a', 'b', 'c', 'd'].map((name) => ({ name, behind: ['Add'] }))

describe('pairTensors', () => {
  test('factors that only one has, whose short names are others therefore', () => {
    const before = shortened(network(PLAIN))
    const after = shortened(
      network(PLAIN.map((layer, i) => (i === 0 || i === 3 ? layer : { ...layer, behind: ['Mul', 'Add'] }))),
    )
    const pairs = [...pairTensors(before.graph, after.graph)].map(([now, old]) => [
      before.ownOf.get(old),
      after.ownOf.get(now),
    ])
    assert.equal(pairs.length, 8)
    for (const [old, now] of pairs) assert.equal(old, now)
  })

  test('one file with names of its own, one without', () => {
    const after = shortened(network(PLAIN.map((layer) => ({ ...layer, behind: ['Mul', 'Add'] }))))
    for (const [short, name] of pairTensors(network(PLAIN), after.graph)) assert.equal(after.ownOf.get(short), name)
  })

  test('a layer less: what is left keeps its order, and the missing one has no counterpart', () => {
    const wide = PLAIN.map((layer, i) => ({ ...layer, columns: 4 + i }))
    const before = shortened(
      network([...wide.slice(0, 2), { name: 'more', columns: 5, behind: ['Add'] }, ...wide.slice(2)]),
    )
    const after = shortened(network(wide))
    const old = [...pairTensors(before.graph, after.graph)].map(([now, then]) => {
      assert.equal(before.ownOf.get(then), after.ownOf.get(now))
      return before.ownOf.get(then)
    })
    assert.deepEqual(old.sort(), wide.flatMap(({ name }) => [`${name}.Add`, `${name}.weight`]).sort())
  })

  test('names that say something go before the order', () => {
    const [first, second, ...others] = PLAIN as [Layer, Layer, ...Layer[]]
    const pairs = pairTensors(network(PLAIN), network([second, first, ...others, { name: 'new', behind: ['Mul'] }]))
    assert.deepEqual(
      [...pairs],
      [...network([second, first, ...others]).initializers.keys()].map((name) => [name, name]),
    )
  })
})
