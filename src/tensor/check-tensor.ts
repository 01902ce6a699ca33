// Whether what a caller hands over is a Tensor.
import { checkCount, checkObject, wrongArgument } from '../errors/check-argument.js'
import { TtqError } from '../errors/ttq-error.js'
import type { DataType } from './data-type.js'
import { elementCount, type Tensor } from './tensor.js'

/**
 * @throws TtqError `usage` for what is no Tensor of one of these types, or has more or fewer values than its dims say
 */
export function checkTensor(name: string, tensor: Tensor, types: readonly DataType[]): void {
  checkObject(name, tensor, 'a Tensor')
  const { type, dims, data } = tensor as Partial<Tensor>
  checkType(`${name}.type`, type, types)
  checkDims(`${name}.dims`, dims)
  if (!ArrayBuffer.isView(data)) throw wrongArgument(`${name}.data`, data, 'an array of numbers, as a Float32Array')
  checkCount(`${name}.data`, data.length, elementCount(dims as readonly number[]))
}

/** @throws TtqError `usage` unless it is one of these */
export function checkType(name: string, type: unknown, types: readonly DataType[]): void {
  if (types.includes(type as DataType)) return
  const expected = types.join(', ')
  if (typeof type !== 'string') throw wrongArgument(name, type, expected)
  throw new TtqError('usage', `${name}: found ${type}, expected ${expected}`, { facts: { argument: name } })
}

/** @throws TtqError `usage` unless they are dimensions */
export function checkDims(name: string, dims: unknown): void {
  if (!Array.isArray(dims) || !dims.every((dim) => Number.isInteger(dim) && dim >= 0))
    throw wrongArgument(name, dims, 'whole numbers, as [2, 3]')
}
