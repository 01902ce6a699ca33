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
  if (a.length !== b.length) return false
  // Four at a time, where both can be read so.
  const words = (a.byteOffset | b.byteOffset) % 4 === 0 ? Math.floor(a.length / 4) : 0
  const [x, y] = [a, b].map(({ buffer, byteOffset }) => new Int32Array(buffer, words === 0 ? 0 : byteOffset, words))
  for (let i = 0; i < words; i++) if (x?.[i] !== y?.[i]) return false
  for (let i = 4 * words; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
