// Whether anything of a network's constants was changed.
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import { sameShape, sameTensor } from '../tensor/same-tensor.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Model } from './model.js'

/**
 * Whether two networks have the same initializers under the same names: bit for bit, but for the sign of zeros, which
 * weights have that were multiplied by a mask, and codes do not.
 */
export function sameConstants({ graph: a }: Model, { graph: b }: Model): boolean {
  return (
    a.initializers.size === b.initializers.size &&
    [...a.initializers].every(([name, tensor]) => {
      const other = b.initializers.get(name)
      return other !== undefined && (sameTensor(tensor, other) || sameNumbers(tensor, other))
    })
  )
}

function sameNumbers(a: Tensor, b: Tensor): boolean {
  if (a.type !== b.type || !isFloatType(a.type) || !sameShape(a, b)) return false
  const other = numbersOf(b as Tensor<FloatType>)
  return numbersOf(a as Tensor<FloatType>).every((value, i) => value === other[i])
}
