// Every exchange, among real threads: means in the order of the ranks, sums, everyone's parameters.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { arrangeExchange } from '../../src/execution/exchanges.js'

const EXCHANGES = new URL('../../src/execution/exchanges.js', import.meta.url).href
const SIZES = [3, 0, 4]
const ROUNDS = 5

interface Seen {
  means: number[][]
  sums: number[]
  parameters: number[]
}

// Each replica: gradients of its own in every round, a sum or two, and its part of the parameters counted up.
function replica(rank: number, sizes: readonly number[], meeting: unknown): Promise<Seen> {
  const source = `
    const { workerData, parentPort } = require('node:worker_threads')
    import(${JSON.stringify(EXCHANGES)}).then(async ({ joinExchange }) => {
      const { rank, sizes, meeting, rounds } = workerData
      const total = sizes.reduce((sum, size) => sum + size, 0)
      const offset = sizes.slice(0, rank).reduce((sum, size) => sum + size, 0)
      const [gradients, parameters] = [new Float32Array(total), new Float32Array(total)]
      const size = sizes[rank]
      const exchange = joinExchange(meeting, { rank, gradients, parameters, offset, size })
      const seen = { means: [], sums: [], parameters: [] }
      for (let round = 1; round <= rounds; round++) {
        gradients.fill(round * (rank + 1))
        await exchange.reduce()
        seen.means.push([...exchange.mean])
        for (let i = 0; i < round % 3; i++) seen.sums.push(await exchange.addUp(10 * round + rank + i))
        for (let i = offset; i < offset + size; i++) parameters[i] += i + 1
        await exchange.share()
      }
      parentPort.postMessage({ ...seen, parameters: [...parameters] })
    })`
  const worker = new Worker(source, { eval: true, workerData: { rank, sizes, meeting, rounds: ROUNDS } })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

describe('exchanges', () => {
  for (const sizes of [[7], SIZES]) {
    test(`${sizes.length} replicas`, async () => {
      const replicas = sizes.length
      const total = sizes.reduce((sum, size) => sum + size, 0)
      const meeting = arrangeExchange({ replicas, floats: total, regions: [total] })
      assert.equal(meeting.kind, replicas === 1 ? 'alone' : 'shared memory')
      const seen = await Promise.all(sizes.map((_, rank) => replica(rank, sizes, meeting)))
      const ranks = sizes.map((_, rank) => rank)
      const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
      seen.forEach(({ means, sums, parameters }, rank) => {
        means.forEach((mean, i) => {
          const expected = Math.fround(sum(ranks.map((other) => (i + 1) * (other + 1))) * (1 / replicas))
          assert.deepEqual(mean, new Array<number>(sizes[rank] as number).fill(expected))
        })
        const rounds = Array.from({ length: ROUNDS }, (_, i) => i + 1)
        assert.deepEqual(
          sums,
          rounds.flatMap((round) =>
            Array.from({ length: round % 3 }, (_, i) => sum(ranks.map((other) => 10 * round + other + i))),
          ),
        )
        assert.deepEqual(
          parameters,
          Array.from({ length: total }, (_, i) => ROUNDS * (i + 1)),
        )
      })
    })
  }
})
