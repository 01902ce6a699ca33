// All encodings of the format. A new one is a file of its own and a row here (and in docs/ttq-format.md).
import type { DataType } from '../tensor/data-type.js'
import type { Encoding } from './encoding.js'
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
}

const BY_ID = new Map((Object.values(ENCODINGS) as Encoding[]).map((encoding) => [encoding.id, encoding]))

/** The encoding with this id, or undefined when this version of ttq does not know it. */
export function encodingWithId(id: number): Encoding | undefined {
  return BY_ID.get(id)
}

/** The encoding of a form, which takes that form (a table's types cannot say so). */
export function encodingOf(form: StoredForm): Encoding {
  return ENCODINGS[form.encoding] as Encoding
}

/** Bytes that a tensor of this type and shape takes in the data section in this form. */
export function dataBytes(form: StoredForm, type: DataType, dims: readonly number[]): number {
  const encoding = encodingOf(form)
  return encoding.byteLength({ type, dims, parameters: encoding.writeParameters(form) })
}

/** The same with the parameters in its table entry, the scales of ternary2. */
export function storedBytes(form: StoredForm, type: DataType, dims: readonly number[]): number {
  return dataBytes(form, type, dims) + encodingOf(form).parameterBytes
}
