// All encodings of the format. A new one is a file of its own and a row here and in decodings.ts (and in
// docs/ttq-format.md).
import { base3Encoding } from './base3-encoding.js'
import type { Encoding } from './encoding.js'
import { entropyEncoding } from './entropy-encoding.js'
import { float16Encoding } from './float16-encoding.js'
import { int8Encoding } from './int8-encoding.js'
import { rawEncoding } from './raw-encoding.js'
import type { StoredForm } from './stored-form.js'
import { ternary2Encoding } from './ternary2-encoding.js'

export const ENCODINGS: {
  readonly [Name in StoredForm['encoding']]: Encoding<Extract<StoredForm, { encoding: Name }>>
} = {
  raw: rawEncoding,
  ternary2: ternary2Encoding,
  float16: float16Encoding,
  int8: int8Encoding,
  base3: base3Encoding,
  entropy: entropyEncoding,
}

/** The encoding of a form, which takes that form (a table's types cannot say so). */
export function encodingOf({ encoding }: Pick<StoredForm, 'encoding'>): Encoding {
  return ENCODINGS[encoding] as unknown as Encoding
}
