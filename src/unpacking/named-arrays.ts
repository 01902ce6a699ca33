// A packed network as arrays with names, for files that Python reads: each ternary tensor `w` as `w.codes` (int8, its
// shape) and `w.scales` (Wp and Wn), every other tensor as it is, those that are stored in 16 bits in float16.
import { TtqError } from '../errors/ttq-error.js'
import type { PackedModel } from '../packed/packed-model.js'
import { bytesOf } from '../tensor/bytes.js'
import type { DataType, FloatType } from '../tensor/data-type.js'
import { numbersOf, numberToFloat16 } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'

export interface NamedArray {
  name: string
  type: DataType
  dims: readonly number[]
  /** Little-endian, row-major. */
  bytes: Uint8Array
}

/**
 * @param types those that the file has, by DataType; @param format the file's name in messages
 * @throws TtqError `unsupported` for a tensor of another type, and where two arrays would have one name
 */
export function namedArrays(
  { model, ternary, rest }: Required<PackedModel>,
  types: Readonly<Partial<Record<DataType, string>>>,
  format: string,
): NamedArray[] {
  const arrays: NamedArray[] = []
  const add = (name: string, { type, dims, data }: Tensor): void => {
    if (types[type] === undefined)
      throw new TtqError('unsupported', `tensor "${name}": found element type ${type}, which ${format} has no name for`)
    if (arrays.some((array) => array.name === name))
      throw new TtqError('unsupported', `${format}: found two arrays of the name "${name}", expected each name once`)
    arrays.push({ name, type, dims, bytes: bytesOf(data as Uint8Array) })
  }
  for (const [name, tensor] of model.graph.initializers) {
    const weights = ternary.get(name)
    if (weights !== undefined) {
      add(`${name}.codes`, { type: 'int8', dims: tensor.dims, data: weights.codes })
      add(`${name}.scales`, { type: 'float32', dims: [2], data: Float32Array.of(weights.wp, weights.wn) })
    } else if (rest.get(name)?.encoding === 'float16') {
      const data = Uint16Array.from(numbersOf(tensor as Tensor<FloatType>), numberToFloat16)
      add(name, { type: 'float16', dims: tensor.dims, data })
    } else add(name, tensor)
  }
  return arrays
}
