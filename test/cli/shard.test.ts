// Which part of a sweep a process computes, as schedulers number their tasks.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Arguments } from '../../src/cli/command.js'
import { givenShard } from '../../src/cli/shard.js'
import { valuesOf } from '../../src/options/sweep-values.js'

const args = (shard: string): Arguments => ({
  operand: '',
  operands: [],
  values: new Map([['shard', shard]]),
  words: [],
})
const slurm = (...numbers: readonly (number | undefined)[]): NodeJS.ProcessEnv =>
  Object.fromEntries(
    ['ID', 'MIN', 'MAX', 'COUNT', 'STEP'].flatMap((name, i) =>
      numbers[i] === undefined ? [] : [[`SLURM_ARRAY_TASK_${name}`, String(numbers[i])]],
    ),
  )
const aws = (index: number, size?: number): NodeJS.ProcessEnv => ({
  AWS_BATCH_JOB_ARRAY_INDEX: String(index),
  ...(size !== undefined && { AWS_BATCH_JOB_ARRAY_SIZE: String(size) }),
})

describe('parts', () => {
  for (const [given, env, expected] of [
    ['2/4', slurm(1, 1, 4, 4), [2, 4, undefined]],
    ['1/1', {}, [1, 1, undefined]],
    // --array=1-4, 0-3, 10-40:10, 7
    ['auto', slurm(3, 1, 4, 4), [3, 4, 'SLURM_ARRAY_TASK_ID 3']],
    ['auto', slurm(0, 0, 3, 4), [1, 4, 'SLURM_ARRAY_TASK_ID 0']],
    ['auto', slurm(30, 10, 40, 4, 10), [3, 4, 'SLURM_ARRAY_TASK_ID 30']],
    ['auto', slurm(7, 7, 7, 1), [1, 1, 'SLURM_ARRAY_TASK_ID 7']],
    // One task of an array of four, submitted again.
    ['auto/4', slurm(3, 3, 3, 1), [3, 4, 'SLURM_ARRAY_TASK_ID 3']],
    ['auto', aws(0, 4), [1, 4, 'AWS_BATCH_JOB_ARRAY_INDEX 0']],
    ['auto/4', aws(3), [4, 4, 'AWS_BATCH_JOB_ARRAY_INDEX 3']],
    ['auto/4', { JOB_COMPLETION_INDEX: '0' }, [1, 4, 'JOB_COMPLETION_INDEX 0']],
  ] as const)
    test(`${given} with ${JSON.stringify(env)}`, () => {
      const shard = givenShard(args(given), env)
      assert.deepEqual([shard?.index, shard?.count, shard?.from], expected)
    })
})

describe('refused', () => {
  const all = 'SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX, JOB_COMPLETION_INDEX'
  for (const [given, env, message] of [
    ['0/4', {}, '--shard: found 0 of 4, expected the first to be 1 up to the second'],
    ['5/4', {}, '--shard: found 5 of 4, expected the first to be 1 up to the second'],
    ['2', {}, '--shard: found "2", expected 2/4 (the second of four), auto or auto/4'],
    ['two/4', {}, '--shard: found "two/4", expected 2/4 (the second of four), auto or auto/4'],
    ['auto', {}, `--shard: found auto, and none of ${all} in the environment`],
    [
      'auto',
      { JOB_COMPLETION_INDEX: '2' },
      '--shard: found auto with JOB_COMPLETION_INDEX 2, which does not say how many parts there are',
    ],
    ['auto', slurm(5, 1, 9, 3), '--shard: found auto in a Slurm array of 3 tasks from 1 to 9'],
    [
      'auto/4',
      slurm(0, 0, 3, 4),
      '--shard: SLURM_ARRAY_TASK_ID 0: found 0 of 4, expected the first to be 1 up to the second',
    ],
  ] as const)
    test(`${given} with ${JSON.stringify(env)}`, () => {
      assert.throws(() => givenShard(args(given), env), { code: 'usage', message })
    })
})

test('parts have every value once, those of each as far apart as they are many', () => {
  const values = [0.1, 0.2, 0.3, 0.4, 0.5]
  const parts = [1, 2, 3].map((index) => valuesOf({ kind: 'sparsity', values }, { index, count: 3 }))
  assert.deepEqual(parts, [[0.1, 0.4], [0.2, 0.5], [0.3]])
  assert.deepEqual(valuesOf({ kind: 'sparsity', values }, { index: 6, count: 6 }), [])
})
