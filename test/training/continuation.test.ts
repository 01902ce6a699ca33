// What a round of --max-drop takes over from the training before it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readModel } from '../../src/onnx/read-model.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { continuation } from '../../src/training/continuation.js'
import { stripesNetwork } from './stripes-network.js'

const { graph, ...rest } = readModel(stripesNetwork({ norm: true }), { name: 'stripes' })
const student = { graph, ...rest }
const all = chooseLayers(graph, { keep: [], ternary: ['*'] })
const names = all.map(({ weight }) => weight)
const filled = (name: string, value: number): Float32Array => new Float32Array(graph.initializers.get(name)?.data.length ?? 0).fill(value)
const before = {
  values: new Map([...names, 'c1.mean'].map((name) => [name, filled(name, 2)])),
  state: new Map(names.flatMap((name) => ['latent', 'scales', 'threshold', 'momentum'].map((kind) => [`${name}.${kind}`, Float32Array.of(1)]))),
}
const prepared = { student, ternary: new Set(names) }
const without = (...returned: string[]): typeof all => all.map((choice) => ({ ...choice, ternary: choice.ternary && !returned.includes(choice.weight) }))

describe('continuation', () => {
  test('ternary layers keep their values and what the method knows of them, momentum starts anew', () => {
    const { start, values } = continuation(before, prepared, without('c2.weight'), { optimizer: 'sgd' })
    const still = names.filter((name) => name !== 'c2.weight')
    assert.deepEqual([...start.values.keys()], still)
    assert.deepEqual([...start.state.keys()].sort(), still.flatMap((name) => ['latent', 'scales', 'threshold'].map((kind) => `${name}.${kind}`)).sort())
    assert.deepEqual([...values.keys()], ['c2.weight', 'c1.mean'])
  })

  test("a returned layer's rate: the square of its weights' size against He's initialisation, with adam the size", () => {
    const factor = (optimizer: 'sgd' | 'adam'): [string, number][] => [...continuation(before, prepared, without('c2.weight'), { optimizer }).rateFactors]
    const dims = all.find(({ weight }) => weight === 'c2.weight')?.dims ?? []
    const fanIn = dims.slice(1).reduce((product, dim) => product * dim, 1)
    assert.deepEqual(factor('sgd'), [['c2.weight', 4 / (2 / fanIn)]])
    assert.deepEqual(factor('adam'), [['c2.weight', Math.sqrt(4 / (2 / fanIn))]])
  })

  test('no other rate for layers that were never ternary, or have no batch norm behind them', () => {
    const factors = (ternary: readonly string[], returned: string): string[] =>
      [...continuation(before, { student, ternary: new Set(ternary) }, without(returned), { optimizer: 'sgd' }).rateFactors.keys()]
    assert.deepEqual(factors(names, 'c3.weight'), ['c3.weight'])
    assert.deepEqual(factors(names.filter((name) => name !== 'c3.weight'), 'c3.weight'), [])
    const last = names.at(-1) as string
    assert.deepEqual(factors(names, last), [])
  })
})
