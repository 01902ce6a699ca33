// Networks that work in bfloat16, as torch exports models of that type: no engine here computes them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compress } from '../../src/jobs/compress.js'
import { inspectModel } from '../../src/jobs/inspect.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { ValueName } from '../../src/onnx/model.js'
import { writeModel } from '../../src/onnx/write-model.js'
import { unpack } from '../../src/packed/unpack.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { float32 } from '../../src/tensor/tensor.js'
import { seeded } from '../onnx/fixtures.js'

const SIZE = 16

// Four layers of numbers that both types hold.
function network(type: 'bfloat16' | 'float32'): Uint8Array {
  const random = seeded(3)
  const b = new GraphBuilder()
  let x: ValueName = b.input('x', type, ['N', SIZE])
  for (const name of ['a', 'b', 'c', 'd']) {
    const bits = Uint32Array.from({ length: SIZE * SIZE }, () => {
      const [value] = new Uint32Array(Float32Array.of(random() - 0.5).buffer)
      return ((value as number) >>> 16) << 16
    })
    const data = type === 'float32' ? new Float32Array(bits.buffer) : Uint16Array.from(bits, (word) => word >>> 16)
    const weight = b.constant({ type, dims: [SIZE, SIZE], data }, name)
    x = b.emit('Relu', [b.emit('MatMul', [x, weight])])
  }
  b.output(x, type, ['N', SIZE])
  return writeModel({ irVersion: 10, opsets: new Map([['', 20]]), graph: b.build('net') })
}

test('are compressed as the same networks in float32, which is said', async () => {
  const [half, whole] = await Promise.all(
    (['bfloat16', 'float32'] as const).map((type) => compress(network(type), { name: 'm', samples: 64, threads: 1 })),
  )
  assert.ok(half !== undefined && whole !== undefined)
  assert.match(half.report.warnings.join('\n'), /^the network works in bfloat16, which nothing here computes/m)
  assert.doesNotMatch(whole.report.warnings.join('\n'), /bfloat16/)
  const codes = [half, whole].map(({ file }) => [...unpack(file).ternary.values()].map((layer) => [...layer.codes]))
  assert.deepEqual(codes[0], codes[1])
  assert.equal(half.report.reconstruction?.distance, whole.report.reconstruction?.distance)
  assert.equal(half.report.size.onnxBytes, network('bfloat16').length)
  const graph = await onnxRuntime.load(writeModel(unpack(half.file).model), { threads: 1 })
  const results = await graph.run({ x: float32([1, SIZE], new Float32Array(SIZE).fill(1)) })
  assert.ok(Object.values(results).every(({ data }) => Array.from(data as Float32Array).every(Number.isFinite)))
  await graph.release()
})

test('are inspected so', async () => {
  const { layers, refusal } = await inspectModel(network('bfloat16'), { name: 'm' })
  assert.equal(refusal, undefined)
  assert.deepEqual(
    layers.map(({ reason }) => reason),
    ['first layer', undefined, undefined, 'last layer'],
  )
})
