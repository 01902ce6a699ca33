// Comparing a file with a network: equal ones, and every way in which they may differ.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Model } from '../../src/onnx/model.js'
import { pack, type PackedModel } from '../../src/packed/index.js'
import { packsExactly } from '../../src/packed/unpack.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'

const CODES = Int8Array.of(1, 0, -1, 1, 0, 0)
const LARGE = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i))

function network(): PackedModel {
  const initializers = new Map<string, Tensor>([
    [
      'ternary',
      float32(
        [2, 3],
        Float32Array.from(CODES, (code) => (code === 1 ? 0.5 : code === -1 ? -0.25 : 0)),
      ),
    ],
    ['large', float32([300], LARGE.slice())],
    ['small', float32([2], [1, 2])],
  ])
  const graph = { name: 'net', nodes: [], inputs: [], outputs: [], initializers }
  return {
    model: { irVersion: 8, opsets: new Map([['', 18]]), graph },
    ternary: new Map([['ternary', { codes: CODES, wp: 0.5, wn: 0.25 }]]),
    metadata: {},
  }
}

const file = pack(network())

test('the network that was packed', async () => {
  assert.equal(await packsExactly(file, network().model), true)
})

const CHANGES: Readonly<Record<string, (model: Model) => void>> = {
  'a ternary value': ({ graph }) => {
    graph.initializers.set('ternary', float32([2, 3], [0.5, 0, -0.25, 0.5, 0, 0.5]))
  },
  'the sign of a zero': ({ graph }) => {
    graph.initializers.set('ternary', float32([2, 3], [0.5, -0, -0.25, 0.5, 0, 0]))
  },
  'the shape of a ternary tensor': ({ graph }) => {
    graph.initializers.set('ternary', float32([3, 2], graph.initializers.get('ternary')?.data as Float32Array))
  },
  'the last bit of a large tensor': ({ graph }) => {
    graph.initializers.set(
      'large',
      float32(
        [300],
        LARGE.map((value, i) => (i === 299 ? value * (1 + 2 ** -23) : value)),
      ),
    )
  },
  'the rank of a large tensor': ({ graph }) => {
    graph.initializers.set('large', float32([1, 300], LARGE))
  },
  'a tensor that stands in the graph': ({ graph }) => {
    graph.initializers.set('small', float32([2], [1, 3]))
  },
  'a missing tensor': ({ graph }) => {
    graph.initializers.delete('large')
  },
  'one tensor more': ({ graph }) => {
    graph.initializers.set('more', float32([1], [1]))
  },
  'the opset': ({ opsets }) => {
    opsets.set('', 17)
  },
}
for (const [what, change] of Object.entries(CHANGES)) {
  test(`differs: ${what}`, async () => {
    const { model } = network()
    change(model)
    assert.equal(await packsExactly(file, model), false)
  })
}

test('a damaged file is refused', async () => {
  const damaged = file.slice()
  damaged[100] = (damaged[100] as number) ^ 1
  await assert.rejects(packsExactly(damaged, network().model), {
    code: 'packed',
    message: 'packed: found bytes that do not match the SHA-256 at its end, expected the bytes that were written',
  })
})
