// Replicas of several ranks: what comes of their gradients is what comes of as many threads of one process, bit for
// bit.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharedMemory } from '../../src/execution/shared-memory.js'
import { acrossRanks } from '../../src/execution/across-ranks.js'
import type { RankLink } from '../../src/execution/rank-link.js'
import type { ExchangeName } from '../../src/options/choices.js'
import type { SchemeName } from '../../src/mpi/schemes.js'
import { arrangeStandIn } from '../mpi/stand-in.js'
import { onRank } from '../mpi/on-ranks.js'

/** Floats of each replica's shard; one has none. */
const SIZES = [5, 0, 9, 3]
const ROUNDS = 4

interface Seen {
  means: Float32Array[]
  sums: number[]
  parameters: Float32Array
}

// Gradients as training has them: of all sizes, so that the order of a sum is seen in its last bits.
const REPLICA = `
const { place, sizes, meeting, replica, kind, rounds } = given
const total = sizes.reduce((sum, size) => sum + size, 0)
const offset = sizes.slice(0, place).reduce((sum, size) => sum + size, 0)
const size = sizes[place]
const [gradients, parameters] = [new Float32Array(total), new Float32Array(total)]
const vectors = { rank: replica, gradients, parameters, offset, size }
const exchange = kind === 'across ranks'
  ? acrossRanks.join(meeting, vectors, () => Promise.resolve(foreign)) : sharedMemory.join(meeting, vectors)
const seen = { means: [], sums: [] }
for (let round = 1; round <= rounds; round++) {
  for (let i = 0; i < total; i++) gradients[i] = Math.sin(i + 7 * place + round) * 10 ** ((i + place) % 5)
  await exchange.reduce()
  seen.means.push(exchange.mean.slice())
  for (let i = 0; i < round % 3; i++) seen.sums.push(await exchange.addUp(0.1 * round + place / 3 + i))
  for (let i = 0; i < size; i++) parameters[offset + i] += exchange.mean[i]
  await exchange.share()
}
say({ ...seen, parameters })`

async function replicas(ranks: number, exchange: ExchangeName, scheme: SchemeName = 'MPI ABI'): Promise<Seen[]> {
  const each = SIZES.length / ranks
  const floats = SIZES.reduce((sum, size) => sum + size, 0)
  const regions = Array.from({ length: ranks }, (_, rank) =>
    SIZES.slice(rank * each, (rank + 1) * each).reduce((sum, size) => sum + size, 0),
  )
  const arranged = arrangeStandIn(ranks, { scheme })
  const world = { 'MPI ABI': 0x101, MPICH: 0x44000000, 'Open MPI': 0x7f00_0000_1000n }[scheme]
  const meetings = regions.map((_, rank) => {
    const link: RankLink = {
      rank,
      count: ranks,
      place: { path: 'libmpi', lock: new SharedArrayBuffer(4), communicator: world },
      exchange,
      abandoned: new SharedArrayBuffer(4),
    }
    return acrossRanks.arrange({ replicas: each, floats, regions, link })
  })
  return await Promise.all(
    SIZES.map((_, place) => {
      const rank = Math.floor(place / each)
      const given = {
        place,
        sizes: SIZES,
        meeting: meetings[rank],
        replica: place % each,
        kind: 'across ranks',
        rounds: ROUNDS,
      }
      return onRank<Seen>(arranged, rank, REPLICA, given)
    }),
  )
}

async function threads(): Promise<Seen[]> {
  const floats = SIZES.reduce((sum, size) => sum + size, 0)
  const meeting = sharedMemory.arrange({ replicas: SIZES.length, floats, regions: [floats] })
  const arranged = arrangeStandIn(1)
  return await Promise.all(
    SIZES.map((_, place) => {
      const given = { place, sizes: SIZES, meeting, replica: place, kind: 'shared memory', rounds: ROUNDS }
      return onRank<Seen>(arranged, 0, REPLICA, given)
    }),
  )
}

describe('replicas across ranks', async () => {
  const expected = await threads()

  for (const [ranks, scheme] of [
    [2, 'MPI ABI'],
    [4, 'MPICH'],
    [2, 'Open MPI'],
  ] as const)
    test(`${ranks} ranks of ${SIZES.length / ranks}, ${scheme}: as threads of one process`, async () => {
      assert.deepEqual(await replicas(ranks, 'ordered', scheme), expected)
    })

  for (const ranks of [2, 4])
    test(`fast, ${ranks} ranks: the same but for the order of sums`, async () => {
      const found = await replicas(ranks, 'fast')
      found.forEach(({ means, sums, parameters }, place) => {
        assert.deepEqual(sums, expected[place]?.sums)
        for (const [mine, theirs] of [
          ...means.map((mean, round) => [mean, expected[place]?.means[round]] as const),
          [parameters, expected[place]?.parameters] as const,
        ])
          mine.forEach((value, i) => {
            assert.ok(Math.abs(value - (theirs?.[i] as number)) <= 1e-2, `${value} and ${theirs?.[i]}`)
          })
      })
      for (const { parameters } of found) assert.deepEqual(parameters, found[0]?.parameters)
    })
})
