// How long interrupted work may take, and that the process ends even where a thread of it does not listen.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { TtqError } from '../../src/errors/ttq-error.js'
import { unlessTooLate } from '../../src/cli/grace.js'

const GRACE = pathToFileURL(join(import.meta.dirname, '../../src/cli/grace.js')).href

for (const [signal, waits] of [
  ['SIGINT', 600_000],
  ['SIGTERM', 15_000],
] as const)
  test(`${signal}: work has ${waits} ms`, async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const controller = new AbortController()
      let ended: unknown
      const work = unlessTooLate(new Promise(() => undefined), controller.signal, 600_000).catch((error: unknown) => {
        ended = error
      })
      const reason = new TtqError('interrupted', 'interrupted', { facts: { signal } })
      controller.abort(reason)
      mock.timers.tick(waits - 1)
      await Promise.resolve()
      assert.equal(ended, undefined)
      mock.timers.tick(1)
      await work
      assert.equal(ended, reason)
    } finally {
      mock.timers.reset()
    }
  })

test('what is done in time is what comes of it', async () => {
  assert.equal(await unlessTooLate(Promise.resolve(7), new AbortController().signal, 1), 7)
})

// A derivation of a key stands for a step of training: half a minute of native code, for which process.exit waits.
const STUCK = `
import { Worker } from 'node:worker_threads'
import { endProcess, unlessTooLate } from ${JSON.stringify(GRACE)}
const work = "Promise.all([import('node:worker_threads'), import('node:crypto')]).then(([{ parentPort }, crypto]) => {" +
  "parentPort.postMessage(0); crypto.pbkdf2Sync('a', 'b', 2e7, 64, 'sha512') })"
const controller = new AbortController()
process.on('SIGTERM', () => {})
process.on('exit', () => console.log('exit'))
new Worker(work, { eval: true }).once('message', async () => {
  const never = unlessTooLate(new Promise(() => {}), controller.signal, 50).catch(() => endProcess(143, controller.signal))
  controller.abort({ facts: { signal: 'SIGTERM' } })
  setTimeout(() => {}, 60_000)
  await never
})`

test('a thread in native code does not hold the process', { skip: process.platform === 'win32' }, () => {
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', STUCK], { encoding: 'utf8' })
  assert.deepEqual([signal, stdout], ['SIGTERM', 'exit\n'])
})
