// Large ternary layers in the kernel of ttq-onnx/kernels against ONNX Runtime on one thread, in Node and in Chromium
// where there is one: `node dist/bench/ternary-kernels.js`. Each figure is the median of interleaved rounds.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as node from 'onnxruntime-node'
import * as web from 'onnxruntime-web'
import { blockCodes } from '../src/kernels/block-codes.js'
import { TernaryMatrices } from '../src/kernels/ternary-matrices.js'
import { newNetwork } from '../src/networks/new-network.js'
import { pack } from '../src/packed/index.js'
import type { TernaryWeights } from '../src/tensor/ternary.js'
import { inChromium, noChromium } from '../test/standalone/in-chromium.js'
import { kernels } from '../test/kernels/kernels.js'
import { TernaryNetwork } from '../test/kernels/ternary-networks.js'
import { runtime } from '../test/standalone/runtime.js'

const ROUNDS = 31
const ROOT = resolve(import.meta.dirname, '../..')

web.env.wasm.numThreads = 1
const ONE_THREAD = { session: { intraOpNumThreads: 1, interOpNumThreads: 1 } }

type Run = () => Promise<unknown>

/** Milliseconds of each, by name. */
async function medians(runs: Readonly<Record<string, Run>>): Promise<Record<string, number>> {
  const times = new Map(Object.keys(runs).map((name) => [name, [] as number[]]))
  for (let round = 0; round < ROUNDS + 3; round++)
    for (const [name, run] of Object.entries(runs)) {
      const start = performance.now()
      await run()
      if (round >= 3) times.get(name)?.push(performance.now() - start)
    }
  return Object.fromEntries([...times].map(([name, all]) => [name, all.sort((a, b) => a - b)[ROUNDS >> 1] as number]))
}

function print(what: string, found: Readonly<Record<string, number>>): void {
  console.log(
    `${what}: ${Object.entries(found)
      .map(([name, ms]) => `${name} ${ms.toFixed(3)}`)
      .join(', ')} ms`,
  )
}

/** relu(x w + b) */
function layer(inputs: number, outputs: number): Uint8Array {
  const b = new TernaryNetwork()
  b.input('x', 'float32', ['N', inputs])
  const product = b.emit('Gemm', ['x', b.matrix('w', outputs, inputs), b.vector('b', outputs)], { transB: 1 })
  b.emit('Relu', [product], {}, 'y')
  b.output('y', 'float32', ['N', outputs])
  return b.packed({ encoding: '2bit' })
}

async function layerTimes(inputs: number, outputs: number, rows: number, file: Uint8Array): Promise<void> {
  const values = new TernaryNetwork().numbers(rows * inputs)
  const kernel = await kernels.createSession(file, node, { ...ONE_THREAD, leastWeights: 0 })
  const kernelWeb = await kernels.createSession(file, web, { ...ONE_THREAD, leastWeights: 0 })
  const dense = await runtime.createSession(file, node, ONE_THREAD)
  const denseWeb = await runtime.createSession(file, web, ONE_THREAD)
  const x = new node.Tensor('float32', values, [rows, inputs])
  const webX = new web.Tensor('float32', values, [rows, inputs])
  const found = await medians({
    'onnxruntime-node': () => dense.run({ x }),
    'kernel in it': () => kernel.run({ x }),
    'onnxruntime-web': () => denseWeb.run({ x: webX }),
    'kernel in that': () => kernelWeb.run({ x: webX }),
  })
  print(`${inputs} x ${outputs}, ${rows} rows, ${kernel.codeBytes} bytes of codes`, found)
  for (const session of [dense, denseWeb, kernel, kernelWeb]) await session.release()
}

/** 3x3, as many channels in as out; the kernel gets the image as rows of pixels' neighbourhoods. */
async function convolution(channels: number, size: number): Promise<void> {
  const b = new TernaryNetwork()
  const weight = b.matrix('w', channels, 9 * channels)
  b.input('x', 'float32', [1, channels, size, size])
  const shape = b.constant({ type: 'int64', dims: [4], data: BigInt64Array.of(-1n, BigInt(channels), 3n, 3n) })
  b.emit('Conv', ['x', b.emit('Reshape', [weight, shape])], { pads: [1, 1, 1, 1] }, 'y')
  b.output('y', 'float32', [1, channels, size, size])
  const file = b.packed({ encoding: '2bit' })
  const values = b.numbers(channels * size * size)
  const dense = await runtime.createSession(file, node, ONE_THREAD)
  const denseWeb = await runtime.createSession(file, web, ONE_THREAD)
  const matrix = { inputs: 9 * channels, outputs: channels, isTransposed: true }
  const blocked = blockCodes(b.codes('w'), matrix)
  const matrices = await TernaryMatrices.load([{ ...matrix, blocked, levels: [0.75, -0.5] }])
  const x = new node.Tensor('float32', values, [1, channels, size, size])
  const webX = new web.Tensor('float32', values, [1, channels, size, size])
  const found = await medians({
    'onnxruntime-node': () => dense.run({ x }),
    'onnxruntime-web': () => denseWeb.run({ x: webX }),
    kernel: () => Promise.resolve(matrices.multiply(0, neighbourhoods(values, channels, size))),
  })
  print(`3x3, ${channels} channels, ${size}x${size}`, found)
}

/** [pixels, channels, 3, 3] of [channels, size, size] */
function neighbourhoods(image: Float32Array, channels: number, size: number): Float32Array {
  const rows = new Float32Array(9 * image.length)
  let at = 0
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (let channel = 0; channel < channels; channel++)
        for (let dy = -1; dy <= 1; dy++)
          for (let dx = -1; dx <= 1; dx++, at++) {
            const isInside = y + dy >= 0 && y + dy < size && x + dx >= 0 && x + dx < size
            if (isInside) rows[at] = image[(channel * size + y + dy) * size + x + dx] as number
          }
  return rows
}

/**
 * AlexNet, fresh; its layers with more than 100,000 weights are ternary with the threshold of ternary weight networks.
 */
function packedAlexnet(): Uint8Array {
  const model = newNetwork('alexnet', { seed: 1 })
  const ternary = new Map<string, TernaryWeights>()
  for (const [name, { type, dims, data }] of model.graph.initializers) {
    if (data.length < 100_000 || type !== 'float32') continue
    const values = data as Float32Array
    const threshold = (0.7 * values.reduce((sum, value) => sum + Math.abs(value), 0)) / values.length
    const codes = Int8Array.from(values, (value) => (value > threshold ? 1 : value < -threshold ? -1 : 0))
    const [wp, wn] = [2 * threshold, threshold].map(Math.fround) as [number, number]
    ternary.set(name, { codes, wp, wn })
    const decoded = Float32Array.from(codes, (code) => (code > 0 ? wp : wn * code))
    model.graph.initializers.set(name, { type, dims, data: decoded })
  }
  return pack({ model, ternary, metadata: {} }, { encoding: '2bit' })
}

const image = { data: new TernaryNetwork().numbers(3 * 224 * 224), dims: [1, 3, 224, 224] }

async function alexnetTimes(): Promise<void> {
  const file = packedAlexnet()
  const start = performance.now()
  const kernel = await kernels.createSession(file, node, ONE_THREAD)
  const middle = performance.now()
  const dense = await runtime.createSession(file, node, ONE_THREAD)
  const end = performance.now()
  const kernelWeb = await kernels.createSession(file, web, ONE_THREAD)
  const denseWeb = await runtime.createSession(file, web, ONE_THREAD)
  print('AlexNet, loading', { 'onnxruntime-node': end - middle, 'kernel in it': middle - start })
  const input = new node.Tensor('float32', image.data, image.dims)
  const webInput = new web.Tensor('float32', image.data, image.dims)
  const found = await medians({
    'onnxruntime-node': () => dense.run({ input }),
    'kernel in it': () => kernel.run({ input }),
    'onnxruntime-web': () => denseWeb.run({ input: webInput }),
    'kernel in that': () => kernelWeb.run({ input: webInput }),
  })
  print(`AlexNet, 1 image, ${kernel.codeBytes} bytes of codes`, found)
}

/** What a process of its own holds after a run, and at most. */
async function alexnetMemory(how: string, path: string): Promise<void> {
  const file = readFileSync(path)
  const before = process.memoryUsage.rss()
  const feeds = { input: new node.Tensor('float32', image.data, image.dims) }
  const session: { run: (feeds: Record<string, node.Tensor>) => Promise<unknown> } =
    how === 'kernel'
      ? await kernels.createSession(file, node, ONE_THREAD)
      : await runtime.createSession(file, node, ONE_THREAD)
  await session.run(feeds)
  globalThis.gc?.()
  const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
  const held = mega(process.memoryUsage.rss() - before)
  console.log(`AlexNet, ${how}: ${held} held, ${mega(1024 * process.resourceUsage().maxRSS - before)} at most`)
  // It has to be there until now.
  await session.run(feeds)
}

const [what = 'all', how, path] = process.argv.slice(2)
if (what === 'memory' && path !== undefined) {
  await alexnetMemory(how as string, path)
  process.exit()
}
if (what === 'all' || what === 'memory') {
  const folder = mkdtempSync(join(tmpdir(), 'ttq-kernels-'))
  writeFileSync(join(folder, 'alexnet.ttq'), packedAlexnet())
  for (const each of ['dense', 'kernel'])
    spawnSync(process.execPath, ['--expose-gc', import.meta.filename, 'memory', each, join(folder, 'alexnet.ttq')], {
      stdio: 'inherit',
    })
  rmSync(folder, { recursive: true })
}

const FC7 = layer(4096, 4096)
const FC6 = layer(9216, 4096)
if (what === 'all' || what === 'layers') {
  for (const rows of [1, 4, 16]) {
    await layerTimes(9216, 4096, rows, FC6)
    await layerTimes(4096, 4096, rows, FC7)
  }
}
if (what === 'all' || what === 'small')
  for (const [inputs, outputs] of [
    [512, 512],
    [512, 1024],
    [1024, 1024],
    [2048, 1000],
    [1024, 4096],
  ] as const)
    await layerTimes(inputs, outputs, 1, layer(inputs, outputs))
if (what === 'all' || what === 'convolutions') {
  await convolution(64, 56)
  await convolution(256, 14)
  await convolution(512, 7)
}
if (what === 'all' || what === 'alexnet') await alexnetTimes()
if (noChromium !== false) console.log(`Chromium: ${noChromium}`)
else if (what === 'all' || what === 'chromium') {
  const dist = (file: string): Uint8Array => readFileSync(resolve(ROOT, 'dist', file))
  const ort = (file: string): Uint8Array => readFileSync(resolve(ROOT, 'node_modules/onnxruntime-web/dist', file))
  const found = await inChromium(
    {
      '/runtime.js': dist('runtime.js'),
      '/kernels.js': dist('kernels.js'),
      '/ort.wasm.bundle.min.mjs': ort('ort.wasm.bundle.min.mjs'),
      '/ort-wasm-simd-threaded.wasm': ort('ort-wasm-simd-threaded.wasm'),
      '/fc7.ttq': FC7,
    },
    `const ort = await import('/ort.wasm.bundle.min.mjs')
    ort.env.wasm.numThreads = 1
    const file = new URL('/fc7.ttq', location.href)
    const dense = await (await import('/runtime.js')).createSession(file, ort)
    const kernel = await (await import('/kernels.js')).createSession(file, ort)
    const x = new ort.Tensor('float32', Float32Array.from({ length: 4096 }, () => Math.random() - 0.5), [1, 4096])
    const times = [[], []]
    for (let round = 0; round < ${ROUNDS}; round++)
      for (const [i, session] of [dense, kernel].entries()) {
        const start = performance.now()
        await session.run({ x })
        times[i].push(performance.now() - start)
      }
    return times.map((all) => all.sort((a, b) => a - b)[${ROUNDS >> 1}])`,
  )
  const [dense = 0, kernel = 0] = found as number[]
  print('4096 x 4096, 1 row, Chromium', { 'onnxruntime-web': dense, 'kernel in it': kernel })
}
