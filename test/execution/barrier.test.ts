// Real threads at the barrier: nobody passes early, and nobody waits for one that failed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { BARRIER_BYTES } from '../../src/execution/barrier.js'

const BARRIER = new URL('../../src/execution/barrier.js', import.meta.url).href

function thread(body: string, data: unknown): Promise<unknown> {
  const source = `
    const { workerData, parentPort } = require('node:worker_threads')
    import(${JSON.stringify(BARRIER)}).then(({ Barrier }) => {
      const { memory, counts, rank, size } = workerData
      const barrier = new Barrier(memory, size)
      const seen = new Int32Array(counts)
      ${body}
    })`
  const worker = new Worker(source, { eval: true, workerData: data })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

function setup(size: number): { memory: SharedArrayBuffer; counts: SharedArrayBuffer; size: number } {
  return { memory: new SharedArrayBuffer(BARRIER_BYTES), counts: new SharedArrayBuffer(4), size }
}

test('500 rounds of three threads stay in step', async () => {
  const shared = setup(3)
  const body = `
    let early = 0
    for (let round = 1; round <= 500; round++) {
      Atomics.add(seen, 0, 1)
      barrier.wait()
      if (Atomics.load(seen, 0) !== round * size) early++
      barrier.wait()
    }
    parentPort.postMessage(early)`
  assert.deepEqual(await Promise.all([0, 1, 2].map((rank) => thread(body, { ...shared, rank }))), [0, 0, 0])
})

test('a thread that fails lets the others go with an error', async () => {
  const shared = setup(2)
  const waiting = thread(
    `try { barrier.wait(); parentPort.postMessage('passed') } catch (error) { parentPort.postMessage(error.message) }`,
    { ...shared, rank: 0 },
  )
  const failing = thread(`setTimeout(() => { barrier.break(); parentPort.postMessage('broken') }, 50)`, {
    ...shared,
    rank: 1,
  })
  assert.deepEqual(await Promise.all([waiting, failing]), ['internal: another replica failed', 'broken'])
})
