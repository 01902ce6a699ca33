// Whether anything of a network's constants was changed.
import { sameTensor } from '../tensor/same-tensor.js'
import type { Model } from './model.js'

/** Whether two networks have the same initializers under the same names, bit for bit. */
export function sameConstants({ graph: a }: Model, { graph: b }: Model): boolean {
  return (
    a.initializers.size === b.initializers.size &&
    [...a.initializers].every(([name, tensor]) => {
      const other = b.initializers.get(name)
      return other !== undefined && sameTensor(tensor, other)
    })
  )
}
