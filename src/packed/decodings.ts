// How all encodings of the format are read. How they are written is encodings.ts.
import { base3Decoding } from './base3-encoding.js'
import type { Decoding } from './decoding.js'
import { entropyDecoding } from './entropy-encoding.js'
import { float16Decoding } from './float16-encoding.js'
import type { FormatVersion } from './format.js'
import { int8Decoding } from './int8-encoding.js'
import { rawDecoding } from './raw-encoding.js'
import { ternary2Decoding } from './ternary2-encoding.js'

export const DECODINGS = [
  rawDecoding,
  ternary2Decoding,
  float16Decoding,
  int8Decoding,
  base3Decoding,
  entropyDecoding,
] as readonly Decoding[]

/** The decoding with this id, or undefined when this version of ttq does not know it. */
export function decodingWithId(id: number): Decoding | undefined {
  return DECODINGS.find((decoding) => decoding.id === id)
}

/** Whether an encoding may stand in files of a version. Version 1 has no place for models. */
export function isKnown({ id }: Decoding, version: FormatVersion): boolean {
  return version > 1 || id !== entropyDecoding.id
}
