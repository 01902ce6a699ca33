// Elements as ONNX's raw_data has them (encoding raw).
import { bytesOf, viewOf } from '../tensor/bytes.js'
import { byteLength, DATA_TYPES, type DataType } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import type { Decoding } from './decoding.js'
import type { Encoding } from './encoding.js'
import type { PoolWidth } from './value-pool.js'

const STORED_TYPES = (Object.keys(DATA_TYPES) as DataType[]).filter((type) => type !== 'string')

export const rawDecoding: Decoding<{ encoding: 'raw' }> = {
  id: 0,
  name: 'raw',
  types: STORED_TYPES,
  parameterBytes: 0,
  checkParameters: () => {},
  byteLength: ({ type, dims }) => byteLength(type, elementCount(dims)),
  decode: ({ type, dims }, bytes) => ({
    tensor: { type, dims, data: viewOf(type as Exclude<DataType, 'string'>, new Uint8Array(bytes)) },
    form: { encoding: 'raw' },
  }),
}

export const rawEncoding: Encoding<{ encoding: 'raw' }> = {
  decoding: rawDecoding,
  bits: undefined,
  isArray: true,
  poolWidth: (type) => Math.max(1, DATA_TYPES[type].bits / 8) as PoolWidth,
  writeParameters: () => new Uint8Array(),
  check: () => {},
  encode: ({ data }) => bytesOf(data as Uint8Array),
}
