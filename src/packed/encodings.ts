// All encodings of the format. A new one is a file of its own and a row here (and in docs/ttq-format.md).
import { base3Encoding } from './base3-encoding.js'
import type { Encoding } from './encoding.js'
import { entropyEncoding } from './entropy-encoding.js'
import type { FormatVersion } from './format.js'
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

const BY_ID = new Map((Object.values(ENCODINGS) as unknown as Encoding[]).map((encoding) => [encoding.id, encoding]))

/** The encoding with this id, or undefined when this version of ttq does not know it. */
export function encodingWithId(id: number): Encoding | undefined {
  return BY_ID.get(id)
}

/** Whether an encoding may stand in files of a version. Version 1 has no place for models. */
export function isKnown({ id }: Encoding, version: FormatVersion): boolean {
  return version > 1 || id !== entropyEncoding.id
}

/** The encoding of a form, which takes that form (a table's types cannot say so). */
export function encodingOf(form: StoredForm): Encoding {
  return ENCODINGS[form.encoding] as unknown as Encoding
}
