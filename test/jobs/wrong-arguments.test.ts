// What callers from plain JavaScript hand over by mistake: errors that say so, from every entrance of the library.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  analyze,
  compress,
  evaluateModel,
  inspectPacked,
  isPacked,
  readModel,
  sweep,
  trainNetwork,
  TtqError,
  unpack,
  writeModel,
} from '../../src/index.js'

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

test('readers', async () => {
  for (const reader of [readModel, unpack, inspectPacked, isPacked] as readonly Anything[])
    for (const found of ['m.ttq', null, new ArrayBuffer(8), [1, 2]])
      await refused(reader, [found], /found (string|null|an ArrayBuffer|an Array), expected a Uint8Array/)
})
