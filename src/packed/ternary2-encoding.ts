// Weights <-> 2 bits each and two scales per tensor (encoding ternary2). The bits are ternary-codec.ts.
import { FLOAT_TYPES } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { Decoding } from './decoding.js'
import type { Encoding } from './encoding.js'
import { countTernary } from './count-ternary.js'
import { codeBytes, encodeTernary, readTernary } from './ternary-codec.js'
import { checkScales, checkWeights, decodeWeights, readScales, SCALE_BYTES, writeScales } from './ternary-values.js'

export const ternary2Decoding: Decoding<{ encoding: 'ternary2' } & TernaryWeights> = {
  id: 1,
  name: 'ternary2',
  types: FLOAT_TYPES,
  parameterBytes: SCALE_BYTES,
  checkParameters: (parameters, _dims, place) => {
    checkScales(parameters, place)
  },
  byteLength: ({ dims }) => codeBytes(elementCount(dims)),
  decode: (stored, bytes, where) =>
    decodeWeights(stored, where, () => readTernary(bytes, elementCount(stored.dims), where), {
      encoding: 'ternary2',
    }),
}

export const ternary2Encoding: Encoding<{ encoding: 'ternary2' } & TernaryWeights> = {
  decoding: ternary2Decoding,
  bits: 2,
  isArray: true,
  poolWidth: () => 1,
  writeParameters: writeScales,
  check: checkWeights,
  encode: (_tensor, { codes }, where) => {
    const bytes = new Uint8Array(codeBytes(codes.length))
    encodeTernary(codes, bytes, where)
    return bytes
  },
  summarize: ({ dims, parameters }, bytes, where) => ({
    ...readScales(parameters),
    ...countTernary(bytes, elementCount(dims), where),
  }),
}
