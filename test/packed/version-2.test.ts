// Files of version 2: one written by hand, all that can be wrong with one, and damage of every kind.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { describe, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { TtqError } from '../../src/errors/ttq-error.js'
import { inspectPacked, pack, type PackedModel, type RestForm, unpack } from '../../src/packed/index.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
import type { TernaryWeights } from '../../src/tensor/ternary.js'
import {
  emptyInitializer,
  type Entry2,
  entry2,
  f32,
  file2,
  type FileParts2,
  gap,
  graphBytes,
  join,
  modelOf,
  refuses,
  sealed,
  text,
  u16,
  u32,
  u8,
} from './packed-files.js'
import { randomNumbers } from './random-codes.js'
import { referenceStream } from './reference-entropy.js'

// Two kernels of 3x3, the second like the first.
const CODES = Int8Array.of(1, 1, 0, -1, 0, 0, 0, 0, 0, 1, 1, 0, -1, -1, 0, 0, 0, 1)
const DIMS = [2, 1, 3, 3]
const MODEL = { zeros: Array.from({ length: 96 }, (_, i) => 100 + i), signs: Array.from({ length: 16 }, () => 160) }
const MODEL_BYTES = u8(...MODEL.zeros, ...MODEL.signs)
const STREAM = referenceStream(CODES, DIMS, MODEL)
const WEIGHTS = { codes: CODES, wp: 0.5, wn: 0.25 }
const VALUES = Float32Array.from(CODES, (code) => (code > 0 ? 0.5 : code < 0 ? -0.25 : 0))

const entropy = (options: Entry2 = {}): Uint8Array =>
  entry2({
    encoding: 5,
    place: 128,
    dims: DIMS,
    parameters: join(f32(0.5, 0.25), u16(0)),
    length: STREAM.length,
    ...options,
  })

// "b" (base 3), "e" (entropy), "h" (float16 in the pool), "r" (raw in the pool).
const FOUR: FileParts2 = {
  metadata: join(u32(6), text('method'), u32(3), text('ttq')),
  metadataCount: 1,
  models: [MODEL_BYTES],
  tensors: [
    entry2({ name: 'b' }),
    entropy({ name: 'e' }),
    entry2({ name: 'h', encoding: 2, parameters: u8(), place: 2, dims: [3], length: 6 }),
    entry2({ name: 'r', encoding: 0, parameters: u8(), place: 4, dims: [2], length: 8 }),
  ],
  graph: graphBytes(...['b', 'e', 'h', 'r'].map((name) => emptyInitializer(name, 1))),
  // 1 and -2 as float32, byte by byte from the last; then 1.5, -0 and 65504 as float16.
  planes: [u8(0x3f, 0xc0), u8(0x80, 0), u8(0, 0), u8(0, 0), u8(0x3e, 0x80, 0x7b), u8(0x00, 0x00, 0xff)],
  data: (start) => join(gap(start), u8(1 + 3 * 2 + 81), STREAM),
}
const EXPECTED: Required<PackedModel> = {
  model: modelOf([
    ['b', float32([5], [0.5, -0.25, 0, 0, 0.5])],
    ['e', float32(DIMS, VALUES)],
    ['h', float32([3], [1.5, -0, 65504])],
    ['r', float32([2], [1, -2])],
  ]),
  ternary: new Map([
    ['b', { codes: Int8Array.of(1, -1, 0, 0, 1), wp: 0.5, wn: 0.25 }],
    ['e', WEIGHTS],
  ]),
  rest: new Map<string, RestForm>([['h', { encoding: 'float16' }]]),
  metadata: { method: 'ttq' },
}

test('a file written by hand is read', () => {
  const { model, ternary, rest, metadata } = unpack(file2(FOUR))
  assert.deepEqual([...model.graph.initializers], [...EXPECTED.model.graph.initializers])
  assert.deepEqual([...ternary], [...EXPECTED.ternary])
  assert.deepEqual([...rest], [...EXPECTED.rest])
  assert.deepEqual(metadata, EXPECTED.metadata)
})

test('from a Buffer, in the middle of a larger one; nothing is shared', () => {
  const bytes = file2(FOUR)
  const around = Buffer.alloc(bytes.length + 10)
  around.set(bytes, 3)
  const { model, ternary } = unpack(around.subarray(3, 3 + bytes.length))
  around.fill(0)
  assert.deepEqual([...model.graph.initializers], [...EXPECTED.model.graph.initializers])
  assert.deepEqual([...ternary], [...EXPECTED.ternary])
})

test("the file of the format's page is that one", () => {
  const page = readFileSync(joinPath(import.meta.dirname, '../../../docs/ttq-format.md'), 'utf8')
  const dump = /## A whole file[^#]*?```\n([^`]*)```/.exec(page)?.[1] ?? ''
  const lines = dump
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
  const length = parseInt(/## A whole file \((\d+) bytes\)/.exec(page)?.[1] ?? '0')
  const bytes = new Uint8Array(length)
  for (const [at, ...values] of lines)
    bytes.set(
      values.map((value) => parseInt(value, 16)),
      parseInt(at as string, 16),
    )
  assert.deepEqual([...unpack(bytes).model.graph.initializers], [...EXPECTED.model.graph.initializers])
})

test('inspecting it', () => {
  const bytes = file2(FOUR)
  const { version, sections, tensors } = inspectPacked(bytes)
  assert.equal(version, 2)
  assert.equal(
    Object.values(sections).reduce((a, b) => a + b),
    bytes.length,
  )
  assert.deepEqual(
    tensors.map(({ name, encoding, bytes: size, isPooled, ternary }) => [name, encoding, size, isPooled, ternary]),
    [
      ['b', 'base3', 1, false, { wp: 0.5, wn: 0.25, zeros: 2, positives: 2, negatives: 1 }],
      ['e', 'entropy', STREAM.length, false, { wp: 0.5, wn: 0.25, zeros: 10, positives: 5, negatives: 3 }],
      ['h', 'float16', 6, true, undefined],
      ['r', 'raw', 8, true, undefined],
    ],
  )
})

// One plane of 20 bytes whose length says one byte more than its stream has.
const plane = new Uint8Array(deflateRawSync(new Uint8Array(20)))
const behindPlane = join(u32(plane.length + 1), plane, u8(0))

const bombed = new Uint8Array(deflateRawSync(new Uint8Array(100_000)))
const where = 'packed: directory: tensor "w": found'
const raw = (options: Entry2): Uint8Array => entry2({ encoding: 0, parameters: u8(), ...options })
/** Data sections of a stream at any place. */
const streamed = { data: (): Uint8Array => STREAM }

/** One tensor of 20 single bytes. */
const POOLED: FileParts2 = { tensors: [raw({ place: 1, length: 20 })], data: () => u8() }

const REJECTS: Record<string, [Uint8Array, string]> = {
  'a directory beyond the file': [
    file2({ lengths: { directory: [2 ** 31, 10] } }),
    /packed: header: found a directory of 2147483648 bytes, expected at most \d+/.source,
  ],
  'an inflated directory beyond what deflate can do': [
    file2({ streams: { directory: u8(3, 0) }, lengths: { directory: [2, 2065] } }),
    'packed: header: found an inflated directory of 2065 bytes, expected at most 2064',
  ],
  'an inflated graph beyond what deflate can do': [
    file2({ streams: { graph: u8(3, 0) }, lengths: { graph: [2, 2065] } }),
    'packed: header: found an inflated graph section of 2065 bytes, expected at most 2064',
  ],
  'an inflated pool beyond the limit': [
    file2({ streams: { pool: new Uint8Array(300_000) }, lengths: { pool: [300_000, 2 ** 28 + 1] } }),
    'packed: header: found an inflated pool of 268435457 bytes, expected at most 268435456',
  ],
  'a bomb for a directory': [
    file2({ streams: { directory: bombed }, lengths: { directory: [bombed.length, 100] } }),
    'packed: directory: found more inflated bytes, expected 100 bytes',
  ],
  'a bomb for a graph': [
    file2({ streams: { graph: bombed }, lengths: { graph: [bombed.length, 100] } }),
    'packed: graph section: found more inflated bytes, expected 100 bytes',
  ],
  'a bomb for a pool': [
    file2({
      tensors: [raw({ place: 1, length: 20 })],
      streams: { pool: join(u32(bombed.length), bombed) },
      lengths: { pool: [bombed.length + 4, 20] },
      data: () => u8(),
    }),
    'packed: pool: plane 0: found more inflated bytes, expected 20 bytes',
  ],
  'a pool of nothing that has bytes': [
    file2({ streams: { pool: bombed }, lengths: { pool: [bombed.length, 0] } }),
    `packed: pool: found ${bombed.length} bytes behind the last plane, expected none`,
  ],
  'a pool without the lengths of its planes': [
    file2({ ...POOLED, streams: { pool: u8(1, 2, 3) }, lengths: { pool: [3, 20] } }),
    'packed: pool: found 3 bytes left, expected 4 for the length of plane 0',
  ],
  'a plane beyond the pool': [
    file2({ ...POOLED, streams: { pool: join(u32(2 ** 31), u8(1, 2, 3)) }, lengths: { pool: [7, 20] } }),
    'packed: pool: found 3 bytes left, expected 2147483648 for plane 0',
  ],
  'a plane that is not deflated': [
    file2({ ...POOLED, streams: { pool: join(u32(3), u8(0xff, 0xff, 0xff)) }, lengths: { pool: [7, 20] } }),
    'packed: pool: plane 0: found bytes that are not a deflate stream, expected 20 bytes',
  ],
  'a plane of less than its elements': [
    file2({ ...POOLED, planes: [new Uint8Array(19)], lengths: { pool: [9, 20] } }),
    'packed: pool: plane 0: found 19 inflated bytes, expected 20 bytes',
  ],
  'bytes behind a plane': [
    file2({ ...POOLED, streams: { pool: behindPlane }, lengths: { pool: [behindPlane.length, 20] } }),
    'packed: pool: plane 0: found bytes behind the stream, expected none',
  ],
  'a directory that is not deflated': [
    file2({ streams: { directory: u8(0xff, 0xff, 0xff) }, lengths: { directory: [3, 50] } }),
    'packed: directory: found bytes that are not a deflate stream, expected 50 bytes',
  ],
  'sections that do not fill the file': [
    file2({ dataLength: 0 }),
    /packed: header: found sections that take \d+ bytes, expected the file's \d+/.source,
  ],
  'huge counts': [
    file2({ metadataCount: 0xffffffff, tensorCount: 0xffffffff }),
    'packed: directory: found 4294967295 metadata pairs and 4294967295 tensors in 32 bytes, expected at least ' +
      '107374182375 bytes for them',
  ],
  'more models than there are': [
    file2({ modelCount: 65535 }),
    'packed: directory: found 30 bytes left, expected 112 for model 0',
  ],
  'a model by which zero is impossible': [
    file2({ models: [join(u8(1, 0), MODEL_BYTES.subarray(2))] }),
    'packed: directory: model 0: found probability 0 in context 1, expected 1 to 255',
  ],
  'a model that is not there': [
    file2({ tensors: [entropy()], ...streamed }),
    `${where} model 0, expected less than 0, the file's models`,
  ],
  'a model beyond the last': [
    file2({ models: [MODEL_BYTES], tensors: [entropy({ parameters: join(f32(1, 1), u16(1)) })], ...streamed }),
    `${where} model 1, expected less than 1, the file's models`,
  ],
  'parameters of another encoding': [
    file2({ models: [MODEL_BYTES], tensors: [entropy({ parameters: f32(1, 1) })], ...streamed }),
    `${where} 8 parameter bytes, expected 10 for entropy`,
  ],
  'a scale of entropy-coded codes': [
    file2({ models: [MODEL_BYTES], tensors: [entropy({ parameters: join(f32(NaN, 1), u16(0)) })], ...streamed }),
    `${where} wp NaN, expected a positive, finite number`,
  ],
  'a scale of base 3': [
    file2({ tensors: [entry2({ parameters: f32(1, 0) })] }),
    `${where} wn 0, expected a positive, finite number`,
  ],
  'entropy-coded integers': [
    file2({
      models: [MODEL_BYTES],
      tensors: [entropy({ type: 7 })],
      graph: graphBytes(emptyInitializer('w', 7)),
      ...streamed,
    }),
    'packed: tensor "w": found element type int64 in entropy, expected float32, float16, float64',
  ],
  'a place that there is not': [
    file2({ tensors: [entry2({ place: 3 })] }),
    `${where} place 3, expected 0, 128 or 1, 2, 4, 8, 16`,
  ],
  'part of an element in the pool': [
    file2({ tensors: [raw({ place: 8, length: 20 })] }),
    `${where} 20 bytes in the pool, expected a multiple of 8`,
  ],
  'a tensor beyond the pool': [
    file2({ tensors: [raw({ place: 4, length: 20 })], planes: [new Uint8Array(16)] }),
    `${where} 20 bytes, expected at most 16, the rest of the pool`,
  ],
  'a pool that is not filled': [
    file2({ tensors: [raw({ place: 4, length: 20 })], planes: [new Uint8Array(24)], data: () => u8() }),
    'packed: directory: found tensors that fill 20 bytes, expected 24, the whole pool',
  ],
  'a tensor beyond the data section': [
    file2({ tensors: [entry2({ dims: [10_000], length: 2000 })] }),
    /packed: directory: tensor "w": found 2000 bytes, expected at most 1, the rest of the data section/.source,
  ],
  'an aligned tensor beyond the data section': [
    file2({ data: () => u8() }),
    `${where} 1 bytes, expected at most 0, the rest of the data section`,
  ],
  'a data section that is not filled': [
    file2({ data: (start) => join(gap(start), u8(88, 0)) }),
    /packed: directory: found tensors that fill \d+ bytes, expected \d+, the whole data section/.source,
  ],
  'padding before an aligned tensor': [
    file2({ data: (start) => join(gap(start).fill(1), u8(88)) }),
    'packed: data section: found padding that is not zero, expected zeros up to the next multiple of 64',
  ],
  'padding between tensors': [
    file2({
      models: [MODEL_BYTES],
      tensors: [entropy(), entry2({ name: 'v' })],
      graph: graphBytes(emptyInitializer('w', 1), emptyInitializer('v', 1)),
      data: (start) => join(STREAM, gap(start + STREAM.length).fill(1), u8(88)),
    }),
    'packed: tensor "w": found padding that is not zero, expected zeros up to the next multiple of 64',
  ],
  'more weights than the file has bytes for': [
    file2({ models: [MODEL_BYTES], tensors: [entropy({ dims: [2 ** 20, 2 ** 20] })], ...streamed }),
    /packed: directory: found tensors that take 6597069766656 bytes in memory, expected at most \d+, 64 times the file/
      .source,
  ],
  'pooled values that take more than the file has bytes for': [
    file2({
      tensors: [entry2({ encoding: 2, parameters: u8(), place: 2, dims: [100_000], length: 200_000 })],
      planes: [new Uint8Array(100_000), new Uint8Array(100_000)],
      data: () => u8(),
    }),
    /packed: directory: found tensors that take 600000 bytes in memory, expected at most \d+, 64 times the file/.source,
  ],
  'a product of dimensions that overflows, of an encoding that nobody knows': [
    file2({ tensors: [entry2({ encoding: 77, dims: [2 ** 31, 2 ** 31, 4, 5] })] }),
    `${where} shape [2147483648,2147483648,4,5], expected less than 2^53 elements`,
  ],
  'a base 3 length that does not fit the shape': [
    file2({ tensors: [entry2({ dims: [6] })] }),
    `${where} 1 bytes, expected 2 for float32 of shape [6] in base3`,
  ],
  'an unused number of base 3': [
    file2({ data: (start) => join(gap(start), u8(243)) }),
    'packed: tensor "w": found byte 243 at 0, expected at most 242',
  ],
  'a digit too many of base 3': [
    file2({ tensors: [entry2({ dims: [4] })] }),
    'packed: tensor "w": found digits behind code 3 that are not 0, expected zeros',
  ],
  'a stream that is cut': [
    file2({
      models: [MODEL_BYTES],
      tensors: [entropy({ length: STREAM.length - 2 })],
      data: () => STREAM.subarray(0, -2),
    }),
    /packed: tensor "w": found \d+ bytes that end before weight 9, expected 18 weights in them/.source,
  ],
  'a stream that goes on': [
    file2({
      models: [MODEL_BYTES],
      tensors: [entropy({ length: STREAM.length + 2 })],
      data: () => join(STREAM, u8(0, 0)),
    }),
    'packed: tensor "w": found 2 bytes behind the last weight, expected none',
  ],
  'a state that none is': [
    file2({ models: [MODEL_BYTES], tensors: [entropy()], data: () => join(u32(0), STREAM.subarray(4)) }),
    'packed: tensor "w": found state 0, expected 32768 to 2147483647',
  ],
  'an unknown encoding': [
    file2({ tensors: [entry2({ encoding: 77 })] }),
    'packed: tensor "w": found encoding 77, expected 0 (raw), 1 (ternary2), 2 (float16), 3 (int8), 4 (base3) or 5 ' +
      '(entropy) in format version 2 as this ttq knows it',
  ],
  'a tensor that the graph does not have': [
    file2({ graph: graphBytes() }),
    'packed: tensor "w": found no place for it in the graph, expected an empty initializer of its name',
  ],
}

describe('refused', () => {
  for (const [why, [bytes, message]] of Object.entries(REJECTS)) {
    test(why, () => {
      if (!message.includes('\\d')) refuses(() => unpack(bytes), message)
      else
        assert.throws(
          () => unpack(bytes),
          (error) =>
            error instanceof TtqError && error.code === 'packed' && new RegExp(`^${message}$`).test(error.message),
        )
    })
  }
})

test('bytes behind the last tensor are zero, and as many as its memory asks for', () => {
  // 6 bytes for each of 100,000 weights that are all 0, a 64th of them in the file.
  const dims = [100, 1000]
  const codes = new Int8Array(100_000)
  const zeros = { zeros: Array.from({ length: 96 }, () => 255), signs: Array.from({ length: 16 }, () => 0) }
  const stream = referenceStream(codes, dims, zeros)
  const parts = (more: number, fill = 0): FileParts2 => ({
    models: [u8(...zeros.zeros, ...zeros.signs)],
    tensors: [entropy({ dims, length: stream.length })],
    data: (start) => join(stream, new Uint8Array(600_000 / 64 - start - 32 - stream.length + more).fill(fill)),
  })
  assert.equal(file2(parts(0)).length, 600_000 / 64)
  assert.deepEqual(unpack(file2(parts(0))).ternary.get('w')?.codes, codes)
  assert.throws(() => unpack(file2(parts(-1))), /tensors that take 600000 bytes in memory, expected at most 599936/)
  assert.throws(() => unpack(file2(parts(1))), /tensors that fill \d+ bytes, expected \d+, the whole data section/)
  assert.throws(() => unpack(file2(parts(0, 1))), /tensor "w": found padding that is not zero/)
  const packed = pack({
    model: modelOf([['w', float32(dims, new Float32Array(100_000))]]),
    ternary: new Map([['w', { codes, wp: 1, wn: 1 }]]),
    metadata: {},
  })
  assert.equal(packed.length, 600_000 / 64)
})

const SMALL = file2(FOUR)

test('cut anywhere, or with bytes behind it, a file is refused', () => {
  for (let length = 0; length < SMALL.length; length++)
    assert.throws(() => unpack(SMALL.subarray(0, length)), TtqError, `${length} bytes`)
  assert.throws(() => unpack(join(SMALL, u8(0))), TtqError)
})

test('every flipped bit is noticed', () => {
  for (let bit = 0; bit < SMALL.length * 8; bit++) {
    const flipped = SMALL.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(
      () => unpack(flipped),
      (error) => error instanceof TtqError && error.code === 'packed',
      `bit ${bit}`,
    )
  }
})

/** Reads damage under a digest that fits; what is read must be a network like any other. */
function readsOrRefuses(body: Uint8Array, what: string): boolean {
  try {
    const packed = unpack(sealed(body))
    const again = unpack(pack(packed))
    assert.deepEqual([...again.ternary], [...packed.ternary], what)
    assert.deepEqual([...again.model.graph.initializers], [...packed.model.graph.initializers], what)
    inspectPacked(sealed(body))
    return true
  } catch (error) {
    assert.ok(error instanceof TtqError && error.code === 'packed', `${what}: ${String(error)}`)
    return false
  }
}

test('every byte changed under a digest that fits gives a model or a TtqError', () => {
  const body = SMALL.subarray(0, -32)
  let read = 0
  for (let at = 0; at < body.length; at++) {
    for (const change of [0x01, 0x80, 0xff]) {
      const changed = body.slice()
      changed[at]! ^= change
      if (readsOrRefuses(changed, `byte ${at} ^ ${change}`)) read++
    }
  }
  assert.ok(read > 5, 'changed codes of base 3 are still files')
})

test('every byte of the sections changed before they are deflated gives a model or a TtqError', () => {
  const directory = join(FOUR.metadata!, u16(1), MODEL_BYTES, ...FOUR.tensors!)
  const sections = { directory, graph: FOUR.graph! }
  let read = 0
  for (const [name, plain] of Object.entries(sections)) {
    for (let at = 0; at < plain.length; at++) {
      for (const change of [0x01, 0x10, 0x80, 0xff]) {
        const changed = plain.slice()
        changed[at]! ^= change
        const stream = new Uint8Array(deflateRawSync(changed))
        const file = file2({
          ...FOUR,
          streams: { [name]: stream },
          lengths: { [name]: [stream.length, plain.length] },
        })
        if (readsOrRefuses(file.subarray(0, -32), `${name}: byte ${at} ^ ${change}`)) read++
      }
    }
  }
  FOUR.planes?.forEach((plane, i) => {
    for (let at = 0; at < plane.length; at++) {
      const changed = plane.map((byte, index) => (index === at ? byte ^ 0x41 : byte))
      const planes = FOUR.planes!.map((each, index) => (index === i ? changed : each))
      if (readsOrRefuses(file2({ ...FOUR, planes }).subarray(0, -32), `plane ${i}: byte ${at}`)) read++
    }
  })
  assert.ok(read > 20, 'changed probabilities of contexts that do not occur, letters and values are still files')
})

test('random shapes, codes and scales come back in every encoding, denormal scales included', () => {
  const random = randomNumbers(77)
  const whole = (below: number): number => Math.floor(random() * below)
  const scales = [2 ** -149, 2 ** -130, 2 ** -126, 0.1, 1, 3.4e38].map(Math.fround)
  for (let round = 0; round < 60; round++) {
    const ternary = new Map<string, TernaryWeights>()
    const initializers: [string, Tensor][] = []
    for (let i = 0; i < 4; i++) {
      const dims = Array.from({ length: whole(6) }, () => whole(7))
      const zeros = [0, 0.5, 0.9, 1][whole(4)]!
      const codes = Int8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () =>
        random() < zeros ? 0 : random() < 0.5 ? 1 : -1,
      )
      const [wp, wn] = [scales[whole(6)]!, scales[whole(6)]!]
      ternary.set(`t${i}`, { codes, wp, wn })
      const values = Array.from(codes, (code) => (code > 0 ? wp : code < 0 ? -wn : 0))
      initializers.push([
        `t${i}`,
        random() < 0.7 ? float32(dims, values) : { type: 'float64', dims, data: Float64Array.from(values) },
      ])
    }
    const packed = { model: modelOf(initializers), ternary, metadata: {} }
    for (const encoding of ['auto', 'entropy', 'base3', '2bit'] as const) {
      const bytes = pack(packed, { encoding })
      const back = unpack(bytes)
      assert.deepEqual([...back.ternary], [...ternary], `round ${round}, ${encoding}`)
      assert.deepEqual([...back.model.graph.initializers], initializers, `round ${round}, ${encoding}`)
      const found = new Set(inspectPacked(bytes).tensors.map((tensor) => tensor.encoding))
      if (encoding !== 'auto') assert.deepEqual([...found], [encoding === '2bit' ? 'ternary2' : encoding])
    }
  }
})

test('auto is the smallest for each tensor', () => {
  const random = randomNumbers(5)
  const tensor = (dims: number[], zeros: number): [Tensor, TernaryWeights] => {
    const codes = Int8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () =>
      random() < zeros ? 0 : random() < 0.5 ? 1 : -1,
    )
    return [float32(dims, Float32Array.from(codes)), { codes, wp: 1, wn: 1 }]
  }
  // Codes of which a third each are zeros have no more than 1.585 bits in them, and a few have no use for states.
  const tensors = { sparse: tensor([64, 64, 3, 3], 0.7), few: tensor([3], 0.4) }
  const packed: PackedModel = {
    model: modelOf(Object.entries(tensors).map(([name, [values]]) => [name, values])),
    ternary: new Map(Object.entries(tensors).map(([name, [, weights]]) => [name, weights])),
    metadata: {},
  }
  assert.deepEqual(
    inspectPacked(pack(packed)).tensors.map(({ encoding }) => encoding),
    ['entropy', 'base3'],
  )
  const sizes = (['auto', 'entropy', 'base3', '2bit'] as const).map((encoding) => pack(packed, { encoding }).length)
  assert.deepEqual([...sizes].sort((a, b) => a - b)[0], sizes[0])
})

test('tensors whose layers differ have probabilities of their own, like ones share them', () => {
  const random = randomNumbers(6)
  const layer = (zeros: number): [Tensor, TernaryWeights] => {
    const codes = Int8Array.from({ length: 36_864 }, () => (random() < zeros ? 0 : random() < 0.5 ? 1 : -1))
    return [float32([64, 64, 3, 3], Float32Array.from(codes)), { codes, wp: 1, wn: 1 }]
  }
  const modelsOf = (shares: readonly number[]): number => {
    const layers = shares.map(layer)
    const bytes = pack({
      model: modelOf(layers.map(([values], i) => [`w${i}`, values])),
      ternary: new Map(layers.map(([, weights], i) => [`w${i}`, weights])),
      metadata: {},
    })
    const { lengths } = { lengths: new DataView(bytes.buffer).getUint32(36, true) }
    // The directory without models: their number, and an entry of 17 + 16 + 10 + 2 bytes for each tensor.
    return (lengths - 2 - 45 * shares.length) / 112
  }
  assert.equal(modelsOf([0.5, 0.5, 0.5, 0.5]), 1)
  assert.equal(modelsOf([0.5, 0.5, 0.5, 0.9]), 2)
})
