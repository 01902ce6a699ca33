// When two tensors are the same: not nearly, bit for bit.
import { bytesOf } from './bytes.js'
import type { Tensor } from './tensor.js'

/** Whether type, shape and every bit of the values are equal (0 and -0 are not, a NaN is equal to itself). */
export function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a === b) return true
  return a.type === b.type && sameShape(a, b) && sameData(a.data, b.data)
}

export function sameShape(a: Pick<Tensor, 'dims'>, b: Pick<Tensor, 'dims'>): boolean {
  return a.dims.length === b.dims.length && a.dims.every((dim, axis) => dim === b.dims[axis])
}

function sameData(a: Tensor['data'], b: Tensor['data']): boolean {
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((text, i) => text === b[i])
  return sameBytes(bytesOf(a as Uint8Array), bytesOf(b as Uint8Array))
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
