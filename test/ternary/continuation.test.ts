// What a round of --max-drop takes over from the training before it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openDataset } from '../../src/data/open-dataset.js'
import { readModel } from '../../src/onnx/read-model.js'
import { chooseLayers } from '../../src/ternary/layers.js'
import { bindNetwork } from '../../src/binding/bind-network.js'
import { COMPRESS_DEFAULTS } from '../../src/options/complete-options.js'
import { continuation } from '../../src/ternary/continuation.js'
import { prepareFineTuning } from '../../src/ternary/fine-tune.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { STRIPES, stripesNetwork } from '../training/stripes-network.js'

const { graph } = readModel(stripesNetwork({ norm: true }), { name: 'stripes' })
const all = chooseLayers(graph, { keep: [], ternary: ['*'] })
const names = all.map(({ weight }) => weight)
const filled = (name: string, value: number): Float32Array =>
  new Float32Array(graph.initializers.get(name)?.data.length ?? 0).fill(value)
const before = {
  values: new Map([...names, 'c1.mean'].map((name) => [name, filled(name, 2)])),
  state: new Map(
    names.flatMap((name) =>
      ['latent', 'scales', 'threshold', 'momentum'].map((kind) => [`${name}.${kind}`, Float32Array.of(1)]),
    ),
  ),
}
const without = (...returned: string[]): typeof all =>
  all.map((choice) => ({ ...choice, ternary: choice.ternary && !returned.includes(choice.weight) }))

describe('continuation', () => {
  test('ternary layers keep their values and what the method knows of them, momentum starts anew', () => {
    const { start, values } = continuation(before, new Set(names), without('c2.weight'))
    const still = names.filter((name) => name !== 'c2.weight')
    assert.deepEqual([...start.values.keys()], still)
    assert.deepEqual(
      [...start.state.keys()].sort(),
      still.flatMap((name) => ['latent', 'scales', 'threshold'].map((kind) => `${name}.${kind}`)).sort(),
    )
    assert.deepEqual([...values.keys()], ['c2.weight', 'c1.mean'])
  })

  test('a returned layer takes He steps', () => {
    const dims = all.find(({ weight }) => weight === 'c2.weight')?.dims ?? []
    const fanIn = dims.slice(1).reduce((product, dim) => product * dim, 1)
    assert.deepEqual([...continuation(before, new Set(names), without('c2.weight')).fanIns], [['c2.weight', fanIn]])
  })

  test('but not without a batch norm behind it', () => {
    assert.deepEqual([...continuation(before, new Set(['c3.weight']), without('c2.weight')).fanIns], [])
  })
})

describe("a fine-tuning's normalized layers", () => {
  for (const norm of [true, false]) {
    test(norm ? "those with the file's own batch norm" : 'those that got one', async () => {
      const pool = new WorkerPool(1)
      try {
        const model = readModel(stripesNetwork({ norm }), { name: 'stripes' })
        const bound = await bindNetwork(pool, model, await openDataset(STRIPES), { trial: false })
        // The first layer is not ternary, though a batch norm follows it.
        const choices = chooseLayers(bound.model.graph, { keep: [], ternary: [] })
        const { normalized } = await prepareFineTuning(pool, bound, choices, COMPRESS_DEFAULTS)
        assert.deepEqual([...normalized].sort(), ['c2.weight', 'c3.weight'])
      } finally {
        await pool.close()
      }
    })
  }
})
