// Ranks that are about to do different things say so before they begin, all of them the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onCommandLine } from '../../src/options/option-table.js'
import { agree } from '../../src/training/agree.js'

const among = (said: readonly object[]) => ({ gather: () => Promise.resolve(said as never) })
const run = { ttq: '1', network: 'a'.repeat(64), seed: '1' }

test('the same on all', async () => {
  await agree(among([run, { ...run }, run]), run, onCommandLine)
})

test('the first rank that differs, and in what', async () => {
  const others = [run, { ...run, seed: '2', network: 'b'.repeat(64) }, { ...run, ttq: '2' }]
  await assert.rejects(agree(among([run, ...others]), run, onCommandLine), {
    code: 'usage',
    message:
      'ranks: found network aaaaaaaa... on rank 0 and bbbbbbbb... on rank 2; --seed 1 on rank 0 and 2 on rank 2, ' +
      'expected the same on all',
    hint: 'start all of them with the same command, the same files and the same version of ttq',
  })
})

test('what one of them leaves out', async () => {
  const said = [run, { ttq: '1', network: run.network, epochs: '3' }]
  await assert.rejects(agree(among(said), run, onCommandLine), {
    message:
      'ranks: found --seed 1 on rank 0 and not given on rank 1; --epochs not given on rank 0 and 3 on rank 1, ' +
      'expected the same on all',
  })
})
