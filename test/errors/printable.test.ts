// Nothing that is shown can drive a terminal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable, printableJson, printableLines } from '../../src/errors/printable.js'

const NASTY = 'a\u001b[31mb\u009b2Jc\u0007\u202ed\re\u2028f'

test('no control character is left, nor anything that turns text around', () => {
  assert.equal(printable(NASTY), 'a?[31mb?2Jc??d?e?f')
  assert.equal(printable('two\nlines'), 'two?lines')
  assert.equal(printableLines(`x\n${NASTY}\n`), 'x\na?[31mb?2Jc??d?e?f\n')
  assert.equal(printable('grüße, 日本, 🙂'), 'grüße, 日本, 🙂')
})

test('JSON says the same, escaped', () => {
  const json = printableJson({ [NASTY]: NASTY })
  // eslint-disable-next-line no-control-regex -- they are what must not be there
  assert.doesNotMatch(json, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/)
  assert.deepEqual(JSON.parse(json), { [NASTY]: NASTY })
})
