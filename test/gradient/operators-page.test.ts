// docs/operators.md says what the tables say.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { operatorsPage } from '../../bench/operators-page.js'
import { RULES } from '../../src/gradient/rule-table.js'

const PAGE = resolve(import.meta.dirname, '../../../docs/operators.md')

test('the page of operators is up to date (node dist/bench/operators-page.js writes it)', () => {
  assert.equal(readFileSync(PAGE, 'utf8').replaceAll('\r\n', '\n'), operatorsPage())
})

test('what has limits says so on the page', () => {
  const silent = Object.entries(RULES).filter(
    ([, entry]) => typeof entry === 'object' && entry.limit !== undefined && entry.except === undefined,
  )
  assert.deepEqual(
    silent.map(([name]) => name),
    [],
  )
})
