// Deflated sections: writing them, and inflating them without trusting what they claim.
import { deflateSync, Inflate } from 'fflate'
import { NONCONFORMING, packedError } from './packed-error.js'

// Pinned, because fflate chooses `mem` by a logarithm, whose last digit may differ between machines.
const DEFLATE = { level: 9, mem: 8 } as const

/** A raw deflate stream (RFC 1951). At once: fflate 0.8.3 writes wrong streams of few bytes piece by piece. */
export function deflated(bytes: Uint8Array): Uint8Array {
  return deflateSync(bytes, DEFLATE)
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    result.set(piece, at)
    at += piece.length
  }
  return result
}

/** Bytes that are given to the inflater at once. */
const PIECE = 2 ** 16

/** Ends the inflater. */
class TooMuch extends Error {}

/**
 * Piece by piece: a stream that goes on behind what was promised ends the work there, be it of gigabytes.
 * @throws TtqError `packed` where it is not exactly as long as the header says, or ends before its bytes do
 */
export function inflated(bytes: Uint8Array, length: number, where: string): Uint8Array {
  const expected = `${length} bytes`
  const result = new Uint8Array(length)
  let done = 0
  try {
    inflate(bytes, (chunk) => {
      if (done + chunk.length > result.length) throw new TooMuch()
      result.set(chunk, done)
      done += chunk.length
    })
  } catch (cause) {
    const found = cause instanceof TooMuch ? 'more inflated bytes' : 'bytes that are not a deflate stream'
    throw packedError(where, found, expected, NONCONFORMING, cause)
  }
  if (done !== result.length) throw packedError(where, `${done} inflated bytes`, expected, NONCONFORMING)
  if (isWhole(bytes.subarray(0, -1))) throw packedError(where, 'bytes behind the stream', 'none', NONCONFORMING)
  return result
}

/** @throws Error where the bytes end before the stream does, or are none */
function inflate(bytes: Uint8Array, take: (chunk: Uint8Array) => void): void {
  // The inflater takes nothing for a stream of nothing.
  if (bytes.length === 0) throw new Error('an empty stream')
  const stream = new Inflate(take)
  for (let at = 0; at < bytes.length; at += PIECE)
    stream.push(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length)
}

// The inflater does not say where a stream ended: one that needs its last byte fails without it.
function isWhole(bytes: Uint8Array): boolean {
  try {
    inflate(bytes, () => undefined)
    return true
  } catch {
    return false
  }
}
