// How many codes of each kind there are in bytes of two bits each (encoding ternary2).
import type { TernaryCounts } from '../tensor/ternary.js'
import { checkGiven, checkTernary } from './ternary-codec.js'

const POSITIVES_OF_BYTE = new Uint8Array(256)
const NEGATIVES_OF_BYTE = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) {
  for (let place = 0; place < 8; place += 2) {
    const code = (byte >> place) & 3
    if (code === 1) POSITIVES_OF_BYTE[byte]! += 1
    if (code === 3) NEGATIVES_OF_BYTE[byte]! += 1
  }
}

/**
 * How many codes are 0, +1 and -1, without decoding them.
 * @throws TtqError `packed` as decodeTernary
 */
export function countTernary(bytes: Uint8Array, count: number, where = 'ternary codes'): TernaryCounts {
  checkGiven(bytes, count)
  checkTernary(bytes, count, where)
  let positives = 0
  let negatives = 0
  for (let i = 0; i < bytes.length; i++) {
    positives += POSITIVES_OF_BYTE[bytes[i] as number] as number
    negatives += NEGATIVES_OF_BYTE[bytes[i] as number] as number
  }
  return { zeros: count - positives - negatives, positives, negatives }
}
