// Full-precision tensors in fewer bits: encodings float16 and int8, from the bytes of a file written by hand to every
// way they can be wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { TtqError } from '../../src/errors/ttq-error.js'
import {
  inspectPacked,
  int8Tensor,
  pack,
  type PackedModel,
  quantizeInt8,
  type RestForm,
  roundToFloat16,
  unpack,
} from '../../src/packed/index.js'
import { float16ToNumber } from '../../src/tensor/float-values.js'
import { float32, type Tensor } from '../../src/tensor/tensor.js'
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
import { randomNumbers } from './random-codes.js'

// "h" of shape [3] as float16: 1.5, -0, 65504; "q" of shape [2,3] as int8 with one scale per column.
function handWritten(): Uint8Array {
  const model = graphBytes(emptyInitializer('h', 1), emptyInitializer('q', 1))
  const graph = new Uint8Array(deflateRawSync(model))
  const directory = join(
    u32(1),
    u8(1), // tensor 0: name length; element type float32
    u8(2), //                   encoding: float16
    u8(1),
    u8(0), //            rank; parameter bytes
    u64(0),
    u64(6), //          offset; length
    u32(3), //                  dims
    text('h'),
    u32(1),
    u8(1), // tensor 1: name length; element type float32
    u8(3), //                   encoding: int8
    u8(2),
    u8(1), //            rank; parameter bytes
    u64(64),
    u64(18), //        offset; length: three scales, six codes
    u32(2),
    u32(3), //          dims
    u8(1), //                   axis
    text('q'),
  )
  const body = join(
    u8(0x89, 0x54, 0x54, 0x51, 0x0d, 0x0a, 0x1a, 0x0a),
    u32(1),
    u32(0),
    u64(64 + 64 + Math.ceil(graph.length / 64) * 64 + 128 + 32),
    u32(0),
    u32(2),
    u64(directory.length),
    u64(graph.length),
    u64(model.length),
    u64(128),
    padded(directory),
    padded(graph),
    padded(u8(0x00, 0x3e, 0x00, 0x80, 0xff, 0x7b)), //             1.5, -0, 65504
    padded(
      join(
        u8(0, 0, 0, 0x3f),
        u8(0, 0, 0x80, 0x3d),
        u8(0, 0, 0, 0x40), // 0.5, 0.0625, 2
        u8(2, 0xff, 0x7f, 0x81, 0, 0x80 + 4), //                       2 -1 127 | -127 0 -124
      ),
    ),
  )
  assert.equal(directory.length, 63)
  return join(body, sha256(body))
}

const INT8 = {
  encoding: 'int8',
  axis: 1,
  scales: Float32Array.of(0.5, 0.0625, 2),
  codes: Int8Array.of(2, -1, 127, -127, 0, -124),
} as const
const EXPECTED: Required<PackedModel> = {
  model: modelOf([
    ['h', float32([3], [1.5, -0, 65504])],
    ['q', float32([2, 3], [1, -0.0625, 254, -63.5, 0, -248])],
  ]),
  ternary: new Map(),
  rest: new Map<string, RestForm>([
    ['h', { encoding: 'float16' }],
    ['q', INT8],
  ]),
  metadata: {},
}

test('a file written by hand is read', () => {
  const { model, ternary, rest } = unpack(handWritten())
  assert.deepEqual([...model.graph.initializers], [...EXPECTED.model.graph.initializers])
  assert.deepEqual([...rest], [...EXPECTED.rest])
  assert.equal(ternary.size, 0)
})

test('inspecting it', () => {
  assert.deepEqual(inspectPacked(handWritten()).tensors, [
    {
      name: 'h',
      type: 'float32',
      dims: [3],
      encoding: 'float16',
      bytes: 6,
      isPooled: false,
      parameterBytes: 0,
      ternary: undefined,
    },
    {
      name: 'q',
      type: 'float32',
      dims: [2, 3],
      encoding: 'int8',
      bytes: 18,
      isPooled: false,
      parameterBytes: 1,
      ternary: undefined,
    },
  ])
})

test('from a Buffer, whose slice is a view, too; nothing is shared', () => {
  const raw = float32([300], new Float32Array(300).fill(1))
  const bytes = Buffer.from(pack({ ...EXPECTED, model: modelOf([...EXPECTED.model.graph.initializers, ['r', raw]]) }))
  const { model, rest } = unpack(bytes)
  bytes.fill(0)
  assert.deepEqual([...rest], [...EXPECTED.rest])
  assert.deepEqual([...model.graph.initializers], [...EXPECTED.model.graph.initializers, ['r', raw]])
})

test('cut anywhere, a file is refused', () => {
  const bytes = handWritten()
  for (let length = 0; length < bytes.length; length++) {
    const expected = length < 96 ? 'at least 96 of a .ttq file' : `${bytes.length} as its header says`
    refuses(() => unpack(bytes.subarray(0, length)), `packed: found ${length} bytes, expected ${expected}`)
  }
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

test('every byte changed under a digest that fits gives a model that packs to the same, or a TtqError', () => {
  const body = handWritten().subarray(0, -32)
  let read = 0
  for (let at = 0; at < body.length; at++) {
    for (let change = 1; change < 256; change += at < body.length - 128 ? 127 : 14) {
      const changed = body.slice()
      changed[at]! ^= change
      try {
        const packed = unpack(sealed(changed))
        read++
        const again = unpack(pack(packed))
        assert.deepEqual([...again.rest], [...packed.rest], `byte ${at} ^ ${change}`)
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
  assert.ok(read > 300, `${read} changes of values, scales and codes are still files`)
})

const half = (options: object = {}): Uint8Array =>
  entry({ encoding: 2, dims: [3], length: 6, parameters: u8(), ...options })
const eight = (options: object = {}): Uint8Array =>
  entry({ encoding: 3, dims: [2, 3], length: 18, parameters: u8(1), ...options })
const scales = (...values: number[]): Uint8Array => padded(join(f32(...values), u8(1, 2, 3, 4, 5, 6)))
const ofType = (number: number): Uint8Array => graphBytes(emptyInitializer('w', number))

test('the files that the reject cases vary are legal', () => {
  assert.deepEqual(
    unpack(file({ tensors: [half()], data: padded(u8(0, 0x3c, 0, 0, 0, 0)) })).model.graph.initializers.get('w')?.data,
    Float32Array.of(1, 0, 0),
  )
  assert.deepEqual(
    unpack(file({ tensors: [eight()], data: scales(1, 2, 3) })).model.graph.initializers.get('w')?.data,
    Float32Array.of(1, 4, 9, 4, 10, 18),
  )
})

const REFUSED: Record<string, [Uint8Array, string]> = {
  'float16 of another length': [
    file({ tensors: [half({ length: 12 })] }),
    'packed: directory: tensor "w": found 12 bytes, expected 6 for float32 of shape [3] in float16',
  ],
  'float16 with parameters': [
    file({ tensors: [half({ parameters: u8(0) })] }),
    'packed: directory: tensor "w": found 1 parameter bytes, expected 0 for float16',
  ],
  'an infinite float16': [
    file({ tensors: [half()], data: padded(u8(0, 0x3c, 0, 0xfc, 0, 0)) }),
    'packed: tensor "w": found -Infinity at index 1, expected a finite float16',
  ],
  'a float16 that is not a number': [
    file({ tensors: [half()], data: padded(u8(1, 0x7c, 0, 0, 0, 0)) }),
    'packed: tensor "w": found NaN at index 0, expected a finite float16',
  ],
  'float16 in float16': [
    file({ tensors: [half({ type: 10 })], graph: ofType(10) }),
    'packed: tensor "w": found element type float16 in float16, expected float32, float64',
  ],
  'int8 of another length': [
    file({ tensors: [eight({ length: 14 })] }),
    'packed: directory: tensor "w": found 14 bytes, expected 18 for float32 of shape [2,3] in int8',
  ],
  'int8 without an axis': [
    file({ tensors: [eight({ parameters: u8() })] }),
    'packed: directory: tensor "w": found 0 parameter bytes, expected 1 for int8',
  ],
  'an axis beyond the rank': [
    file({ tensors: [eight({ parameters: u8(2) })] }),
    'packed: directory: tensor "w": found axis 2, expected less than its rank 2',
  ],
  'an axis of a scalar': [
    file({ tensors: [eight({ dims: [], parameters: u8(0) })] }),
    'packed: directory: tensor "w": found axis 0, expected less than its rank 0',
  ],
  'int8 of integers': [
    file({ tensors: [eight({ type: 6 })], graph: ofType(6) }),
    'packed: tensor "w": found element type int32 in int8, expected float32, float16, float64',
  ],
  'a scale of zero': [
    file({ tensors: [eight()], data: scales(1, 0, 1) }),
    'packed: tensor "w": found scale 0 of channel 1, expected a positive number, 127 times it finite in float32',
  ],
  'a negative scale': [
    file({ tensors: [eight()], data: scales(1, 1, -1) }),
    'packed: tensor "w": found scale -1 of channel 2, expected a positive number, 127 times it finite in float32',
  ],
  'a scale that is not a number': [
    file({ tensors: [eight()], data: scales(NaN, 1, 1) }),
    'packed: tensor "w": found scale NaN of channel 0, expected a positive number, 127 times it finite in float32',
  ],
  'a scale whose weights overflow': [
    file({ tensors: [eight()], data: scales(2 ** 122, 1, 1) }),
    `packed: tensor "w": found scale ${2 ** 122} of channel 0, expected a positive number, 127 times it finite ` +
      'in float32',
  ],
  'a scale whose weights overflow float16': [
    file({ tensors: [eight({ type: 10 })], graph: ofType(10), data: scales(1, 516, 1) }),
    'packed: tensor "w": found scale 516 of channel 1, expected a positive number, 127 times it finite in float16',
  ],
  'the unused code': [
    file({ tensors: [eight()], data: padded(join(f32(1, 1, 1), u8(0, 0, 0, 0x80, 0, 0))) }),
    'packed: tensor "w": found the unused code -128 at index 3, expected -127 to 127',
  ],
}

for (const [why, [bytes, message]] of Object.entries(REFUSED)) {
  test(`refused: ${why}`, () => {
    refuses(() => unpack(bytes), message)
  })
}

const Q = EXPECTED.model.graph.initializers.get('q') as Tensor
const only = (tensor: Tensor | undefined, form: RestForm): PackedModel => ({
  model: modelOf(tensor === undefined ? [] : [['w', tensor]]),
  ternary: new Map(),
  rest: new Map([['w', form]]),
  metadata: {},
})
const where = 'packed: tensor "w": found'

const NOT_PACKED: Record<string, [() => PackedModel, string]> = {
  'a tensor that is not there': [
    () => only(undefined, { encoding: 'float16' }),
    `${where} no such initializer, expected one of the graph`,
  ],
  'integers as float16': [
    () => only({ type: 'int8', dims: [1], data: Int8Array.of(1) }, { encoding: 'float16' }),
    `${where} element type int8 in float16, expected float32, float64`,
  ],
  'a value that float16 does not hold': [
    () => only(float32([2], [1, 0.1]), { encoding: 'float16' }),
    `${where} value 0.10000000149011612 at index 1, expected one that float16 holds exactly`,
  ],
  'a value beyond float16': [
    () => only(float32([1], [65536]), { encoding: 'float16' }),
    `${where} value 65536 at index 0, expected one that float16 holds exactly`,
  ],
  'an infinite value': [
    () => only(float32([1], [-Infinity]), { encoding: 'float16' }),
    `${where} value -Infinity at index 0, expected one that float16 holds exactly`,
  ],
  'integers as int8': [
    () => only({ type: 'int8', dims: [2, 3], data: new Int8Array(6) }, INT8),
    `${where} element type int8 in int8, expected float32, float16, float64`,
  ],
  'an axis that is not there': [() => only(Q, { ...INT8, axis: 2 }), `${where} axis 2, expected one of its 2 axes`],
  'too few scales': [
    () => only(Q, { ...INT8, scales: Float32Array.of(1, 1) }),
    `${where} 6 codes and 2 scales, expected 6 and 3 for shape [2,3] and axis 1`,
  ],
  'too few codes': [
    () => only(Q, { ...INT8, codes: Int8Array.of(1, 1) }),
    `${where} 2 codes and 3 scales, expected 6 and 3 for shape [2,3] and axis 1`,
  ],
  'a scale of zero': [
    () => only(Q, { ...INT8, scales: Float32Array.of(1, 0, 1) }),
    `${where} scale 0 of channel 1, expected a positive number, 127 times it finite in float32`,
  ],
  'the code -128': [
    () => only(Q, { ...INT8, codes: Int8Array.of(1, 1, 1, 1, 1, -128) }),
    `${where} code -128 at index 5, expected -127 to 127`,
  ],
  'values that are not the decoded ones': [
    () => only(float32([2, 3], [1, -0.0625, 254, -63.5, -0, -248]), INT8),
    `${where} value -0 at index 4, expected 0, the value of code 0`,
  ],
  'two forms of one tensor': [
    () => ({
      ...only(float32([1], [1]), { encoding: 'float16' }),
      ternary: new Map([['w', { codes: Int8Array.of(1), wp: 1, wn: 1 }]]),
    }),
    `${where} ternary codes and float16, expected one of them`,
  ],
}

for (const [why, [packed, message]] of Object.entries(NOT_PACKED)) {
  test(`not packed: ${why}`, () => {
    refuses(() => pack(packed()), message)
  })
}

test('rounding to float16: nearest, ties to even; what does not fit is left alone', () => {
  const rounded = roundToFloat16(float32([5], [1 + 2 ** -11, 1 + 3 * 2 ** -11, 0.1, 2 ** -26, -65504]))
  assert.deepEqual(rounded, float32([5], [1, 1 + 2 ** -9, 0.0999755859375, 0, -65504]))
  for (const value of [65520, -1e6, Infinity, NaN])
    assert.equal(roundToFloat16(float32([2], [1, value])), undefined, String(value))
})

test('every float16 comes back from a file', () => {
  const finite = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => (bits & 0x7c00) !== 0x7c00)
  const tensor = float32([finite.length], finite.map(float16ToNumber))
  const back = unpack(pack(only(tensor, { encoding: 'float16' }))).model.graph.initializers.get('w')
  assert.ok(back?.data.every((value, i) => Object.is(value, tensor.data[i])))
})

test('int8 along every axis: half a step of error at most, the largest weight of a channel is kept', () => {
  const random = randomNumbers(8)
  const dims = [3, 4, 5]
  const tensor = float32(
    dims,
    Float32Array.from({ length: 60 }, () => (random() - 0.5) * 10 ** Math.floor(random() * 6)),
  )
  for (const axis of [0, 1, 2]) {
    const weights = quantizeInt8(tensor, axis)
    assert.ok(weights !== undefined)
    const values = int8Tensor('float32', dims, weights).data
    const stride = [20, 5, 1][axis] as number
    const largest = new Float64Array(dims[axis] as number)
    for (let i = 0; i < 60; i++) {
      const channel = Math.floor(i / stride) % (dims[axis] as number)
      const [value, scale] = [tensor.data[i] as number, weights.scales[channel] as number]
      assert.ok(Math.abs((values[i] as number) - value) <= scale * 0.5001, `axis ${axis}, element ${i}`)
      largest[channel] = Math.max(largest[channel] as number, Math.abs(weights.codes[i] as number))
    }
    assert.deepEqual([...new Set(largest)], [127], `axis ${axis}`)
  }
})

test('int8 of channels of zeros, of the smallest numbers and of what is not finite', () => {
  assert.deepEqual(quantizeInt8(float32([2, 2], [0, -0, 3, -1]), 0), {
    codes: Int8Array.of(0, 0, 127, -42),
    scales: Float32Array.of(1, 3 / 127),
    axis: 0,
  })
  const tiny = quantizeInt8(float32([1, 2], [2 ** -149, -(2 ** -142)]), 0)
  assert.deepEqual(tiny, { codes: Int8Array.of(1, -127), scales: Float32Array.of(2 ** -149), axis: 0 })
  for (const value of [NaN, Infinity]) assert.equal(quantizeInt8(float32([1, 2], [1, value]), 0), undefined)
})
