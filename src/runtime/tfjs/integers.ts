// Arithmetic of whole numbers and truth values in plain arrays: exact, in 64 bits.
import type { DataType } from '../../tensor/data-type.js'
import { elementCount } from '../../tensor/tensor.js'
import type { Call } from './call.js'
import { integerArray, integersOf, type Value } from './value.js'

/** Whether this is for plain arrays: no operand is made of floats, and none is in TensorFlow.js alone. */
export function areIntegers(values: readonly Value[]): boolean {
  return values.every(({ isFloat, type, isOnHost }) => !isFloat && (type !== 'bool' || isOnHost))
}

/** Element by element, over dims that the operands are broadcast to. @param type of the result */
export function mapIntegers(
  call: Call,
  values: readonly Value[],
  type: DataType,
  apply: (...operands: bigint[]) => bigint,
): Value {
  const dims = broadcastDims(call, values)
  const operands = values.map((value) => ({ numbers: integersOf(value.toTensor()), at: placesIn(value.dims, dims) }))
  const results = Array.from({ length: elementCount(dims) }, (_, i) =>
    apply(...operands.map(({ numbers, at }) => numbers[at(i)] as bigint)),
  )
  return call.host({ type, dims, data: integerArray(type, results) })
}

/** Over all elements along some axes. @param axes from the front, rising */
export function reduceIntegers(
  call: Call,
  value: Value,
  axes: readonly number[],
  keepDims: boolean,
  join: (a: bigint, b: bigint) => bigint,
): Value {
  const kept = value.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
  const target = placesIn(kept, value.dims)
  const found: bigint[] = []
  integersOf(value.toTensor()).forEach((number, i) => {
    const place = target(i)
    const before = found[place]
    found[place] = before === undefined ? number : join(before, number)
  })
  if (found.length !== elementCount(kept)) call.refuse('it reduces no elements')
  const dims = keepDims ? kept : value.dims.filter((_, axis) => !axes.includes(axis))
  return call.host({ type: value.type, dims, data: integerArray(value.type, found) })
}

/** The dims that values are broadcast to, one dimension of 1 after the other. */
export function broadcastDims(call: Call, values: readonly Pick<Value, 'dims'>[]): number[] {
  const rank = Math.max(...values.map(({ dims }) => dims.length))
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = new Set(values.map(({ dims }) => dims.at(axis - rank) ?? 1))
    if (sizes.size > 1) sizes.delete(1)
    const [size, other] = sizes
    if (other !== undefined) call.refuse(`found dims ${values.map(({ dims }) => `[${dims.join()}]`).join(' and ')}`)
    return size as number
  })
}

// Place of an element in what is broadcast -> place of the element that it is a copy of.
function placesIn(dims: readonly number[], wide: readonly number[]): (place: number) => number {
  if (elementCount(dims) === 1) return () => 0
  if (elementCount(dims) === elementCount(wide)) return (place) => place
  const offset = wide.length - dims.length
  return (place) => {
    let [rest, found, step] = [place, 0, 1]
    for (let axis = wide.length - 1; axis >= 0; axis--) {
      const size = wide[axis] as number
      const own = axis < offset ? 1 : (dims[axis - offset] as number)
      if (own > 1) found += (rest % size) * step
      rest = Math.floor(rest / size)
      step *= own
    }
    return found
  }
}
