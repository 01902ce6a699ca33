// What ranks tell one another: values in the order of the ranks, failures of one to all, interruptions when all can
// stop.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { abortedWith, arrangeStandIn } from '../mpi/stand-in.js'
import { onRanks } from '../mpi/on-ranks.js'

describe('ranks', { concurrency: true }, () => {
  test('gather what each says, of any size', async () => {
    const code = `
      const ranks = await open()
      const small = await ranks.gather('small', { rank, map: new Map([['a', Float32Array.of(rank, 0.1)]]) })
      const [one, two] = await Promise.all([ranks.gather('one', rank), ranks.gather('two', new Float64Array(rank * 5000).fill(rank))])
      await ranks.finish()
      say({ small, one, lengths: two.map((each) => each.length), last: two[2].at(-1), threads: ranks.threads })`
    const said = await onRanks<{ threads: number }>(arrangeStandIn(3), code)
    for (const { threads, ...rest } of said) {
      assert.ok(threads >= 1)
      assert.deepEqual(rest, {
        small: [0, 1, 2].map((rank) => ({ rank, map: new Map([['a', Float32Array.of(rank, 0.1)]]) })),
        one: [0, 1, 2],
        lengths: [0, 5000, 10000],
        last: 2,
      })
    }
  })

  test('that have parted say where', async () => {
    const code = `
      const ranks = await open()
      await ranks.gather(rank === 0 ? 'snapshot' : 'evaluation', 1).catch((error) => say(error.message))`
    assert.deepEqual(await onRanks<string>(arrangeStandIn(2), code), [
      'internal: ranks have parted: rank 0 is at "snapshot", rank 1 at "evaluation"',
      'internal: ranks have parted: rank 1 is at "evaluation", rank 0 at "snapshot"',
    ])
  })

  test('hear of one that fails, by rank 0', async () => {
    const code = `
      const ranks = await open()
      const work = rank === 2
        ? Promise.reject(new TtqError('data', 'sample 7: found nothing', { hint: 'look at it' })) : ranks.gather('step', rank)
      try { await work } catch (error) {
        const failure = ranks.failure ?? error
        const isSaid = await ranks.leave(failure)
        if (rank === 0) await ranks.end(3, true)
        say({ isSaid, code: failure.code, message: failure.message, hint: failure.hint, aborted: ranks.signal.aborted })
      }`
    const arranged = arrangeStandIn(3)
    const [first, second, third] = await onRanks(arranged, code)
    const known = { code: 'data', hint: 'look at it', aborted: true }
    assert.deepEqual(first, { ...known, isSaid: false, message: 'rank 2: sample 7: found nothing' })
    assert.deepEqual(second, {
      isSaid: true,
      code: undefined,
      message: 'internal: rank 0 has ended all ranks',
      hint: undefined,
      aborted: true,
    })
    assert.deepEqual(third, { ...known, isSaid: true, message: 'sample 7: found nothing' })
    assert.equal(abortedWith(arranged), 3)
  })

  test('that all fail of the same say it in the words of rank 0', async () => {
    const code = `
      const ranks = await open()
      // The others are first.
      if (rank === 0) await new Promise((resolve) => setTimeout(resolve, 300))
      const error = new TtqError('training', 'diverged', { hint: rank === 0 ? 'and is kept' : undefined })
      await ranks.leave(error)
      if (rank === 0) await ranks.end(1, false)
      say([ranks.failure.message, ranks.failure.hint])`
    const [first, second] = await onRanks(arrangeStandIn(2), code)
    assert.deepEqual(first, ['diverged', 'and is kept'])
    assert.deepEqual(second, ['diverged', undefined])
  })

  test('stop together where one is interrupted between steps', async () => {
    const code = `
      const controller = new AbortController()
      const ranks = await open(controller.signal)
      ranks.holdInterruption()
      const seen = []
      for (let step = 0; step < 5 && !ranks.signal.aborted; step++) {
        if (rank === 1 && step === 2) controller.abort(new TtqError('interrupted', 'interrupted', { facts: { signal: 'SIGINT' } }))
        seen.push(step)
        const said = await ranks.gather('step', ranks.wantsToStop)
        const by = said.find((each) => each !== undefined)
        if (by !== undefined) ranks.stop(by)
      }
      // What is kept is gathered after that.
      seen.push(await ranks.gather('snapshot', rank))
      const isSaid = rank === 0 ? (await ranks.leave(ranks.signal.reason), await ranks.end(143, false)) : await ranks.leave(ranks.signal.reason)
      say({ seen, by: ranks.signal.reason.facts.signal, isSaid })`
    const [first, second] = await onRanks(arrangeStandIn(2), code)
    assert.deepEqual(first, { seen: [0, 1, 2, [0, 1]], by: 'SIGINT', isSaid: undefined })
    assert.deepEqual(second, { seen: [0, 1, 2, [0, 1]], by: 'SIGINT', isSaid: true })
  })

  test('end at once where one is interrupted elsewhere', async () => {
    const code = `
      const controller = new AbortController()
      const ranks = await open(controller.signal)
      if (rank === 1) controller.abort(new TtqError('interrupted', 'interrupted: nothing was written', { facts: { signal: 'SIGTERM' } }))
      try { for (;;) await ranks.gather('evaluation', rank) } catch (error) {
        const failure = ranks.failure ?? error
        await ranks.leave(failure)
        if (rank === 0) await ranks.end(143, false)
        say([failure.message, failure.facts?.signal])
      }`
    const [first] = await onRanks(arrangeStandIn(2), code)
    assert.deepEqual(first, ['interrupted: nothing was written', 'SIGTERM'])
  })

  for (const [what, more, message] of [
    [
      'another number of ranks',
      { counts: 1 },
      'MPI: libmpi (MPICH Version: 5.0) counts 1 ranks, expected 2 as SIZE says',
    ],
    [
      'threads',
      { provided: 0 },
      'MPI: MPICH Version: 5.0 lets one thread call only, expected MPI_THREAD_SERIALIZED at least',
    ],
  ] as const)
    test(`a library of ${what}`, async () => {
      const said = await onRanks<string>(arrangeStandIn(2, more), 'await open().catch((error) => say(error.message))')
      assert.deepEqual(said, [message, message])
    })
})
