import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { TtqError } from '../../src/errors/ttq-error.js'
import { inspectPacked, isPacked, pack, type PackedModel, unpack } from '../../src/packed/index.js'
import {
  emptyInitializer,
  entry,
  f32,
  file,
  graphBytes,
  join,
  modelOf,
  padded,
  refuses,
  sealed,
  sha256,
  text,
  u32,
  u64,
  u8,
} from './packed-files.js'

// The file of docs/ttq-format.md's example, byte by byte: y = Relu(x) and a ternary tensor "w" of shape [5], codes 1 -1
// 0 0 1.
function handWritten(): Uint8Array {
  const graph = new Uint8Array(deflateRawSync(graphBytes(emptyInitializer('w', 1))))
  const directory = join(
    u32(6),
    text('method'), // metadata: key
    u32(3),
    text('ttq'), //              value
    u32(1), //             tensor 0: name length
    u8(1), //                        element type: float32
    u8(1), //                        encoding: ternary2
    u8(1), //                        rank
    u8(8), //                        parameter bytes
    u64(0), //                       offset in the data section
    u64(2), //                       length
    u32(5), //                       dims
    u8(0, 0, 0, 0x3f), //            wp: 0.5
    u8(0, 0, 0x80, 0x3e), //         wn: 0.25
    text('w'), //                    name
  )
  const body = join(
    u8(0x89, 0x54, 0x54, 0x51, 0x0d, 0x0a, 0x1a, 0x0a), // magic
    u32(1), //                                             version
    u32(0), //                                             flags
    u64(64 + 64 + Math.ceil(graph.length / 64) * 64 + 64 + 32), // file length
    u32(1), //                                             metadata pairs
    u32(1), //                                             tensors
    u64(54), //                                            directory length
    u64(graph.length), //                                  graph length
    u64(graphBytes(emptyInitializer('w', 1)).length), //   graph length, inflated
    u64(64), //                                            data length
    padded(directory),
    padded(graph),
    u8(0b00_00_11_01, 0b01),
    new Uint8Array(62), //        codes 1 -1 0 0 | 1, padding
  )
  return join(body, sha256(body))
}

const EXPECTED: PackedModel = {
  model: modelOf([['w', { type: 'float32', dims: [5], data: Float32Array.of(0.5, -0.25, 0, 0, 0.5) }]]),
  ternary: new Map([['w', { codes: Int8Array.of(1, -1, 0, 0, 1), wp: 0.5, wn: 0.25 }]]),
  metadata: { method: 'ttq' },
}

test('a file written by hand is read', () => {
  const { model, ternary, metadata } = unpack(handWritten())
  assert.deepEqual([...ternary], [...EXPECTED.ternary])
  assert.deepEqual(metadata, EXPECTED.metadata)
  assert.deepEqual([...model.graph.initializers], [...EXPECTED.model.graph.initializers])
  assert.equal(model.irVersion, 8)
  assert.deepEqual([...model.opsets], [['', 17]])
  assert.deepEqual(
    model.graph.nodes.map(({ opType, inputs, outputs }) => ({ opType, inputs, outputs })),
    [{ opType: 'Relu', inputs: ['x'], outputs: ['y'] }],
  )
})

test('inspecting it', () => {
  const bytes = handWritten()
  const { sections, graphInflatedBytes, ...rest } = inspectPacked(bytes)
  assert.deepEqual(rest, {
    version: 1,
    fileBytes: bytes.length,
    metadata: { method: 'ttq' },
    tensors: [
      {
        name: 'w',
        type: 'float32',
        dims: [5],
        encoding: 'ternary2',
        bytes: 2,
        isPooled: false,
        parameterBytes: 8,
        ternary: { wp: 0.5, wn: 0.25, zeros: 2, positives: 2, negatives: 1 },
      },
    ],
  })
  assert.deepEqual(sections, {
    header: 64,
    directory: 64,
    graph: bytes.length - 224,
    pool: 0,
    data: 64,
    digest: 32,
  })
  assert.equal(graphInflatedBytes, graphBytes(emptyInitializer('w', 1)).length)
  assert.equal(isPacked(bytes), true)
  assert.equal(isPacked(bytes.subarray(0, 7)), false)
  assert.equal(isPacked(graphBytes()), false)
})

test('a file in the middle of a larger buffer is read', () => {
  const bytes = handWritten()
  const around = new Uint8Array(bytes.length + 10)
  around.set(bytes, 3)
  assert.deepEqual(unpack(around.subarray(3, 3 + bytes.length)).ternary, EXPECTED.ternary)
})

test('cut anywhere, or with bytes behind it, a file is refused', () => {
  const bytes = handWritten()
  for (let length = 0; length < bytes.length; length++) {
    const expected = length < 96 ? 'at least 96 of a .ttq file' : `${bytes.length} as its header says`
    refuses(() => unpack(bytes.subarray(0, length)), `packed: found ${length} bytes, expected ${expected}`)
  }
  refuses(
    () => unpack(join(bytes, u8(0)), { name: 'a.ttq' }),
    `a.ttq: found ${bytes.length + 1} bytes, expected ${bytes.length} as its header says`,
  )
})

test('every flipped bit is noticed', () => {
  const bytes = handWritten()
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(
      () => unpack(flipped),
      (error) => error instanceof TtqError && error.code === 'packed',
      `bit ${bit}`,
    )
  }
})

test('every byte changed under a digest that fits gives a model or a TtqError', () => {
  const body = handWritten().subarray(0, -32)
  let read = 0
  for (let at = 0; at < body.length; at++) {
    for (const change of [0x01, 0x80, 0xff]) {
      const changed = body.slice()
      changed[at]! ^= change
      try {
        const packed = unpack(sealed(changed))
        read++
        const again = unpack(pack(packed))
        assert.deepEqual([...again.ternary], [...packed.ternary], `byte ${at} ^ ${change}`)
        assert.deepEqual(
          [...again.model.graph.initializers],
          [...packed.model.graph.initializers],
          `byte ${at} ^ ${change}`,
        )
      } catch (error) {
        assert.ok(error instanceof TtqError && error.code === 'packed', `byte ${at} ^ ${change}: ${String(error)}`)
      }
    }
  }
  assert.ok(read > 10, 'changed letters of names and scales are still files')
})

test('the file that the reject cases vary is legal', () => {
  assert.deepEqual(unpack(file()).ternary, EXPECTED.ternary)
})

const GRAPH = graphBytes(emptyInitializer('w', 1))
const NO_GRAPH_PLACE = graphBytes()
const TWO = [entry({ length: 2 }), entry({ name: 'v', offset: 64 })]
const TWO_DATA = {
  graph: graphBytes(emptyInitializer('w', 1), emptyInitializer('v', 1)),
  data: join(padded(u8(1, 0)), padded(u8(1, 0))),
}
const pair = (key: string, value: string | Uint8Array): Uint8Array => {
  const bytes = typeof value === 'string' ? text(value) : value
  return join(u32(text(key).length), text(key), u32(bytes.length), bytes)
}

const REJECTS: Record<string, [Uint8Array, string]> = {
  nothing: [u8(), 'packed: found 0 bytes, expected at least 96 of a .ttq file'],
  'another format': [
    GRAPH,
    'packed: found first bytes 08 08 3a 30 0a 0c 0a 01, expected 89 54 54 51 0d 0a 1a 0a of a .ttq file',
  ],
  'line ends rewritten': [
    u8(0x89, 0x54, 0x54, 0x51, 0x0a, 0x1a, 0x0a, 1),
    'packed: found first bytes 89 54 54 51 0a 1a 0a 01, expected 89 54 54 51 0d 0a 1a 0a of a .ttq file',
  ],
  'a later version': [file({ version: 3 }), 'packed: header: found format version 3, expected 1 or 2'],
  'version 0': [file({ version: 0 }), 'packed: header: found format version 0, expected 1 or 2'],
  flags: [file({ flags: 0x80000000 }), 'packed: header: found flags 0x80000000, expected none in format version 1'],
  'a huge file length': [
    file({ fileLength: 2n ** 64n - 1n }),
    'packed: found 288 bytes, expected 18446744073709551615 as its header says',
  ],
  'a wrong digest': [
    join(file().subarray(0, -1), u8(0)),
    'packed: found bytes that do not match the SHA-256 at its end, expected the bytes that were written',
  ],
  'a huge directory': [
    file({ directoryLength: 2n ** 63n }),
    'packed: header: found a directory of 9223372036854775808 bytes, expected at most 288',
  ],
  'a huge graph section': [
    file({ graphLength: 2n ** 53n }),
    'packed: header: found a graph section of 9007199254740992 bytes, expected at most 288',
  ],
  'a huge data section': [
    file({ dataLength: 2n ** 40n }),
    'packed: header: found a data section of 1099511627776 bytes, expected at most 288',
  ],
  'an odd data section': [
    file({ dataLength: 63 }),
    'packed: header: found a data section of 63 bytes, expected a multiple of 64',
  ],
  'sections shorter than the file': [
    file({ dataLength: 0 }),
    "packed: header: found sections that take 224 bytes, expected the file's 288",
  ],
  'an inflated graph beyond what deflate can do': [
    file({ deflated: u8(3, 0), graphInflatedLength: 2065 }),
    'packed: header: found an inflated graph of 2065 bytes, expected at most 2064',
  ],
  'an inflated graph beyond the limit': [
    file({ deflated: new Uint8Array(300000), graphInflatedLength: 2 ** 28 + 1 }),
    'packed: header: found an inflated graph of 268435457 bytes, expected at most 268435456',
  ],
  'a bomb': [
    file({ deflated: new Uint8Array(deflateRawSync(new Uint8Array(100000))), graphInflatedLength: 100 }),
    'packed: graph section: found more inflated bytes, expected 100 bytes',
  ],
  'a graph that inflates to less': [
    file({ graphInflatedLength: GRAPH.length + 5 }),
    `packed: graph section: found ${GRAPH.length} inflated bytes, expected ${GRAPH.length + 5} bytes`,
  ],
  'a graph that is not deflated': [
    file({ deflated: u8(0xff, 0xff, 0xff) }),
    `packed: graph section: found bytes that are not a deflate stream, expected ${GRAPH.length} bytes`,
  ],
  'bytes behind the graph': [
    file({ deflated: join(new Uint8Array(deflateRawSync(GRAPH)), u8(0)) }),
    'packed: graph section: found bytes behind the stream, expected none',
  ],
  'no graph section': [
    file({ deflated: u8(), graphInflatedLength: 0 }),
    'packed: graph section: found bytes that are not a deflate stream, expected 0 bytes',
  ],
  'a graph that is not ONNX': [
    file({ graph: u8(0x08, 8) }),
    'packed: graph section: holds no graph, expected an ONNX model',
  ],
  'huge counts': [
    file({ metadataCount: 0xffffffff, tensorCount: 0xffffffff }),
    'packed: directory: found 4294967295 metadata pairs and 4294967295 tensors in 37 bytes, expected at least ' +
      '137438953440 bytes for them',
  ],
  'more tensors than the table holds': [
    file({ tensors: [entry()], afterTable: new Uint8Array(12), tensorCount: 2 }),
    'packed: directory: found 4 bytes left, expected 8 for the offset of tensor 1',
  ],
  'fewer tensors than the table holds': [
    file({ tensorCount: 0 }),
    'packed: directory: found tensors that fill 0 bytes, expected 64, the whole data section',
  ],
  'bytes behind the table': [
    file({ afterTable: u8(1) }),
    'packed: directory: found 1 bytes after the last tensor, expected none',
  ],
  'padding behind the directory': [
    paddingSet(64 + 40),
    'packed: directory: found padding that is not zero, expected zeros up to the next multiple of 64',
  ],
  'padding behind a tensor': [
    paddingSet(-33),
    'packed: tensor "w": found padding that is not zero, expected zeros up to the next multiple of 64',
  ],
  'padding behind the graph': [
    paddingSet(-97),
    'packed: graph section: found padding that is not zero, expected zeros up to the next multiple of 64',
  ],
  'invalid UTF-8 in a name': [
    file({ tensors: [entry({ name: u8(0xc3, 0x28) })] }),
    'packed: directory: found invalid UTF-8 in the name of tensor 0, expected valid UTF-8',
  ],
  'invalid UTF-8 in metadata': [
    file({ metadataCount: 1, metadata: pair('key', u8(0xed, 0xa0, 0x80)) }),
    'packed: directory: found invalid UTF-8 in the value of metadata key "key", expected valid UTF-8',
  ],
  'a metadata key twice': [
    file({ metadataCount: 2, metadata: join(pair('k', '1'), pair('k', '2')) }),
    'packed: directory: found metadata key "k" after "k", expected each key once, in ascending order',
  ],
  'metadata out of order': [
    file({ metadataCount: 2, metadata: join(pair('b', ''), pair('a', '')) }),
    'packed: directory: found metadata key "a" after "b", expected each key once, in ascending order',
  ],
  'a string beyond the directory': [
    file({ metadataCount: 1, metadata: join(u32(0xffffffff), text('key!')) }),
    'packed: directory: found 41 bytes left, expected 4294967295 for a metadata key',
  ],
  'a name beyond the directory': [
    file({ tensors: [join(u32(200), entry().subarray(4))] }),
    'packed: directory: found 1 bytes left, expected 200 for the name of tensor 0',
  ],
  'an unknown element type': [
    file({ tensors: [entry({ type: 99 })] }),
    'packed: directory: tensor "w": found element type 99, expected a TensorProto.DataType number with bytes (1 ' +
      'to 26, not 8)',
  ],
  strings: [
    file({ tensors: [entry({ type: 8 })] }),
    'packed: directory: tensor "w": found element type 8, expected a TensorProto.DataType number with bytes (1 ' +
      'to 26, not 8)',
  ],
  'an unknown encoding': [
    file({ tensors: [entry({ encoding: 77 })] }),
    'packed: tensor "w": found encoding 77, expected 0 (raw), 1 (ternary2), 2 (float16), 3 (int8) or 4 (base3) in ' +
      'format version 1 as this ttq knows it',
  ],
  'entropy coding, for whose models version 1 has no place': [
    file({ tensors: [entry({ encoding: 5, parameters: new Uint8Array(10) })] }),
    'packed: tensor "w": found encoding 5, expected 0 (raw), 1 (ternary2), 2 (float16), 3 (int8) or 4 (base3) in ' +
      'format version 1 as this ttq knows it',
  ],
  'too many dimensions': [
    file({ tensors: [entry({ dims: Array.from({ length: 33 }, () => 1) })] }),
    'packed: directory: tensor 0: found rank 33, expected at most 32',
  ],
  'a rank beyond the directory': [
    file({ tensors: [entry({ rank: 31 })] }),
    'packed: directory: found 1 bytes left, expected 4 for the dimensions of tensor 0',
  ],
  'a product of dimensions that overflows': [
    file({ tensors: [entry({ dims: [2 ** 31, 2 ** 31, 4] })] }),
    'packed: directory: tensor "w": found shape [2147483648,2147483648,4], expected less than 2^53 elements',
  ],
  'a product that would wrap around 2^64 to a small one': [
    file({ tensors: [entry({ dims: [2 ** 31, 2 ** 31, 4, 5] })] }),
    'packed: directory: tensor "w": found shape [2147483648,2147483648,4,5], expected less than 2^53 elements',
  ],
  'a length that does not fit the shape': [
    file({ tensors: [entry({ dims: [9] })] }),
    'packed: directory: tensor "w": found 2 bytes, expected 3 for float32 of shape [9] in ternary2',
  ],
  'a raw length that does not fit the shape': [
    file({ tensors: [entry({ encoding: 0, parameters: u8() })] }),
    'packed: directory: tensor "w": found 2 bytes, expected 20 for float32 of shape [5] in raw',
  ],
  'parameters of another encoding': [
    file({ tensors: [entry({ encoding: 0, length: 20 })] }),
    'packed: directory: tensor "w": found 8 parameter bytes, expected 0 for raw',
  ],
  'an offset beyond 2^53': [
    file({ tensors: [entry({ offset: 2n ** 64n - 64n })] }),
    'packed: directory: found 18446744073709551552 as the offset of tensor 0, expected less than 2^53',
  ],
  'an offset beyond the end': [
    file({ tensors: [entry({ offset: 6400 })] }),
    'packed: directory: tensor "w": found offset 6400, expected 0, right behind the tensor before it',
  ],
  'overlapping tensors': [
    file({ ...TWO_DATA, tensors: [entry(), entry({ name: 'v', offset: 0 })] }),
    'packed: directory: tensor "v": found offset 0, expected 64, right behind the tensor before it',
  ],
  'a hole between tensors': [
    file({ ...TWO_DATA, tensors: [entry(), entry({ name: 'v', offset: 128 })] }),
    'packed: directory: tensor "v": found offset 128, expected 64, right behind the tensor before it',
  ],
  'a tensor beyond the data section': [
    file({ tensors: [entry({ dims: [1000], length: 250 })] }),
    'packed: directory: tensor "w": found 250 bytes, expected at most 64, the rest of the data section',
  ],
  'a name twice': [
    file({ ...TWO_DATA, tensors: [entry(), entry({ offset: 64 })] }),
    'packed: directory: tensor "w": found its name a second time, expected each name once',
  ],
  'a scale of zero': [
    file({ tensors: [entry({ parameters: f32(0, 1) })] }),
    'packed: directory: tensor "w": found wp 0, expected a positive, finite number',
  ],
  'a negative scale': [
    file({ tensors: [entry({ parameters: f32(1, -1) })] }),
    'packed: directory: tensor "w": found wn -1, expected a positive, finite number',
  ],
  'a scale that is not a number': [
    file({ tensors: [entry({ parameters: f32(NaN, 1) })] }),
    'packed: directory: tensor "w": found wp NaN, expected a positive, finite number',
  ],
  'an infinite scale': [
    file({ tensors: [entry({ parameters: f32(1, Infinity) })] }),
    'packed: directory: tensor "w": found wn Infinity, expected a positive, finite number',
  ],
  'a scale that float16 does not hold': [
    file({ graph: graphBytes(emptyInitializer('w', 10)), tensors: [entry({ type: 10, parameters: f32(70000, 1) })] }),
    'packed: tensor "w": found wp 70000, wn 1, expected scales that float16 holds exactly',
  ],
  'ternary integers': [
    file({ graph: graphBytes(emptyInitializer('w', 7)), tensors: [entry({ type: 7 })] }),
    'packed: tensor "w": found element type int64 in ternary2, expected float32, float16, float64',
  ],
  'the unused code': [
    file({ data: padded(u8(0b10, 0)) }),
    'packed: tensor "w": found the unused code 10 in byte 0, expected 00, 01 or 11',
  ],
  'padding bits': [
    file({ data: padded(u8(0, 0b0100)) }),
    'packed: tensor "w": found padding bits 1 after code 4, expected zeros',
  ],
  'a tensor that the graph does not have': [
    file({ graph: NO_GRAPH_PLACE }),
    'packed: tensor "w": found no place for it in the graph, expected an empty initializer of its name',
  ],
  'a tensor that the graph has with another type': [
    file({ graph: graphBytes(emptyInitializer('w', 11)) }),
    'packed: tensor "w": found float64 of shape [0] in the graph, expected float32 of shape [0]',
  ],
  'tensors in another order than in the graph': [
    file({ ...TWO_DATA, tensors: TWO, graph: graphBytes(emptyInitializer('v', 1), emptyInitializer('w', 1)) }),
    'packed: tensor "v": found another order than in the graph, expected the order of the initializers',
  ],
}

function paddingSet(at: number): Uint8Array {
  const body = file().subarray(0, -32).slice()
  body[at < 0 ? body.length + 32 + at : at] = 1
  return sealed(body)
}

for (const [why, [bytes, message]] of Object.entries(REJECTS)) {
  test(`refused: ${why}`, () => {
    refuses(() => unpack(bytes), message)
  })
}

test('a file with an unknown encoding can still be inspected', () => {
  const [tensor] = inspectPacked(
    file({ tensors: [entry({ encoding: 77, length: 64, parameters: u8(1, 2, 3) })] }),
  ).tensors
  assert.deepEqual(tensor, {
    name: 'w',
    type: 'float32',
    dims: [5],
    encoding: 'unknown (77)',
    bytes: 64,
    isPooled: false,
    parameterBytes: 3,
    ternary: undefined,
  })
})
