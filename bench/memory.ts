// Peak memory of whole commands on a large network: `node dist/bench/memory.js [megabytes]` (default 470). Makes a
// stack of 4096 x 4096 layers in a temporary folder and runs inspect, compress without data and unpack on it; Linux
// only (VmHWM of /proc).
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { randomSource } from '../src/data/random.js'
import { GraphBuilder } from '../src/onnx/graph-builder.js'
import { writeModel } from '../src/onnx/write-model.js'
import { float32 } from '../src/tensor/tensor.js'

const SIZE = 4096
const SAMPLE_MS = 50
const PROGRAM = resolve(import.meta.dirname, '../bin/ttq.js')

function stack(layers: number): Uint8Array {
  const b = new GraphBuilder()
  const random = randomSource(1, 'memory')
  let x = b.input('x', 'float32', ['N', SIZE])
  for (let layer = 0; layer < layers; layer++) {
    const weight = b.constant(
      float32(
        [SIZE, SIZE],
        Float32Array.from({ length: SIZE * SIZE }, () => random.float() - 0.5),
      ),
      `weight${layer}`,
    )
    x = b.emit('Relu', [layer % 2 === 0 ? b.emit('MatMul', [x, weight]) : b.emit('Gemm', [x, weight], { transB: 1 })])
  }
  b.output(x)
  return writeModel({ irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('stack') })
}

/** Bytes that the program had in memory at most. */
async function peak(folder: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  let most = 0
  const timer = setInterval(() => {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
    if (kilobytes !== undefined) most = Number(kilobytes) * 1024
  }, SAMPLE_MS)
  const code = await new Promise((done) =>
    child.once('exit', (status) => {
      clearInterval(timer)
      done(status)
    }),
  )
  if (code !== 0) throw new Error(`internal: bench: ttq ${args.join(' ')} ended with ${String(code)}`)
  return most
}

const folder = mkdtempSync(join(tmpdir(), 'ttq-memory-'))
try {
  const path = join(folder, 'model.onnx')
  writeFileSync(path, stack(Math.max(3, Math.round((Number(process.argv[2] ?? 470) * 1e6) / (4 * SIZE * SIZE)))))
  const { size } = statSync(path)
  for (const args of [
    'inspect model.onnx',
    'compress model.onnx -q',
    'inspect model.ttq',
    'unpack model.ttq -o out.onnx',
  ]) {
    const bytes = await peak(folder, args.split(' '))
    console.log(
      `ttq ${args.padEnd(30)} ${(bytes / 1e6).toFixed(0).padStart(6)} MB, ${(bytes / size).toFixed(2)} times the ` +
        `model's ${(size / 1e6).toFixed(0)} MB`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}
