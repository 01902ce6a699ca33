// Threads of ranks: those on the same cores share them, and none has more than another.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareOfCores } from '../../src/execution/share-of-cores.js'

for (const [what, ranks, expected] of [
  ['one rank per machine', ['a 0-7', 'b 0-7'], 8],
  ['four on one machine', ['a 0-7', 'a 0-7', 'a 0-7', 'a 0-7'], 2],
  ['each bound to a part', ['a 0-3', 'a 4-7'], 4],
  ['more ranks than cores', ['a 0-1', 'a 0-1', 'a 0-1'], 1],
  ['machines that are not alike', ['a 0-7', 'b 0-3', 'b 0-3'], 2],
] as const)
  test(what, () => {
    const all = ranks.map((where) => {
      const [first, last] = (/(\d)-(\d)/.exec(where) ?? []).slice(1).map(Number) as [number, number]
      return { where, count: last - first + 1 }
    })
    assert.equal(shareOfCores(all), expected)
  })
