// Messages between ranks have one length; what does not fit is left out, the least needed first.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf } from '../../src/execution/call-failure.js'
import { failureOfRank, MESSAGE_BYTES, readMessage, writeMessage } from '../../src/execution/rank-message.js'
import { TtqError } from '../../src/errors/ttq-error.js'

const failed = (message: string, hint = 'look') =>
  ({ kind: 'failed', failure: failureOf(new TtqError('data', message, { hint, facts: { sample: 7 } })) }) as const

test('what fits comes as it was', () => {
  for (const message of [{ kind: 'done' }, { kind: 'end' }, { ...failed('short'), stack: undefined }] as const) {
    const bytes = writeMessage(message)
    assert.equal(bytes.length, MESSAGE_BYTES)
    assert.deepEqual(readMessage(bytes), JSON.parse(JSON.stringify(message)))
  }
})

test('a stack goes first, then the end of the text', () => {
  const long = failed('x'.repeat(700))
  const { failure } = readMessage(writeMessage(long)) as typeof long
  assert.deepEqual([failure.message, failure.stack, failure.facts], ['x'.repeat(700), undefined, { sample: 7 }])
  const longer = failed('ä'.repeat(900), 'ö'.repeat(900))
  const found = (readMessage(writeMessage(longer)) as typeof longer).failure
  assert.equal(found.message, 'ä'.repeat(200))
  assert.deepEqual(found.hint, ['ö'.repeat(100)])
})

test('a failure says whose it is; an interruption is that of all', () => {
  const { failure } = failed('sample 7 is gone')
  assert.equal(failureOfRank(3, failure).message, 'rank 3: sample 7 is gone')
  const interrupted = failureOf(new TtqError('interrupted', 'interrupted: nothing was written'))
  assert.equal(failureOfRank(3, interrupted).message, 'interrupted: nothing was written')
})
