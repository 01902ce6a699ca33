// Weights <-> a stream of as many bits as their codes are worth, and two scales per tensor (encoding entropy). The
// stream is entropy-codec.ts, its probabilities code-model.ts.
import { dataViewOf } from '../tensor/bytes.js'
import { FLOAT_TYPES } from '../tensor/data-type.js'
import { countCodes } from '../tensor/ternary.js'
import type { CodeModel } from './code-model.js'
import type { Decoding } from './decoding.js'
import type { Encoding } from './encoding.js'
import { contextsOf, decodeEntropy, encodeEntropy } from './entropy-codec.js'
import { NONCONFORMING, packedError } from './packed-error.js'
import type { TernaryForm } from './stored-form.js'
import { checkScales, checkWeights, decodeWeights, readScales, SCALE_BYTES, writeScales } from './ternary-values.js'

export const entropyDecoding: Decoding<Extract<TernaryForm, { encoding: 'entropy' }>> = {
  id: 5,
  name: 'entropy',
  types: FLOAT_TYPES,
  parameterBytes: SCALE_BYTES + 2,
  checkParameters: (parameters, _dims, place, models) => {
    checkScales(parameters, place)
    const index = modelIndex(parameters)
    if (index >= models.length)
      throw packedError(place, `model ${index}`, `less than ${models.length}, the file's models`, NONCONFORMING)
  },
  byteLength: () => undefined,
  decode: (stored, bytes, where, models) => {
    const model = modelIndex(stored.parameters)
    const codes = (): Int8Array => decodeEntropy(bytes, stored.dims, models[model] as CodeModel, where)
    return decodeWeights(stored, where, codes, { encoding: 'entropy', model })
  },
}

export const entropyEncoding: Encoding<Extract<TernaryForm, { encoding: 'entropy' }>> = {
  decoding: entropyDecoding,
  bits: undefined,
  isArray: false,
  poolWidth: () => 1,
  writeParameters: (form) => {
    const parameters = new Uint8Array(SCALE_BYTES + 2)
    parameters.set(writeScales(form))
    dataViewOf(parameters).setUint16(SCALE_BYTES, form.model, true)
    return parameters
  },
  check: checkWeights,
  encode: ({ dims }, { codes, model }, _where, models) =>
    encodeEntropy(codes, dims, contextsOf(codes, dims), models[model] as CodeModel),
  summarize: ({ dims, parameters }, bytes, where, models) => ({
    ...readScales(parameters),
    ...countCodes(decodeEntropy(bytes, dims, models[modelIndex(parameters)] as CodeModel, where)),
  }),
}

function modelIndex(parameters: Uint8Array): number {
  return dataViewOf(parameters).getUint16(SCALE_BYTES, true)
}
