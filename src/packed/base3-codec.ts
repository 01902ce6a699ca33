// Ternary codes <-> five per byte (encoding base3). Scales and values are base3-encoding.ts.
//
// A byte is the number d0 + 3 d1 + 9 d2 + 27 d3 + 81 d4 of the digits of five codes, 0 for 0, 1 for +1, 2 for -1, the
// first code's the lowest. 243 to 255 are never written and refused; missing digits of the last byte are 0.
import { NONCONFORMING, packedError } from './packed-error.js'

const CODES_PER_BYTE = 5
const BYTES = 3 ** CODES_PER_BYTE

/** Byte -> its five codes. */
const CODES_OF_BYTE = new Int8Array(BYTES * CODES_PER_BYTE)
for (let byte = 0; byte < BYTES; byte++) {
  for (let place = 0, left = byte; place < CODES_PER_BYTE; place++, left = Math.floor(left / 3))
    CODES_OF_BYTE[CODES_PER_BYTE * byte + place] = left % 3 === 2 ? -1 : left % 3
}

/** Bytes that `count` codes take. */
export function base3ByteLength(count: number): number {
  return Math.ceil(count / CODES_PER_BYTE)
}

/** Codes of -1, 0 and 1 in base3ByteLength(codes.length) bytes. */
export function encodeBase3(codes: Int8Array): Uint8Array {
  const bytes = new Uint8Array(base3ByteLength(codes.length))
  // -1 as 2, by its two bits 11 less the upper one.
  const digit = (i: number): number => ((codes[i] as number) & 3) - (((codes[i] as number) & 3) >> 1)
  const whole = Math.floor(codes.length / CODES_PER_BYTE)
  for (let byte = 0, i = 0; byte < whole; byte++, i += CODES_PER_BYTE)
    bytes[byte] = digit(i) + 3 * digit(i + 1) + 9 * digit(i + 2) + 27 * digit(i + 3) + 81 * digit(i + 4)
  for (let i = whole * CODES_PER_BYTE, factor = 1; i < codes.length; i++, factor *= 3)
    bytes[whole]! += factor * digit(i)
  return bytes
}

/**
 * Reads `count` codes; law: decodeBase3 of what encodeBase3 wrote is the codes.
 * @param bytes exactly base3ByteLength(count) bytes
 * @throws TtqError `packed` for bytes above 242 and digits behind the last code
 */
export function decodeBase3(bytes: Uint8Array, count: number, where: string): Int8Array {
  const unused = bytes.findIndex((byte) => byte >= BYTES)
  if (unused >= 0) throw packedError(where, `byte ${bytes[unused]} at ${unused}`, `at most ${BYTES - 1}`, NONCONFORMING)
  const padded = new Int8Array(CODES_PER_BYTE * bytes.length)
  for (let byte = 0, i = 0; byte < bytes.length; byte++, i += CODES_PER_BYTE) {
    const from = CODES_PER_BYTE * (bytes[byte] as number)
    for (let place = 0; place < CODES_PER_BYTE; place++) padded[i + place] = CODES_OF_BYTE[from + place] as number
  }
  if (padded.subarray(count).some((code) => code !== 0))
    throw packedError(where, `digits behind code ${count - 1} that are not 0`, 'zeros', NONCONFORMING)
  return padded.subarray(0, count)
}
