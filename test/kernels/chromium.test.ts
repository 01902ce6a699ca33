// ttq-onnx/kernels on a plain page in a real browser, with onnxruntime-web.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { inChromium, noChromium } from '../standalone/in-chromium.js'
import { TernaryNetwork } from './ternary-networks.js'

const ROOT = resolve(import.meta.dirname, '../../..')

test('a page without a bundler runs large layers on their codes', { skip: noChromium }, async () => {
  const b = new TernaryNetwork()
  b.input('x', 'float32', ['N', 300])
  const hidden = b.emit('Relu', [b.emit('Gemm', ['x', b.matrix('first', 200, 300)], { transB: 1 })])
  b.emit('MatMul', [hidden, b.matrix('second', 200, 100)], {}, 'y')
  b.output('y', 'float32', ['N', 100])
  const file = (path: string): Uint8Array => readFileSync(resolve(ROOT, path))
  const found = await inChromium(
    {
      '/runtime.js': file('dist/runtime.js'),
      '/kernels.js': file('dist/kernels.js'),
      '/ort.wasm.bundle.min.mjs': file('node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs'),
      '/ort-wasm-simd-threaded.wasm': file('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'),
      '/two.ttq': b.packed(),
    },
    `const ort = await import('/ort.wasm.bundle.min.mjs')
    ort.env.wasm.numThreads = 1
    const url = new URL('/two.ttq', location.href)
    const session = await (await import('/kernels.js')).createSession(url, ort, { leastWeights: 1000 })
    const whole = await (await import('/runtime.js')).createSession(url, ort)
    const x = new ort.Tensor('float32', Float32Array.from({ length: 900 }, (_, i) => Math.sin(i)), [3, 300])
    const [some, all] = [(await session.run({ x })).y, (await whole.run({ x })).y]
    const largest = Math.max(...all.data.map(Math.abs))
    const off = Math.max(...all.data.map((value, i) => Math.abs(some.data[i] - value))) / largest
    return { layers: session.kernelLayers, dims: some.dims, isClose: off < 1e-4, isSomething: largest > 1 }`,
  )
  assert.deepEqual(found, {
    layers: [
      { weight: 'first', inputs: 300, outputs: 200 },
      { weight: 'second', inputs: 200, outputs: 100 },
    ],
    dims: [3, 100],
    isClose: true,
    isSomething: true,
  })
})
