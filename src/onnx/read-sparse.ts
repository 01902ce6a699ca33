// SparseTensorProto -> Tensor: to every operator but the one that makes it, a sparse constant is what it stands for.
// https://onnx.ai/onnx/repo-docs/IR.html#sparse-tensors (values, and where they stand: flat, or one index per axis)
import { TtqError } from '../errors/ttq-error.js'
import { viewOf } from '../tensor/bytes.js'
import { byteLength, DATA_TYPES } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { type GraphProto, type TensorProto, toNumber } from './proto.js'
import { readTensor, type TensorSource } from './read-tensor.js'

export type SparseTensorProto = GraphProto['sparseInitializer'][number]

/** A few bytes of a file may say that a tensor takes any amount of memory: it takes so many, or so many per value. */
const MOST_BYTES = 2 ** 24
const MOST_PER_VALUE = 256

/**
 * The tensor with its zeros.
 * @returns undefined for one that is too large for its values, and of strings and elements below a byte
 * @throws TtqError `model` for places outside of it, or as readTensor
 * @internal
 */
export function readSparse(proto: SparseTensorProto, where: string, source: TensorSource): Tensor | undefined {
  const dims = (proto.dims ?? []).map(toNumber)
  const count = elementCount(dims)
  if (!proto.values || !proto.indices || !dims.every((dim) => dim >= 0) || !Number.isSafeInteger(count))
    return undefined
  const own = { ...source, overwrite: false }
  const {
    type,
    dims: [length = 0],
    data: values,
  } = readTensor(proto.values as TensorProto, where, own)
  if (type === 'string' || DATA_TYPES[type].bits < 8 || values.length !== length) return undefined
  const bytes = byteLength(type, count)
  if (bytes > Math.max(MOST_BYTES, MOST_PER_VALUE * length)) return undefined
  const data = viewOf(type, new Uint8Array(bytes)) as Float32Array
  const { dims: shape, data: indices } = readTensor(proto.indices as TensorProto, `${where}: indices`, own)
  const perValue = shape.length === 2 ? dims.length : 1
  const refuse = (found: string, expected: string): never => {
    throw new TtqError('model', `${where}: found ${found}, expected ${expected}`, { facts: { found, expected } })
  }
  if (indices.length !== length * perValue)
    refuse(`${indices.length} indices for ${length} values`, `${perValue} for each`)
  for (let i = 0; i < length; i++) {
    const place = Array.from({ length: perValue }, (_, axis) => Number(indices[i * perValue + axis]))
    const isInside = place.every(
      (index, axis) => index >= 0 && index < (perValue === 1 ? count : (dims[axis] as number)),
    )
    if (!isInside) refuse(`value ${i} at [${place.join(',')}]`, `places in [${dims.join(',')}]`)
    const flat =
      perValue === 1
        ? (place[0] as number)
        : place.reduce((sum, index, axis) => sum * (dims[axis] as number) + index, 0)
    data[flat] = values[i] as number
  }
  return { type, dims, data }
}
