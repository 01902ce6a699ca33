// Deflated sections: writing them, and inflating them without trusting what they claim.
import { deflateSync } from 'fflate'
import { inflate, type InflatedStream, TooMuch } from './inflate.js'
import { NONCONFORMING, packedError } from './packed-error.js'

// Pinned, because fflate chooses `mem` by a logarithm, whose last digit may differ between machines.
const DEFLATE = { level: 9, mem: 8 } as const

/** A raw deflate stream (RFC 1951). At once: fflate 0.8.3 writes wrong streams of few bytes piece by piece. */
export function deflated(bytes: Uint8Array): Uint8Array {
  return deflateSync(bytes, DEFLATE)
}

/**
 * A stream that goes on behind what was promised ends the work there, be it of gigabytes.
 * @throws TtqError `packed` where it is not exactly as long as the header says, or ends before its bytes do
 */
export function inflated(bytes: Uint8Array, length: number, where: string): Uint8Array {
  const expected = `${length} bytes`
  let stream: InflatedStream
  try {
    stream = inflate(bytes, length)
  } catch (cause) {
    const found = cause instanceof TooMuch ? 'more inflated bytes' : 'bytes that are not a deflate stream'
    throw packedError(where, found, expected, NONCONFORMING, cause)
  }
  const { result, behind } = stream
  if (result.length !== length) throw packedError(where, `${result.length} inflated bytes`, expected, NONCONFORMING)
  if (behind > 0) throw packedError(where, 'bytes behind the stream', 'none', NONCONFORMING)
  return result
}
