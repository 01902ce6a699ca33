// The runtime's own SHA-256 beside Node's.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Sha256 } from '../../src/standalone/sha256.js'
import { randomNumbers } from '../packed/random-codes.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('the examples of FIPS 180-4', () => {
  const of = (text: string): string => {
    const hash = new Sha256()
    hash.update(new TextEncoder().encode(text))
    return hex(hash.digest())
  }
  assert.equal(of('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  assert.equal(of(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

test('messages of every length, in pieces', () => {
  const random = randomNumbers(7)
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, () => 256 * random())
    const hash = new Sha256()
    for (let at = 0; at < length;) {
      const end = at + 1 + Math.floor(90 * random())
      hash.update(bytes.subarray(at, end))
      at = end
    }
    assert.equal(hex(hash.digest()), createHash('sha256').update(bytes).digest('hex'), `${length} bytes`)
  }
})
