// What callers from plain JavaScript hand over by mistake: errors that say so, from every entrance of the library.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  analyze,
  compress,
  diff,
  evaluateModel,
  inspectPacked,
  isPacked,
  pack,
  predict,
  readModel,
  surveyData,
  sweep,
  trainNetwork,
  TtqError,
  unpack,
  verify,
  writeModel,
} from '../../src/index.js'
import { NotScorable } from '../../src/data/not-scorable.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import * as packed from '../../src/packed/index.js'
import { runtime } from '../standalone/runtime.js'

type Anything = (...args: never[]) => unknown
const REQUEST = { name: 'm.onnx', data: 'mnist' }
const VALUES = { kind: 'sparsity', values: [0.5] }
const JOBS: readonly (readonly [string, Anything])[] = Object.entries({
  analyze,
  compress,
  evaluateModel,
  trainNetwork,
})
const bytes = new Uint8Array(8)

async function refused(work: Anything, args: readonly unknown[], message: RegExp): Promise<void> {
  await assert.rejects(
    async () => {
      await work(...(args as never[]))
    },
    (error: unknown) => {
      assert.ok(error instanceof TtqError, String((error as Error).stack))
      assert.equal(error.code, 'usage')
      assert.match(error.message, message)
      return true
    },
  )
}

test('what was found is said as it is: of lists the element, of bigints that they are', async () => {
  const cases: [object, RegExp][] = [
    [{ samples: 2n }, /^samples: found 2n, expected a whole number/],
    [{ keep: [5] }, /^keep: found a list with 5 in it, expected a list of texts$/],
    [{ keep: ['c*', 7n] }, /^keep: found a list with 7n in it, expected a list of texts$/],
    [{ ternary: ['a', ''] }, /^ternary: found a list with "" in it, expected a list of texts$/],
    [{ ternary: [['a']] }, /^ternary: found a list with a list in it, expected a list of texts$/],
    [{ keep: 'c*' }, /^keep: found "c\*", expected a list of texts$/],
  ]
  for (const [options, message] of cases) await refused(compress, [bytes, { name: 'm', ...options }], message)
})

for (const [name, job] of [...JOBS, ['sweep', sweep] as const]) {
  test(`${name}: what are no bytes, and no request`, async () => {
    const rest = name === 'sweep' ? [VALUES] : []
    const wrong = /: found (string|an ArrayBuffer|nothing|a Float32Array), expected a Uint8Array$/
    for (const found of ['model.onnx', new ArrayBuffer(8), undefined, new Float32Array(2)])
      await refused(job, [found, REQUEST, ...rest], wrong)
    for (const [found, kind] of [
      [undefined, 'nothing'],
      [null, 'null'],
      ['m.onnx', 'string'],
      [[], 'an Array'],
    ] as const)
      await refused(job, [bytes, found, ...rest], new RegExp(`^request: found ${kind}, expected an object`))
    await refused(job, [bytes, { data: 'mnist' }, ...rest], /^name: found nothing, expected a file name$/)
  })
}

test('writeModel: no model', async () => {
  for (const found of [undefined, null, 'x'])
    await refused(writeModel, [found], /^model: found (nothing|null|string), expected a Model, as readModel gives it$/)
  await refused(writeModel, [{}], /^model.graph: found nothing, expected a Graph$/)
})

test('sweep: values', async () => {
  for (const [values, message] of [
    [undefined, /^values: found nothing, expected an object/],
    [[0.5], /^values: found an Array, expected an object/],
    [{ kind: 'sparsity', values: [] }, /^sparsities: found an empty list/],
    [{ kind: 'sparsity', values: [2] }, /^sparsities: found 2, expected a number/],
    [{ kind: 'sparsity', values: [0.5, 0.5] }, /^sparsities: found 0.5 a second time/],
    [{ kind: 'constructor', values: [0.5] }, /^kind: found "constructor", expected threshold or sparsity/],
    [{ values: [0.5] }, /^kind: found nothing, expected threshold or sparsity/],
  ] as const)
    await refused(sweep, [bytes, REQUEST, values], message)
})

const file = { bytes, name: 'm.onnx' }

test('files beside the first', async () => {
  for (const [found, message] of [
    [undefined, /^after: found nothing, expected an object with bytes and name$/],
    [bytes, /^after.bytes: found nothing, expected a Uint8Array$/],
    [{ bytes }, /^after.name: found nothing, expected a file name$/],
  ] as const)
    await refused(diff, [bytes, { ...REQUEST, data: undefined, after: found }], message)
  for (const job of [diff, verify, predict]) await refused(job, [bytes], /^request: found nothing, expected an object/)
  await refused(verify, [bytes, { name: 'm.ttq', original: 'm.onnx' }], /^original: found string, expected an object/)
  await refused(surveyData, ['mnist', { network: bytes }], /^network.bytes: found nothing, expected a Uint8Array$/)
  await refused(surveyData, [undefined], /^data: found nothing, expected the name of a dataset, or a path$/)
  await refused(surveyData, ['mnist', null], /^request: found null, expected an object/)
  await refused(predict, [bytes, { name: 'm' }], /^pictures: found nothing, expected an Array of objects/)
  const pictures = [file, { name: 'a.png', bytes: 'png' }]
  await refused(predict, [bytes, { name: 'm', pictures }], /^pictures\[1\].bytes: found string, expected a Uint8Array$/)
})

test('a survey that is ended says so as every job does', async () => {
  await assert.rejects(surveyData('mnist', { signal: AbortSignal.abort() }), { name: 'TtqError', code: 'interrupted' })
})

test('ttq-onnx/packed', async () => {
  const tensor = { type: 'float32', dims: [2, 2], data: new Float32Array(4) }
  const model = { irVersion: 8, opsets: new Map([['', 17]]), graph: new GraphBuilder().build('none') }
  const weights = { codes: new Int8Array(4), scales: new Float32Array(2), axis: 0 }
  const cases: readonly (readonly [Anything, readonly unknown[], RegExp])[] = [
    [pack, [], /^packed: found nothing, expected a PackedModel, as unpack gives it$/],
    [pack, [{ model: { graph: {} } }], /^packed.model.opsets: found nothing, expected a Map$/],
    [pack, [{ model, ternary: [] }], /^packed.ternary: found an Array, expected a Map$/],
    [pack, [{ model, ternary: new Map([['w', 1]]) }], /^packed.ternary "w": found number, expected an object/],
    [pack, [{ model, ternary: new Map(), metadata: {} }, { encoding: '3bit' }], /^encoding: found 3bit, expected/],
    [unpack, [bytes, null], /^options: found null, expected an object with options$/],
    [inspectPacked, [bytes, 'm.ttq'], /^options: found string, expected/],
    [packed.roundToFloat16, [{ ...tensor, data: undefined }], /^tensor.data: found nothing, expected an array/],
    [packed.roundToFloat16, [{ ...tensor, type: 'int8' }], /^tensor.type: found int8, expected float32, float64$/],
    [packed.quantizeInt8, [{ ...tensor, dims: [3] }, 0], /^tensor.data: found 4 elements, expected 3$/],
    [packed.quantizeInt8, [tensor, 2], /^axis: found 2, expected a whole number from 0, less than 2$/],
    [
      packed.int8Tensor,
      ['float32', [2, 2]],
      /^weights: found nothing, expected an object with codes, scales and axis$/,
    ],
    [packed.int8Tensor, ['float32', [2, 3], weights], /^weights.codes: found 4 elements, expected 6$/],
    [packed.decodeTernary, [null, 3], /^bytes: found null, expected a Uint8Array$/],
    [packed.decodeTernary, [bytes, 3], /^bytes: found 8 elements, expected 1$/],
    [packed.countTernary, [bytes], /^count: found nothing, expected a number$/],
    [packed.encodeTernary, [bytes], /^codes: found a Uint8Array, expected an Int8Array$/],
    [packed.encodeTernary, [new Int8Array(9), new Uint8Array(2)], /^target: found 2 bytes, expected 3$/],
  ]
  for (const [work, args, message] of cases) await refused(work, args, message)
})

test('ttq-onnx/runtime, whose errors are those of ttq-onnx', async () => {
  await refused(runtime.decode, ['m.ttq'], /expected a Uint8Array$/)
  for (const ort of [undefined, {}]) await refused(runtime.createSession, [bytes, ort], /^ort: expected onnxruntime$/)
  const own = new TtqError('usage', 'of the library')
  assert.ok(own instanceof runtime.TtqError && !(new Error('other') instanceof runtime.TtqError))
  assert.ok(!(own instanceof NotScorable) && new NotScorable('none', 'none', {}) instanceof runtime.TtqError)
  await assert.rejects(runtime.decodeFrom(bytes, null as never), { code: 'packed' })
})

test('readers', async () => {
  for (const reader of [readModel, unpack, inspectPacked, isPacked] as readonly Anything[])
    for (const found of ['m.ttq', null, new ArrayBuffer(8), [1, 2]])
      await refused(reader, [found], /found (string|null|an ArrayBuffer|an Array), expected a Uint8Array/)
  for (const reader of [readModel, unpack, inspectPacked] as readonly Anything[])
    for (const found of ['m.onnx', null, 7, []])
      await refused(
        reader,
        [bytes, found],
        /^options: found (string|null|number|an Array), expected an object with options$/,
      )
})
