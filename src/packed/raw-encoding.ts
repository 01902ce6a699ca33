// Elements as ONNX's raw_data has them (encoding raw).
import { bytesOf, viewOf } from '../tensor/bytes.js'
import { byteLength, DATA_TYPES, type DataType } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import type { Encoding } from './encoding.js'
import type { PoolWidth } from './value-pool.js'

const STORED_TYPES = (Object.keys(DATA_TYPES) as DataType[]).filter((type) => type !== 'string')

export const rawEncoding: Encoding<{ encoding: 'raw' }> = {
  id: 0,
  name: 'raw',
  types: STORED_TYPES,
  bits: undefined,
  parameterBytes: 0,
  isArray: true,
  poolWidth: (type) => Math.max(1, DATA_TYPES[type].bits / 8) as PoolWidth,
  writeParameters: () => new Uint8Array(),
  checkParameters: () => {},
  byteLength: ({ type, dims }) => byteLength(type, elementCount(dims)),
  check: () => {},
  encode: ({ data }) => bytesOf(data as Uint8Array),
  decode: ({ type, dims }, bytes) => ({
    tensor: { type, dims, data: viewOf(type as Exclude<DataType, 'string'>, new Uint8Array(bytes)) },
    form: { encoding: 'raw' },
  }),
}
