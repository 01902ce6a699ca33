// How one full-precision tensor is stored when not as it is. Which tensors get which form is their owner's choice
// (PackedModel.rest).
import { type FloatType, isFloatType, FLOAT_TYPES } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkInt8, encodeInt8, int8ByteLength, type Int8Weights } from './int8-codec.js'
import { encodeFloat16, float16ByteLength, FLOAT16_TYPES, isFloat16Type } from './float16-codec.js'
import { packedError } from './packed-error.js'

/** The element types that int8 stands for. */
export const INT8_TYPES = FLOAT_TYPES

export type RestForm = { readonly encoding: 'float16' } | ({ readonly encoding: 'int8' } & Int8Weights)

const LEAVE = 'Leave this tensor as it is.'

/**
 * Checks that a form can store a tensor without loss; float16's values are checked when they are written.
 * @throws TtqError `packed`
 */
export function checkForm(tensor: Tensor, form: RestForm, where: string): void {
  if (form.encoding === 'float16') {
    if (!isFloat16Type(tensor.type))
      throw packedError(where, `element type ${tensor.type} in float16`, FLOAT16_TYPES.join(', '), LEAVE)
    return
  }
  if (!isFloatType(tensor.type))
    throw packedError(where, `element type ${tensor.type} in int8`, INT8_TYPES.join(', '), LEAVE)
  checkInt8(tensor as Tensor<FloatType>, form, where)
}

/** Bytes that a tensor takes in this form. */
export function formByteLength({ dims, data }: Tensor, form: RestForm): number {
  return form.encoding === 'float16' ? float16ByteLength(data.length) : int8ByteLength(dims, data.length, form.axis)
}

/** Writes a tensor that checkForm has let through. @throws TtqError `packed` for values that float16 does not hold */
export function encodeForm({ data }: Tensor, form: RestForm, target: Uint8Array, where: string): void {
  if (form.encoding === 'float16') encodeFloat16(data as Float32Array, target, where)
  else encodeInt8(form, target)
}
