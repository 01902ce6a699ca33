// Weights <-> five per byte and two scales per tensor (encoding base3): 1.6 bits that can still be read where they lie.
// The bytes are base3-codec.ts.
import { FLOAT_TYPES } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import { countCodes, type TernaryWeights } from '../tensor/ternary.js'
import { base3ByteLength, decodeBase3, encodeBase3 } from './base3-codec.js'
import type { Decoding } from './decoding.js'
import type { Encoding } from './encoding.js'
import { checkScales, checkWeights, decodeWeights, readScales, SCALE_BYTES, writeScales } from './ternary-values.js'

export const base3Decoding: Decoding<{ encoding: 'base3' } & TernaryWeights> = {
  id: 4,
  name: 'base3',
  types: FLOAT_TYPES,
  parameterBytes: SCALE_BYTES,
  checkParameters: (parameters, _dims, place) => {
    checkScales(parameters, place)
  },
  byteLength: ({ dims }) => base3ByteLength(elementCount(dims)),
  decode: (stored, bytes, where) =>
    decodeWeights(stored, where, () => decodeBase3(bytes, elementCount(stored.dims), where), { encoding: 'base3' }),
}

export const base3Encoding: Encoding<{ encoding: 'base3' } & TernaryWeights> = {
  decoding: base3Decoding,
  bits: 1.6,
  isArray: true,
  poolWidth: () => 1,
  writeParameters: writeScales,
  check: checkWeights,
  encode: (_tensor, { codes }) => encodeBase3(codes),
  summarize: ({ dims, parameters }, bytes, where) => ({
    ...readScales(parameters),
    ...countCodes(decodeBase3(bytes, elementCount(dims), where)),
  }),
}
