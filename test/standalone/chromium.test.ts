// ttq-onnx/runtime on a plain page in a real browser.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { readModel } from '../../src/onnx/read-model.js'
import { pack, unpack } from '../../src/packed/index.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { elementCount } from '../../src/tensor/tensor.js'
import { randomCodes, randomNumbers } from '../packed/random-codes.js'
import { inChromium, noChromium } from './in-chromium.js'

const ROOT = resolve(import.meta.dirname, '../../..')

// LeNet-5 with random ternary weights.
function packedLenet(): Uint8Array {
  const random = randomNumbers(1)
  const model = readModel(readFileSync(resolve(ROOT, 'fixtures/mnist-lenet.onnx')))
  const layers = [...model.graph.initializers].filter(([, { dims }]) => elementCount(dims) > 1000)
  const ternary = new Map(
    layers.map(([name, { type, dims }]) => {
      const codes = randomCodes(random, elementCount(dims))
      const data = Float32Array.from(codes, (code) => (code === 1 ? 0.5 : code * 0.25))
      model.graph.initializers.set(name, { type, dims, data })
      return [name, { codes, wp: 0.5, wn: 0.25 }]
    }),
  )
  assert.ok(ternary.size >= 3)
  return pack({ model, ternary, metadata: {} })
}

test('a page without a bundler fetches, decodes and hands over a network', { skip: noChromium }, async () => {
  const file = packedLenet()
  const files = { '/runtime.js': readFileSync(resolve(ROOT, 'dist/runtime.js')), '/lenet.ttq': file }
  const found = await inChromium(
    files,
    `const { createSession, decode, TtqError } = await import('/runtime.js')
    const url = new URL('/lenet.ttq', location.href)
    const progress = []
    const given = []
    const ort = { InferenceSession: { create: async (...all) => { given.push(all); return 'session' } } }
    const session = await createSession(url, ort, {
      onProgress: (each) => { progress.push(each) },
      session: { executionProviders: ['wasm'] },
    })
    const [onnx, options] = given[0]
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', onnx))
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer())
    bytes[bytes.length >> 1] ^= 1
    let refused
    try { decode(bytes, { name: 'lenet.ttq' }) } catch (error) { refused = error instanceof TtqError && error.message }
    const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return { session, options, sha256, last: progress.at(-1), refused }`,
  )
  assert.deepEqual(found, {
    session: 'session',
    options: { executionProviders: ['wasm'] },
    sha256: createHash('sha256')
      .update(writeModel(unpack(file).model))
      .digest('hex'),
    last: { receivedBytes: file.length, fileBytes: file.length },
    refused: 'lenet.ttq: found bytes that do not match the SHA-256 at its end, expected the bytes that were written',
  })
})
