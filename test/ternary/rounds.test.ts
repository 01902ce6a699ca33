// Chunks shared by the threads of several ranks: all ranks see all of them, in order.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Rounds } from '../../src/ternary/rounds.js'
import { float32 } from '../../src/tensor/tensor.js'
import { ranksInMemory } from './ranks-in-memory.js'

// What each rank is told, and how many chunks each has computed, where some take longer than others.
async function shared(ranks: number, threads: number, chunks: number): Promise<{ told: number[][]; own: number[] }> {
  const told: number[][] = []
  const own: number[] = []
  await Promise.all(
    ranksInMemory(ranks).map(async (each, rank) => {
      const seen: number[] = []
      const rounds = new Rounds(each, threads, chunks, ({ samples, results }) => {
        assert.deepEqual(results, { x: float32([1], [samples]) })
        seen.push(samples)
      })
      own[rank] = 0
      await Promise.all(
        Array.from({ length: threads }, async (_, thread) => {
          for (let round = 0; round < rounds.count; round++) {
            const chunk = rounds.chunkOf(round, thread)
            if (chunk >= chunks) continue
            await rounds.room()
            await delay((chunk * 7) % 5)
            own[rank] = (own[rank] ?? 0) + 1
            rounds.add(chunk, { samples: chunk, results: { x: float32([1], [chunk]) }, types: { x: 'float32' } })
          }
        }),
      )
      assert.deepEqual(await rounds.end(), { x: 'float32' })
      told[rank] = seen
    }),
  )
  return { told, own }
}

describe('chunks of threads of ranks', () => {
  for (const [ranks, threads, chunks, own] of [
    [1, 1, 5, [5]],
    [1, 3, 7, [7]],
    [2, 1, 5, [3, 2]],
    [2, 2, 9, [5, 4]],
    [3, 2, 13, [5, 4, 4]],
    [4, 2, 3, [2, 1, 0, 0]],
    [3, 1, 1, [1, 0, 0]],
  ] as const)
    test(`${chunks} on ${ranks} ranks of ${threads} threads`, async () => {
      const found = await shared(ranks, threads, chunks)
      const all = Array.from({ length: chunks }, (_, i) => i)
      assert.deepEqual(found, { told: Array.from({ length: ranks }, () => all), own })
    })

  test('what fails where results are taken ends those who wait', async () => {
    const [rank] = ranksInMemory(1)
    if (rank === undefined) return
    const rounds = new Rounds(rank, 1, 3, () => {
      throw new Error('too wide')
    })
    const done = { samples: 1, results: {}, types: {} }
    rounds.add(0, done)
    rounds.add(1, done)
    await assert.rejects(rounds.room(), /too wide/)
    await assert.rejects(rounds.end(), /too wide/)
  })
})
