// How long ttq-onnx/runtime takes for a file of ResNet-18's size (11.7 M weights), in Node and in Chromium where there
// is one: `node dist/bench/runtime-decode.js`.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { newNetwork } from '../src/networks/new-network.js'
import { pack } from '../src/packed/index.js'
import { elementCount } from '../src/tensor/tensor.js'
import type { TernaryWeights } from '../src/tensor/ternary.js'
import { inChromium, noChromium } from '../test/standalone/in-chromium.js'
import { runtime } from '../test/standalone/runtime.js'

const RUNS = 5

// Fresh weights with the threshold of ternary weight networks: the share of zeros is that of trained ones, about.
function packedResnet18(): Uint8Array {
  const model = newNetwork('resnet18', { seed: 1 })
  const ternary = new Map<string, TernaryWeights>()
  for (const [name, { type, dims, data }] of model.graph.initializers) {
    if (elementCount(dims) < 10_000 || dims.length !== 4) continue
    const values = data as Float32Array
    const threshold = (0.7 * values.reduce((sum, value) => sum + Math.abs(value), 0)) / values.length
    const codes = Int8Array.from(values, (value) => (value > threshold ? 1 : value < -threshold ? -1 : 0))
    const [wp, wn] = [0.0625, 0.03125]
    const decoded = Float32Array.from(codes, (code) => (code > 0 ? wp : code * wn))
    model.graph.initializers.set(name, { type, dims, data: decoded })
    ternary.set(name, { codes, wp, wn })
  }
  return pack({ model, ternary, metadata: {} })
}

const file = packedResnet18()
const times: number[] = []
let bytes = 0
for (let i = 0; i < RUNS; i++) {
  const start = performance.now()
  bytes = runtime.decode(file).length
  times.push(performance.now() - start)
}
const text = (all: readonly number[]): string => all.map((ms) => ms.toFixed(0)).join(', ')
console.log(`${file.length} bytes -> ${bytes}`)
console.log(`Node ${process.version}: ${text(times)} ms`)
if (noChromium !== false) console.log(`Chromium: ${noChromium}`)
else {
  const code = readFileSync(resolve(import.meta.dirname, '../runtime.js'))
  const found = await inChromium(
    { '/runtime.js': code, '/m.ttq': file },
    `const { decode } = await import('/runtime.js')
    const bytes = new Uint8Array(await (await fetch('/m.ttq')).arrayBuffer())
    const times = []
    for (let i = 0; i < ${RUNS}; i++) {
      const start = performance.now()
      decode(bytes)
      times.push(performance.now() - start)
    }
    return times`,
  )
  console.log(`Chromium: ${text(found as number[])} ms`)
}
