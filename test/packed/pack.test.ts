import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspectPacked, int8Tensor, pack, type PackedModel, type RestForm, unpack } from '../../src/packed/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import type { TernaryWeights } from '../../src/tensor/ternary.js'
import { modelOf, onlyTernary, plain, refuses } from './packed-files.js'
import { randomCodes, randomNumbers } from './random-codes.js'

const SCALES_F16 = [
  [0.5, 0x3800],
  [1, 0x3c00],
  [1.5, 0x3e00],
  [65504, 0x7bff],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [1023 * 2 ** -24, 0x03ff],
] as const

// The values are spelt out here once more, so that decoding is checked against something else than itself.
function ternaryTensor(type: 'float32' | 'float64', dims: number[], { codes, wp, wn }: TernaryWeights): Tensor {
  const values = Array.from(codes, (code) => (code === 1 ? wp : code === -1 ? -wn : 0))
  const data = type === 'float32' ? Float32Array.from(values) : Float64Array.from(values)
  return { type, dims, data }
}

function randomPacked(seed: number): Required<PackedModel> {
  const random = randomNumbers(seed)
  const whole = (below: number): number => Math.floor(random() * below)
  const initializers: [string, Tensor][] = []
  const ternary = new Map<string, TernaryWeights>()
  const rest = new Map<string, RestForm>()
  for (let i = 0, count = whole(8); i < count; i++) {
    const dims = Array.from({ length: whole(5) }, () => whole(7))
    const size = dims.reduce((a, b) => a * b, 1)
    const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => whole(256))
    const name = `tensor ${i} ${['', 'é', '\ufeff', '層/0', '😀'][whole(5)]}`
    switch (whole(9)) {
      case 0: {
        const weights = {
          codes: randomCodes(random, size),
          wp: Math.fround(random() + 0.01),
          wn: Math.fround(random() + 0.01),
        }
        ternary.set(name, weights)
        initializers.push([name, ternaryTensor(random() < 0.5 ? 'float32' : 'float64', dims, weights)])
        break
      }
      case 1: {
        const [wp, wpBits] = SCALES_F16[whole(SCALES_F16.length)] ?? SCALES_F16[0]
        const [wn, wnBits] = SCALES_F16[whole(SCALES_F16.length)] ?? SCALES_F16[0]
        const codes = randomCodes(random, size)
        ternary.set(name, { codes, wp, wn })
        initializers.push([
          name,
          {
            type: 'float16',
            dims,
            data: Uint16Array.from(codes, (code) => (code === 1 ? wpBits : code === -1 ? 0x8000 | wnBits : 0)),
          },
        ])
        break
      }
      case 2:
        initializers.push([name, { type: 'float32', dims, data: new Float32Array(bytes(4 * size).buffer) }])
        break
      case 3:
        initializers.push([name, { type: 'int64', dims, data: new BigInt64Array(bytes(8 * size).buffer) }])
        break
      case 4:
        initializers.push([name, { type: 'int4', dims, data: bytes(Math.ceil(size / 2)) }])
        break
      case 6: {
        const type = random() < 0.5 ? 'float32' : 'float64'
        const values = Array.from({ length: size }, () => (whole(4096) - 2048) * 2 ** (whole(30) - 25))
        rest.set(name, { encoding: 'float16' })
        initializers.push([
          name,
          { type, dims, data: type === 'float32' ? Float32Array.from(values) : Float64Array.from(values) },
        ])
        break
      }
      case 7: {
        const shape = [...dims, 1 + whole(3)]
        const axis = whole(shape.length)
        const scales = Float32Array.from({ length: shape[axis] as number }, () => random() + 2 ** -140)
        const codes = Int8Array.from({ length: size * (shape.at(-1) as number) }, () => whole(255) - 127)
        rest.set(name, { encoding: 'int8', axis, scales, codes })
        initializers.push([
          name,
          int8Tensor((['float32', 'float64', 'float16'] as const)[whole(3)] as 'float32', shape, {
            axis,
            scales,
            codes,
          }),
        ])
        break
      }
      case 5:
        initializers.push([name, { type: 'string', dims, data: Array.from({ length: size }, (_, k) => `s${k}`) }])
        break
      default:
        initializers.push([name, { type: 'bfloat16', dims: [1000], data: new Uint16Array(bytes(2000).buffer) }])
    }
  }
  return {
    model: modelOf(initializers),
    ternary,
    rest,
    metadata: { [`k${whole(10)}`]: 'v', '10': '', '😀': 'ü', '\uffee': '' },
  }
}

test('unpack(pack(p)) equals p for random models, and packing again gives the same bytes', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const packed = randomPacked(seed)
    const bytes = pack(packed)
    const back = unpack(bytes)
    assert.deepEqual(plain(back), { ...(plain(packed) as object), metadata: back.metadata }, `seed ${seed}`)
    assert.deepEqual(back.metadata, packed.metadata, `seed ${seed}`)
    assert.deepEqual(pack(back), bytes, `seed ${seed}`)
    const { sections, fileBytes, tensors } = inspectPacked(bytes)
    assert.equal(
      Object.values(sections).reduce((a, b) => a + b),
      fileBytes,
    )
    assert.deepEqual(
      tensors.filter(({ ternary }) => ternary).map(({ name }) => name),
      [...packed.ternary.keys()],
      `seed ${seed}`,
    )
  }
})

test('metadata in another order give the same bytes', () => {
  const model = modelOf([])
  const one = pack({ model, ternary: new Map(), metadata: { a: '1', b: '2', '\uffee': '3', '😀': '4' } })
  const two = pack({ model, ternary: new Map(), metadata: { '😀': '4', '\uffee': '3', b: '2', a: '1' } })
  assert.deepEqual(one, two)
})

test('arrays are aligned to 64 bytes, the codes stand in the file as they are; small tensors are pooled', () => {
  const codes = Int8Array.of(1, 1, 1, 1, -1)
  const weights = { codes, wp: 1, wn: 2 }
  const raw = Float32Array.from({ length: 300 }, (_, i) => i)
  const packed: PackedModel = {
    model: modelOf([
      ['r', { type: 'float32', dims: [300], data: raw }],
      ['v', { type: 'float32', dims: [20], data: raw.slice(0, 20) }],
      ['w', ternaryTensor('float32', [5], weights)],
    ]),
    ternary: new Map([['w', weights]]),
    metadata: {},
  }
  for (const [encoding, stored] of [
    ['2bit', [0b01010101, 0b11]],
    ['base3', [1 + 3 + 9 + 27 + 2 * 81]],
  ] as const) {
    const bytes = pack(packed, { encoding })
    const { sections, tensors } = inspectPacked(bytes)
    assert.deepEqual(
      tensors.map(({ isPooled }) => isPooled),
      [false, true, false],
    )
    const start = Math.ceil((bytes.length - 32 - sections.data) / 64) * 64
    assert.deepEqual(new Float32Array(bytes.slice(start, start + 1200).buffer), raw)
    assert.deepEqual([...bytes.subarray(start + 1200, -32)], [...new Uint8Array(16), ...stored])
  }
  assert.deepEqual(
    inspectPacked(pack(packed)).tensors.map(({ isPooled }) => isPooled),
    [true, true, false],
    'a file that is to be small',
  )
})

test('a ternary layer costs what its encoding says and no more than 150 bytes beside', () => {
  const weights = { codes: randomCodes(randomNumbers(5), 100_000), wp: 0.5, wn: 0.25 }
  const without = pack({ model: modelOf([]), ternary: new Map(), metadata: {} }).length
  const packed = onlyTernary(ternaryTensor('float32', [100, 1000], weights), weights)
  for (const [encoding, least] of [
    ['2bit', 25_000],
    ['base3', 20_000],
    ['entropy', Math.floor((100_000 * Math.log2(3)) / 8)],
  ] as const) {
    const bytes = pack(packed, { encoding }).length - without
    assert.ok(bytes >= least && bytes <= least + (encoding === 'entropy' ? 262 : 150), `${encoding}: ${bytes} bytes`)
  }
})

const W = { codes: Int8Array.of(1, -1), wp: 0.5, wn: 0.25 }
const GOOD: Tensor = { type: 'float32', dims: [2], data: Float32Array.of(0.5, -0.25) }
const where = 'packed: ternary tensor "w": found'

const REJECTS: Record<string, [() => PackedModel, string]> = {
  'a tensor that is not there': [
    () => ({ ...onlyTernary(GOOD, W), model: modelOf([]) }),
    `${where} no such initializer, expected one of the graph`,
  ],
  integers: [
    () => onlyTernary({ type: 'int8', dims: [2], data: Int8Array.of(1, -1) }, W),
    `${where} element type int8 in ternary2, expected float32, float16, float64`,
  ],
  'too few codes': [
    () => onlyTernary(GOOD, { ...W, codes: Int8Array.of(1) }),
    `${where} 1 codes, expected 2, one for each element`,
  ],
  'a code that is not ternary': [
    () => onlyTernary(GOOD, { ...W, codes: Int8Array.of(1, 2) }),
    `${where} code 2 at index 1, expected -1, 0 or 1`,
  ],
  'a scale of zero': [() => onlyTernary(GOOD, { ...W, wp: 0 }), `${where} wp 0, expected a positive, finite float32`],
  'a negative scale': [
    () => onlyTernary(GOOD, { ...W, wn: -0.71 }),
    `${where} wn -0.71, expected a positive, finite float32`,
  ],
  'a scale that is no float32': [
    () => onlyTernary(GOOD, { ...W, wp: 0.1 }),
    `${where} wp 0.1, expected a positive, finite float32`,
  ],
  'an infinite scale': [
    () => onlyTernary(GOOD, { ...W, wn: Infinity }),
    `${where} wn Infinity, expected a positive, finite float32`,
  ],
  'values that are not the decoded ones': [
    () => onlyTernary({ ...GOOD, data: Float32Array.of(0.5, -0.26) }, W),
    `${where} value -0.25999999046325684 at index 1, expected -0.25, the value of code -1`,
  ],
  'a negative zero': [
    () => onlyTernary({ ...GOOD, data: Float32Array.of(0.5, -0) }, { ...W, codes: Int8Array.of(1, 0) }),
    `${where} value -0 at index 1, expected 0, the value of code 0`,
  ],
  'scales that float16 does not hold': [
    () =>
      onlyTernary({ type: 'float16', dims: [2], data: Uint16Array.of(0x2e66, 0xb400) }, { ...W, wp: Math.fround(0.1) }),
    `${where} wp 0.10000000149011612, wn 0.25, expected scales that float16 holds exactly`,
  ],
  'scales between float16 subnormals': [
    () => onlyTernary({ type: 'float16', dims: [2], data: Uint16Array.of(1, 0xb400) }, { ...W, wp: 2 ** -25 }),
    `${where} wp 2.9802322387695312e-8, wn 0.25, expected scales that float16 holds exactly`,
  ],
  'too many dimensions': [
    () => onlyTernary({ ...GOOD, dims: [2, ...Array.from({ length: 32 }, () => 1)] }, W),
    `packed: tensor "w": found shape [2${',1'.repeat(32)}], expected at most 32 dimensions, each below 2^32`,
  ],
  'half a surrogate pair': [
    () => ({ ...onlyTernary(GOOD, W), metadata: { key: '\ud800' } }),
    'metadata value "\\ud800": found half of a surrogate pair, expected text that UTF-8 can hold',
  ],
}

for (const [why, [packed, message]] of Object.entries(REJECTS)) {
  test(`not packed: ${why}`, () => {
    refuses(() => pack(packed()), message)
  })
}
