import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TtqError } from '../../src/errors/ttq-error.js'
import { copyMessage, decodeModel, encodeModel, messages, protoInt, toBigInt, toNumber } from '../../src/onnx/proto.js'

const INT64_MAX = 2n ** 63n - 1n

test('64-bit integers are exact both ways, and brought to the ends of their range', () => {
  const there = [0n, -1n, 2n ** 53n + 1n, INT64_MAX, -INT64_MAX - 1n]
  assert.deepEqual(
    there.map((value) => toBigInt(protoInt(value))),
    there,
  )
  assert.deepEqual(
    [2 ** 63, -(2 ** 64), 5, -7].map((value) => toBigInt(protoInt(value))),
    [INT64_MAX, -INT64_MAX - 1n, 5n, -7n],
  )
  assert.equal(toBigInt({ low: -1, high: -1, unsigned: true }), 2n ** 64n - 1n)
  assert.equal(toNumber({ low: -1, high: 0x7fffffff, unsigned: false }), 2 ** 63)
})

// ModelProto { ir_version: 8, graph { node { op_type: "A", field 8: "over" }, field 100: fixed32 }, field 1000: varint
// 5 }
const UNKNOWN = Uint8Array.from([
  8, 8, 58, 17, 10, 9, 34, 1, 65, 66, 4, 111, 118, 101, 114, 165, 6, 1, 2, 3, 4, 192, 62, 5,
])

test('unknown fields come back where they were', () => {
  const model = decodeModel(UNKNOWN)
  assert.deepEqual(Uint8Array.from(messages.ModelProto.encode(copyMessage(model)).finish()), UNKNOWN)
})

test('other users of onnx-proto see its usual behaviour', () => {
  const model = messages.ModelProto.decode(UNKNOWN)
  assert.equal(model.graph?.node?.[0]?.opType, 'A')
  assert.ok(messages.ModelProto.encode(model).finish().length < UNKNOWN.length)
})

test('a message that reaches into what follows it is refused', () => {
  const reaching = Uint8Array.from([58, 4, 18, 4, 97, 98, 99, 100])
  assert.throws(() => decodeModel(reaching), RangeError)
})

test('the graph comes last, and its weights after it', () => {
  const graph = new messages.GraphProto({ name: 'g' })
  const tensor = new messages.TensorProto({ name: 'w', rawData: Uint8Array.of(1, 2, 3) })
  const bytes = encodeModel(new messages.ModelProto({ irVersion: 8 }), graph, [tensor])
  assert.deepEqual([...bytes], [8, 8, 58, 13, 18, 1, 103, 42, 8, 66, 1, 119, 74, 3, 1, 2, 3])
  assert.deepEqual(decodeModel(bytes).graph?.initializer?.[0]?.rawData, Uint8Array.of(1, 2, 3))
})

test('a length above 4 GiB is refused, not cut to its lower 32 bits', () => {
  const name = [18, 2, 97, 98]
  assert.equal(decodeModel(Uint8Array.from(name)).producerName, 'ab')
  const above = Uint8Array.from([18, 0x82, 0x80, 0x80, 0x80, 0x10, 97, 98])
  assert.throws(() => decodeModel(above), { message: 'invalid length encoding' })
  const graph = Uint8Array.from([58, 0x84, 0x80, 0x80, 0x80, 0x80, 0x01, 18, 2, 97, 98])
  assert.throws(() => decodeModel(graph), { name: 'RangeError', message: 'a number is above 32 bits' })
})

test('a length with zeros above its bits and a negative 32-bit integer are read', () => {
  const padded = Uint8Array.from([58, 0x84, 0x80, 0x80, 0x80, 0x80, 0x00, 18, 2, 97, 98])
  assert.equal(decodeModel(padded).graph?.name, 'ab')
  const type = new messages.TensorProto({ dataType: -2 })
  const model = { graph: new messages.GraphProto({ initializer: [type] }) }
  const { graph } = decodeModel(messages.ModelProto.encode(model).finish())
  assert.equal(graph?.initializer?.[0]?.dataType, -2)
})

// All initializers share one mebibyte: nothing of the size that is refused is ever there.
for (const [title, count] of [
  ['2 GiB', 2048],
  ['4 GiB', 4097],
] as const) {
  test(`a file above ${title} is refused before it is made`, () => {
    const rawData = new Uint8Array(2 ** 20)
    const tensors = Array.from({ length: count }, (_, i) => new messages.TensorProto({ name: `w${i}`, rawData }))
    assert.throws(
      () => encodeModel(new messages.ModelProto(), new messages.GraphProto(), tensors),
      (error: unknown) => {
        assert.ok(error instanceof TtqError)
        assert.equal(error.code, 'unsupported')
        assert.match(error.message, /^ONNX file: found \d{10} bytes to write, expected at most 2147483647$/)
        assert.match(error.hint ?? '', /external data/)
        return true
      },
    )
  })
}
