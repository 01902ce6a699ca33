// Deflated sections: writing them block by block, and inflating them without trusting what they claim.
import { Deflate, Inflate } from 'fflate'
import type { PartLength } from './format.js'
import { NONCONFORMING, packedError } from './packed-error.js'

// Pinned, because fflate chooses `mem` by a logarithm, whose last digit may differ between machines.
const DEFLATE = { level: 9, mem: 8 } as const

/**
 * One raw deflate stream (RFC 1951) of all pieces, each in blocks of its own: bytes of other statistics in one block
 * cost a common code (of ResNet-20's pool, 285 of 4,517 bytes).
 */
export function deflated(pieces: readonly Uint8Array[]): Uint8Array {
  const chunks: Uint8Array[] = []
  const stream = new Deflate(DEFLATE, (chunk) => chunks.push(chunk))
  const filled = pieces.filter(({ length }) => length > 0)
  filled.forEach((piece, i) => {
    const isLast = i === filled.length - 1
    stream.push(piece, isLast)
    if (!isLast) stream.flush()
  })
  return joined(chunks)
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
 * @throws TtqError `packed` where it is not exactly as long as the header says
 */
export function inflated(bytes: Uint8Array, { inflated: length }: PartLength, where: string): Uint8Array {
  const expected = `${length} bytes as the header says`
  const result = new Uint8Array(length)
  let done = 0
  const stream = new Inflate((chunk) => {
    if (done + chunk.length > result.length) throw new TooMuch()
    result.set(chunk, done)
    done += chunk.length
  })
  try {
    // The inflater takes nothing for a stream of nothing.
    if (bytes.length === 0) throw new Error('an empty stream')
    for (let at = 0; at < bytes.length; at += PIECE)
      stream.push(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length)
  } catch (cause) {
    const found = cause instanceof TooMuch ? 'more inflated bytes' : 'bytes that are not a deflate stream'
    throw packedError(where, found, expected, NONCONFORMING, cause)
  }
  if (done !== result.length) throw packedError(where, `${done} inflated bytes`, expected, NONCONFORMING)
  return result
}
