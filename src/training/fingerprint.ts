// What decides how a run goes on, by name, and how that of another run differs. What stands in it is for its makers to
// say: run-checkpoint.ts, and the points of a sweep.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type NameOptions, OPTIONS } from '../options/option-table.js'

/** What a run depends on: options by their names in the option table, digests of bytes in hex, and more. */
export type Fingerprint = Readonly<Record<string, string>>

/** SHA-256 of bytes, in hex. */
export function bytesDigest(bytes: Uint8Array): string {
  return digestOfPieces([bytes])
}

/** SHA-256 of pieces that lie one behind the other, in hex. Each is done with before the next one is asked for. */
export function digestOfPieces(pieces: Iterable<Uint8Array>): string {
  const hash = sha256.create()
  for (const piece of pieces) hash.update(piece)
  return bytesToHex(hash.digest())
}

/** Names of what differs, in the order of the first one. */
export function differences(found: Fingerprint, expected: Fingerprint): string[] {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)])
  return [...names].filter((key) => found[key] !== expected[key])
}

/** How messages name a part of it: an option as the caller writes it. */
export function partName(key: string, nameOptions: NameOptions): string {
  return Object.hasOwn(OPTIONS, key) ? nameOptions(key) : key
}

/** `it belongs to another run: --seed 1, now 2`. */
export function anotherRun(
  found: Fingerprint,
  expected: Fingerprint,
  different: readonly string[],
  nameOptions: NameOptions,
): string {
  const parts = different.map(
    (key) => `${partName(key, nameOptions)} ${shown(found[key])}, now ${shown(expected[key])}`,
  )
  return `it belongs to another run: ${parts.join('; ')}`
}

/** A value as messages show it: hashes are of no use to people. */
export function shown(value: string | undefined): string {
  if (value === undefined) return 'not given'
  return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 8)}...` : value
}
