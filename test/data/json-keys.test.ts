import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entriesOf } from '../../src/data/json-keys.js'
import { parseJsonl } from '../../src/data/parse-jsonl.js'

const keysOf = (text: string): string[] => entriesOf(text, JSON.parse(text) as object).map(([key]) => key)

test('keys stand as in the text, whole numbers, too', () => {
  assert.deepEqual(keysOf('{"12":1,"3":2,"label":0,"0":4}'), ['12', '3', 'label', '0'])
  assert.deepEqual(keysOf('{"b":1,"a":2}'), ['b', 'a'])
  assert.deepEqual(keysOf('{}'), [])
})

test('what only looks like a key is none, and a key may be written in another way', () => {
  assert.deepEqual(keysOf(String.raw`{ "9" : {"7":1,"a":[{"8":2}]}, "\u0031":"\"5\":,{", "0":["4","3"] }`), [
    '9',
    '1',
    '0',
  ])
  assert.deepEqual(keysOf(String.raw`{"\\":1,"2":"\\","1":3}`), ['\\', '2', '1'])
})

test('a key that stands there twice has its first place', () => {
  assert.deepEqual(entriesOf('{"2":1,"1":2,"2":3}', { 2: 3, 1: 2 }), [
    ['2', 3],
    ['1', 2],
  ])
})

test('columns of lines are in the order of the first line', () => {
  const lines = '{"12":0.5,"3":1.5,"label":0}\n{"3":3.5,"12":2.5,"label":1}\n'
  const columns = parseJsonl(new TextEncoder().encode(lines), 'a.jsonl')
  assert.deepEqual([...columns.keys()], ['12', '3', 'label'])
  assert.deepEqual([...(columns.get('12')?.data ?? [])], [0.5, 2.5])
})
