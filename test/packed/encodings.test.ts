// Every encoding of the table: its law, its sizes, and its row in docs/ttq-format.md.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Encoding } from '../../src/packed/encoding.js'
import { DECODINGS, decodingWithId } from '../../src/packed/decodings.js'
import { ENCODINGS, encodingOf } from '../../src/packed/encodings.js'
import { int8Tensor } from '../../src/packed/int8-encoding.js'
import type { StoredForm } from '../../src/packed/stored-form.js'
import { bytesOf, viewOf } from '../../src/tensor/bytes.js'
import { byteLength, type DataType, type FloatType } from '../../src/tensor/data-type.js'
import { floatTensor } from '../../src/tensor/float-values.js'
import { elementCount, type Tensor } from '../../src/tensor/tensor.js'
import type { TernaryWeights } from '../../src/tensor/ternary.js'

const SHAPES = [[1], [5], [0, 3], [2, 3], [3, 1, 4]]

// One tensor of a type and shape, and a form that holds it.
const EXAMPLES: Record<StoredForm['encoding'], (type: DataType, dims: number[]) => [Tensor, StoredForm]> = {
  raw: (type, dims) => {
    const bytes = Uint8Array.from({ length: byteLength(type, elementCount(dims)) }, (_, i) => (i * 37 + 1) & 0x3f)
    return [{ type, dims, data: viewOf(type as 'float32', bytes) }, { encoding: 'raw' }]
  },
  ternary2: (type, dims) => {
    const { tensor, weights } = ternary(type, dims)
    return [tensor, { encoding: 'ternary2', ...weights }]
  },
  base3: (type, dims) => {
    const { tensor, weights } = ternary(type, dims)
    return [tensor, { encoding: 'base3', ...weights }]
  },
  entropy: (type, dims) => {
    const { tensor, weights } = ternary(type, dims)
    return [tensor, { encoding: 'entropy', ...weights, model: 1 }]
  },
  float16: (type, dims) => [
    floatTensor(
      type as FloatType,
      dims,
      Float32Array.from({ length: elementCount(dims) }, (_, i) => (i % 100) * 0.5 - 1),
    ),
    { encoding: 'float16' },
  ],
  int8: (type, dims) => {
    const axis = dims.length - 1
    const codes = Int8Array.from({ length: elementCount(dims) }, (_, i) => i * 11 - 127)
    const scales = Float32Array.from({ length: dims[axis] as number }, (_, i) => 2 ** -i)
    const weights = { codes, scales, axis }
    return [int8Tensor(type as FloatType, dims, weights), { encoding: 'int8', ...weights }]
  },
}

function ternary(type: DataType, dims: number[]): { tensor: Tensor; weights: TernaryWeights } {
  const codes = Int8Array.from({ length: elementCount(dims) }, (_, i) => (i % 3) - 1)
  const [wp, wn] = [0.5, 0.25]
  const values = Float32Array.from(codes, (code) => (code > 0 ? wp : code < 0 ? -wn : 0))
  return { tensor: floatTensor(type as FloatType, dims, values), weights: { codes, wp, wn } }
}

// Nothing is known of codes: each is as likely as the others.
const EVEN = { zeros: new Uint8Array(96).fill(85), signs: new Uint8Array(16).fill(128) }
const MODELS = [{ zeros: new Uint8Array(96).fill(1), signs: new Uint8Array(16) }, EVEN]

for (const encoding of Object.values(ENCODINGS) as unknown as Encoding[]) {
  const { decoding } = encoding
  describe(`encoding ${decoding.name}`, () => {
    for (const type of decoding.types) {
      for (const dims of SHAPES) {
        test(`${type} of shape [${dims.join(',')}] comes back bit for bit, in as many bytes as the table says`, () => {
          const [tensor, form] = EXAMPLES[decoding.name](type, dims)
          assert.equal(encodingOf(form), encoding)
          const parameters = encoding.writeParameters(form)
          assert.equal(parameters.length, decoding.parameterBytes)
          decoding.checkParameters(parameters, dims, 'here', MODELS)
          encoding.check(tensor, form, 'here')
          const stored = { type, dims, parameters }
          const bytes = encoding.encode(tensor, form, 'here', MODELS)
          assert.equal(bytes.length, decoding.byteLength(stored) ?? bytes.length)
          assert.equal(bytes.length % encoding.poolWidth(type), 0)
          // At any alignment.
          const target = new Uint8Array(bytes.length + 1).subarray(1)
          target.set(bytes)
          const decoded = decoding.decode(stored, target, 'here', MODELS)
          assert.deepEqual(decoded.form, form)
          assert.deepEqual([decoded.tensor.type, decoded.tensor.dims], [type, dims])
          assert.deepEqual(bytesOf(decoded.tensor.data as Uint8Array), bytesOf(tensor.data as Uint8Array))
          target.fill(0)
          assert.deepEqual(bytesOf(decoded.tensor.data as Uint8Array), bytesOf(tensor.data as Uint8Array))
        })
      }
    }

    test('bits are those of a large tensor, per element', () => {
      const type = decoding.types[0] as DataType
      const dims = [64, 1024]
      const [tensor, form] = EXAMPLES[decoding.name](type, dims)
      const bytes = encoding.encode(tensor, form, 'here', MODELS).length - scaleBytes(form)
      const perElement = (8 * bytes) / elementCount(dims)
      // The example's codes are of equal shares, and its model knows nothing else.
      const expected = encoding.bits ?? (decoding.name === 'entropy' ? Math.log2(3) : 8 * byteLength(type, 1))
      assert.ok(Math.abs(perElement - expected) < 0.02, `${perElement} bits`)
    })
  })
}

function scaleBytes(form: StoredForm): number {
  return 'scales' in form ? 4 * form.scales.length : 0
}

test('an id means one encoding, none of those set aside', () => {
  const all = (Object.values(ENCODINGS) as unknown as Encoding[]).map(({ decoding }) => decoding)
  assert.deepEqual(all, DECODINGS)
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
  for (const decoding of all) {
    assert.equal(decodingWithId(decoding.id), decoding)
    assert.ok(decoding.id < 128)
  }
  assert.equal(decodingWithId(200), undefined)
})

test('docs/ttq-format.md lists the encodings, each with its types', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/ttq-format.md'), 'utf8')
  const rows = [...text.matchAll(/^\| (\d+) \| `(\w+)` \| (.*?) \|/gm)].map(([, id, name, parameters]) => {
    const bytes = [...(parameters as string).matchAll(/\b[fu](\d+)\b/g)].reduce(
      (sum, [, bits]) => sum + Number(bits) / 8,
      0,
    )
    return { id: Number(id), name, bytes }
  })
  assert.deepEqual(
    rows,
    DECODINGS.map(({ id, name, parameterBytes }) => ({ id, name, bytes: parameterBytes })).sort((a, b) => a.id - b.id),
  )
  for (const { name, types } of DECODINGS.filter((decoding) => decoding.name !== 'raw')) {
    const said = new RegExp(`\\*\\*${name}\\*\\*: element type ([^.]*)\\.`).exec(text)?.[1]
    assert.deepEqual(said?.split(/, | or /).sort(), [...types].sort(), name)
  }
})
