// Ternary codes <-> 2 bits each (encoding ternary2). Scales and float values are ternary2-encoding.ts.
//
// A code is stored as its two's complement: 00 is 0, 01 is +1, 11 is -1; 10 is never written and refused. Four codes
// make a byte, the first in the lowest bits; unused bits of the last byte are 0. So the bytes are those of an ONNX INT2
// tensor.
import { checkBytes, checkCount, checkKind, checkWhole } from '../errors/check-argument.js'
import { TtqError } from '../errors/ttq-error.js'
import { NONCONFORMING, packedError } from './packed-error.js'

/** Bytes that `count` codes take. @throws TtqError `usage` unless it is a whole number from 0 */
export function ternaryByteLength(count: number): number {
  checkWhole('count', count)
  return codeBytes(count)
}

/** The same where it is known to be one: the browser's decoder has no room for the question. */
export function codeBytes(count: number): number {
  return Math.ceil(count / 4)
}

/**
 * Writes codes into `target`, ternaryByteLength(codes.length) bytes from its start.
 * @throws TtqError `packed` when a code is not -1, 0 or 1; `usage` for what are no codes, or no room
 */
export function encodeTernary(codes: Int8Array, target: Uint8Array, where = 'ternary codes'): void {
  checkKind('codes', codes, 'Int8Array')
  checkBytes('target', target)
  const length = codeBytes(codes.length)
  if (target.length < length) throw new TtqError('usage', `target: found ${target.length} bytes, expected ${length}`)
  const whole = codes.length >> 2
  let bad = 0
  for (let byte = 0, i = 0; byte < whole; byte++, i += 4) {
    const a = codes[i] as number
    const b = codes[i + 1] as number
    const c = codes[i + 2] as number
    const d = codes[i + 3] as number
    bad |= outOfRange(a) | outOfRange(b) | outOfRange(c) | outOfRange(d)
    target[byte] = (a & 3) | ((b & 3) << 2) | ((c & 3) << 4) | ((d & 3) << 6)
  }
  let last = 0
  for (let i = whole * 4; i < codes.length; i++) {
    bad |= outOfRange(codes[i] as number)
    last |= ((codes[i] as number) & 3) << (2 * (i & 3))
  }
  if (codes.length % 4 !== 0) target[whole] = last
  if (bad !== 0) throw badCode(codes, where)
}

// Unsigned, so that codes below -1 wrap around to the far end.
function outOfRange(code: number): number {
  return (code + 1) >>> 0 > 2 ? 1 : 0
}

function badCode(codes: Int8Array, where: string): Error {
  const index = codes.findIndex((code) => outOfRange(code) !== 0)
  return packedError(
    where,
    `code ${codes[index]} at index ${index}`,
    '-1, 0 or 1',
    'Give every weight one of the three codes.',
  )
}

// byte -> its four codes; one 32-bit copy per byte (filled through an Int8Array, so in the machine's own byte order).
const CODES_OF_BYTE = new Uint32Array(256)
const codesOfByte = new Int8Array(CODES_OF_BYTE.buffer)
for (let byte = 0; byte < 256; byte++) {
  for (let place = 0; place < 4; place++) {
    codesOfByte[4 * byte + place] = (((byte >> (2 * place)) & 3) << 30) >> 30
  }
}

/**
 * Reads `count` codes; law: decodeTernary of what encodeTernary wrote is the codes.
 * @param bytes exactly ternaryByteLength(count) bytes
 * @throws TtqError `packed` for the unused code 10 and for padding bits that are not 0; `usage` for other bytes than
 * that
 */
export function decodeTernary(bytes: Uint8Array, count: number, where = 'ternary codes'): Int8Array {
  checkGiven(bytes, count)
  return readTernary(bytes, count, where)
}

/** @throws TtqError `usage` unless these are bytes, as many as `count` codes take */
export function checkGiven(bytes: Uint8Array, count: number): void {
  checkBytes('bytes', bytes)
  checkWhole('count', count)
  checkCount('bytes', bytes.length, ternaryByteLength(count))
}

/** The same of bytes whose number is known to be right. */
export function readTernary(bytes: Uint8Array, count: number, where: string): Int8Array {
  checkTernary(bytes, count, where)
  const words = new Uint32Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) words[i] = CODES_OF_BYTE[bytes[i] as number] as number
  return new Int8Array(words.buffer, 0, count)
}

/** Checks that bytes are what encodeTernary writes of as many codes. @throws TtqError `packed` as decodeTernary */
export function checkTernary(bytes: Uint8Array, count: number, where: string): void {
  let unused = 0
  for (let i = 0; i < bytes.length; i++) unused |= unusedCodes(bytes[i] as number)
  if (unused !== 0) {
    const at = bytes.findIndex((byte) => unusedCodes(byte) !== 0)
    throw packedError(where, `the unused code 10 in byte ${at}`, '00, 01 or 11', NONCONFORMING)
  }
  const last = bytes[bytes.length - 1] ?? 0
  if (count % 4 !== 0 && last >> (2 * (count % 4)) !== 0) {
    throw packedError(
      where,
      `padding bits ${(last >> (2 * (count % 4))).toString(2)} after code ${count - 1}`,
      'zeros',
      NONCONFORMING,
    )
  }
}

// The upper bits of those pairs whose upper bit stands alone.
function unusedCodes(byte: number): number {
  return byte & 0xaa & ~(byte << 1)
}
