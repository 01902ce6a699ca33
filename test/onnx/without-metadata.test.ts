// What exporters note is left out, what programs read stays, and the network computes the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messages } from '../../src/onnx/proto.js'
import { readModel } from '../../src/onnx/read-model.js'
import { withoutMetadata } from '../../src/onnx/without-metadata.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { fixture, fixtureNames } from './fixtures.js'

const SECRET = '/home/someone/private/model.py'

// metadata_props as raw fields, where the message classes do not know them: `field` number, one pair key "k".
function withNotes(bytes: Uint8Array, field: number): Uint8Array {
  const value = new TextEncoder().encode(SECRET)
  const entry = [10, 1, 107, 18, value.length, ...value]
  const tag = (field << 3) | 2
  const tagBytes = tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]
  return Uint8Array.from([...bytes, ...tagBytes, entry.length, ...entry])
}

const delimited = (field: number, bytes: Uint8Array): number[] => {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
  return [(field << 3) | 2, ...length, ...bytes]
}

function noted(): Uint8Array {
  const node = messages.NodeProto.encode(
    new messages.NodeProto({ opType: 'Add', name: 'add', input: ['x', 'w'], output: ['y'], docString: SECRET }),
  ).finish()
  const type = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }] } } }
  const input = messages.ValueInfoProto.encode(
    new messages.ValueInfoProto({ name: 'x', type, docString: SECRET }),
  ).finish()
  const output = messages.ValueInfoProto.encode(new messages.ValueInfoProto({ name: 'y', type })).finish()
  const tensor = messages.TensorProto.encode(
    new messages.TensorProto({ name: 'w', dims: [1], dataType: 1, floatData: [2], docString: SECRET }),
  ).finish()
  const graph = Uint8Array.from([
    ...delimited(1, withNotes(node, 9)),
    ...delimited(2, new TextEncoder().encode('g')),
    ...delimited(5, withNotes(tensor, 16)),
    ...delimited(11, withNotes(input, 4)),
    ...delimited(12, withNotes(output, 4)),
  ])
  const model = messages.ModelProto.encode(
    new messages.ModelProto({
      irVersion: 8,
      opsetImport: [{ domain: '', version: 17 }],
      docString: SECRET,
      metadataProps: [{ key: 'names', value: 'cat,dog' }],
    }),
  ).finish()
  return Uint8Array.from([...model, ...delimited(7, withNotes(graph, 16))])
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

test('notes of nodes, values, tensors and graphs are left out; the metadata of the model stay', () => {
  const model = readModel(noted())
  assert.equal(text(writeModel(model)).split(SECRET).length - 1, 9, 'they stand everywhere before')
  const before = writeModel(model)
  const written = writeModel(withoutMetadata(model))
  assert.ok(!text(written).includes(SECRET))
  assert.ok(text(written).includes('cat,dog'))
  assert.deepEqual(writeModel(model), before, 'the model itself is left alone')
  assert.deepEqual(readModel(written).graph.initializers, model.graph.initializers)
  assert.deepEqual(readModel(written).graph.nodes[0]?.inputs, ['x', 'w'])
})

test('a file without notes comes out byte for byte', () => {
  for (const folder of ['accept', 'upgrade'] as const) {
    for (const file of fixtureNames(folder).filter((name) => !name.startsWith('external'))) {
      const model = readModel(fixture(folder, file), { name: file })
      const written = writeModel(model)
      if (file !== 'newer-fields.onnx') assert.deepEqual(writeModel(withoutMetadata(model)), written, file)
    }
  }
})
