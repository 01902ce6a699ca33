// Networks whose weights do not all fit into memory at once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readNetwork } from '../../src/jobs/connections.js'
import { messages } from '../../src/onnx/proto.js'
import { type ExternalData, readModel } from '../../src/onnx/read-model.js'
import type { Model } from '../../src/onnx/model.js'
import { modelDigest } from '../../src/training/run-checkpoint.js'

const ROWS = 2 ** 12
const BYTES = 4 * ROWS * ROWS

// So many weights of 64 MB each that stand in a file beside the network.
function network(count: number): Uint8Array {
  const initializer = Array.from({ length: count }, (_, i) => ({
    name: `w${i}`,
    dataType: 1,
    dims: [ROWS, ROWS],
    dataLocation: 1,
    externalData: [
      { key: 'location', value: 'weights' },
      { key: 'offset', value: String(i * BYTES) },
      { key: 'length', value: String(BYTES) },
    ],
  }))
  return messages.ModelProto.encode(
    messages.ModelProto.fromObject({
      irVersion: 8,
      opsetImport: [{ version: 17 }],
      graph: { name: 'large', initializer },
    }),
  ).finish()
}

// Every weight is the number of its tensor.
const read: { bytes: number } = { bytes: 0 }
const externalData: ExternalData = (_, offset, length) => {
  read.bytes += length
  const bytes = new Uint8Array(length)
  if (length > 4) new Float32Array(bytes.buffer, 0, 4).fill(offset / BYTES)
  return bytes
}

const open = (count: number, from: ExternalData = externalData): Model =>
  readModel(network(count), { externalData: from })

test('above 2 GB a weight is read when somebody asks for it', () => {
  read.bytes = 0
  const { graph } = open(33)
  assert.equal(read.bytes, 33)
  assert.equal(graph.initializers.get('w7')?.data[3], 7)
  assert.equal(read.bytes, 33 + BYTES)
  // How large the network is does not depend on what was read of it.
  assert.equal(readNetwork(network(33), { name: 'large', externalData }).onnxBytes, network(33).length + 33 * BYTES)
})

test('below, at once', () => {
  read.bytes = 0
  const { graph } = open(2)
  assert.equal(graph.initializers.get('w1')?.data[3], 1)
  assert.equal(read.bytes, 2 * BYTES)
})

test('a file that is too short is found out at once, one that has changed when it is read', () => {
  const short: ExternalData = (_, offset, length) => {
    if (offset + length > 33 * BYTES - 1) throw new Error('"weights" is too short')
    return new Uint8Array(length)
  }
  const message =
    /^onnx: tensor "w32": its data is in the external file "weights", which cannot be read: "weights" is too short$/
  assert.throws(() => open(33, short), { code: 'model', message })
  const { graph } = open(33, (_, __, length) => new Uint8Array(Math.min(length, 4)))
  assert.throws(() => graph.initializers.get('w1')?.data, {
    code: 'model',
    message: `onnx: tensor "w1": 4 bytes in the external file, expected ${BYTES} for float32 of shape [4096,4096]`,
  })
})

test('the digest of such a network depends on every weight', () => {
  const digests = [0, 1, 2].map((seed) => {
    const model = open(33, (_, offset, length) => {
      const bytes = new Uint8Array(Math.min(length, BYTES))
      if (offset === 20 * BYTES && seed === 1) bytes[BYTES - 1] = 1
      return bytes
    })
    // Values of a kind that takes no time: as long as the digest is that of all.
    const initializers = new Map(
      [...model.graph.initializers].map(([name, tensor]) => [
        name,
        name === 'w20' ? tensor : { ...tensor, data: new Float32Array(1) },
      ]),
    )
    return modelDigest({ ...model, graph: { ...model.graph, initializers } })
  })
  assert.equal(digests[0], digests[2])
  assert.notEqual(digests[0], digests[1])
})
