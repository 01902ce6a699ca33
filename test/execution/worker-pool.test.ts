// What engines do happens in the workers: the main thread stays free, for progress and for Ctrl-C.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluateConstants, observe } from '../../src/runtime/observe.js'
import { WorkerPool } from '../../src/execution/worker-pool.js'
import { TtqError } from '../../src/errors/ttq-error.js'
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Model } from '../../src/onnx/model.js'
import type { Loader } from '../../src/runtime/engine.js'
import { onnxRuntime } from '../../src/runtime/onnx-runtime.js'
import { float32 } from '../../src/tensor/tensor.js'

const SIZE = 512
const PRODUCTS = 80
const ones = float32([SIZE, SIZE], new Float32Array(SIZE * SIZE).fill(1))

// A chain of matrix products: some tenths of a second on one thread.
function heavy(constant: boolean): Model {
  const b = new GraphBuilder()
  let value = constant ? b.constant(ones, 'x') : b.input('x', 'float32', [SIZE, SIZE])
  const factor = b.constant(float32([SIZE, SIZE], new Float32Array(SIZE * SIZE).fill(1 / SIZE)), 'factor')
  for (let i = 0; i < PRODUCTS; i++) value = b.emit('MatMul', [value, factor], {}, `product${i}`)
  b.output(value)
  return { irVersion: 8, opsets: new Map([['', 18]]), graph: b.build('heavy') }
}

const WORK: Record<string, (loader: Loader) => Promise<number | undefined>> = {
  'observing a network': async (loader) =>
    (await observe(loader, heavy(false), { x: ones })).shapes.get(`product${PRODUCTS - 1}`)?.[0],
  'computing constants': async (loader) =>
    (
      await evaluateConstants(
        loader,
        heavy(true),
        Array.from({ length: PRODUCTS }, (_, i) => `product${i}`),
      )
    ).get(`product${PRODUCTS - 1}`)?.dims[0],
}

// How often the event loop comes around while the work is done.
async function turns(work: Promise<unknown>): Promise<number> {
  let count = 0
  const timer = setInterval(() => count++, 1)
  await work
  clearInterval(timer)
  return count
}

for (const [name, work] of Object.entries(WORK)) {
  test(`${name} leaves the main thread free`, async () => {
    const pool = new WorkerPool(1)
    // A started worker, so that what is seen is not its start.
    await pool.call(0, 'release', { id: 'none' }).catch(() => undefined)
    const [blocked, free] = [await turns(work(onnxRuntime)), await turns(work(pool))]
    assert.ok(free > 5 + 2 * blocked, `${free} turns beside a worker, ${blocked} beside the engine itself`)
    assert.equal(await work(pool), SIZE)
    await pool.close()
  })
}

test('an abort is heard while a worker computes', async () => {
  const controller = new AbortController()
  const pool = new WorkerPool(1, { signal: controller.signal })
  let ended = false
  const work = observe(pool, heavy(false), { x: ones })
  const rejected = assert.rejects(work, (error: unknown) => error instanceof TtqError && error.code === 'interrupted')
  void work.catch(() => undefined).then(() => (ended = true))
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(!ended, 'it still computes')
  controller.abort()
  await rejected
  await pool.close()
})

test('threads start with their first call: a pool that is never called has none', async () => {
  const pool = new WorkerPool(64)
  assert.equal(pool.size, 64)
  await pool.close()
  await assert.rejects(pool.load(new Uint8Array(), { threads: 1 }), /the worker pool is closed/)
})
