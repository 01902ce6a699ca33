// What all ternary encodings have in common: the scales, and the values that codes stand for. The codes' bytes are
// ternary-codec.ts, base3-codec.ts, entropy-codec.ts.
import { dataViewOf } from '../tensor/bytes.js'
import type { FloatType } from '../tensor/data-type.js'
import { float16ToNumber, numberToFloat16 } from '../tensor/float-values.js'
import type { Tensor, TensorData } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { StoredTensor } from './decoding.js'
import { NONCONFORMING, packedError } from './packed-error.js'

export type Scales = Omit<TernaryWeights, 'codes'>

export const SCALE_BYTES = 8

export function writeScales({ wp, wn }: Scales): Uint8Array {
  const parameters = new Uint8Array(SCALE_BYTES)
  dataViewOf(parameters).setFloat32(0, wp, true)
  dataViewOf(parameters).setFloat32(4, wn, true)
  return parameters
}

export function readScales(parameters: Uint8Array): Scales {
  const view = dataViewOf(parameters)
  return { wp: view.getFloat32(0, true), wn: view.getFloat32(4, true) }
}

/** Checks scales of a file. @throws TtqError `packed` */
export function checkScales(parameters: Uint8Array, place: string): void {
  for (const [name, value] of Object.entries(readScales(parameters)))
    if (!isScale(value)) throw packedError(place, `${name} ${value}`, 'a positive, finite number', NONCONFORMING)
}

/** Codes and scales fit the tensor, and it holds their values bit for bit. @throws TtqError `packed` */
export function checkWeights({ type, data }: Tensor, { codes, wp, wn }: TernaryWeights, where: string): void {
  if (codes.length !== data.length) {
    throw packedError(
      where,
      `${codes.length} codes`,
      `${data.length}, one for each element`,
      'Give codes and values of the same tensor.',
    )
  }
  for (const [scale, value] of Object.entries({ wp, wn })) {
    if (!isScale(value))
      throw packedError(where, `${scale} ${value}`, 'a positive, finite float32', 'Round the scale with Math.fround.')
  }
  const levels = ternaryLevels(type as FloatType, { wp, wn })
  if (levels === undefined)
    throw packedError(where, `wp ${wp}, wn ${wn}`, `scales that ${type} holds exactly`, `Round the scales to ${type}.`)
  const bad = codes.findIndex((code) => code < -1 || code > 1)
  if (bad >= 0)
    throw packedError(
      where,
      `code ${codes[bad]} at index ${bad}`,
      '-1, 0 or 1',
      'Give every weight one of the three codes.',
    )
  const different = firstDifference(data, codes, levels)
  if (different < 0) return
  const expected = `${levels[(codes[different] as number) + 1]}, the value of code ${codes[different]}`
  throw packedError(
    where,
    `value ${Object.is(data[different], -0) ? '-0' : String(data[different])} at index ${different}`,
    expected,
    'Store the decoded values in the model.',
  )
}

/**
 * The tensor that codes of a file stand for, made when it is asked for: who computes with codes needs no floats.
 * @param decode gives the codes, once the scales are known to be good
 * @param how what else the form says
 * @throws TtqError `packed` where the element type does not hold the scales exactly
 */
export function decodeWeights<How extends object>(
  { type, dims, parameters }: StoredTensor,
  where: string,
  decode: () => Int8Array,
  how: How,
): { readonly tensor: Tensor; form: How & TernaryWeights } {
  const scales = readScales(parameters)
  const levels = ternaryLevels(type as FloatType, scales)
  if (levels === undefined)
    throw packedError(where, `wp ${scales.wp}, wn ${scales.wn}`, `scales that ${type} holds exactly`, NONCONFORMING)
  const codes = decode()
  return {
    form: { ...how, codes, ...scales },
    get tensor() {
      return { type, dims, data: valuesOf(codes, levels) }
    },
  }
}

// Whether a number may be wp or wn: positive, finite, exactly a float32.
function isScale(value: number): boolean {
  return value > 0 && value < Infinity && Math.fround(value) === value
}

// The stored values of codes -1, 0, 1 in this order: -wn, +0, +wp as elements of `type`; undefined when wp or wn is no
// exact value of that type (float16 only).
function ternaryLevels(type: FloatType, { wp, wn }: Scales): TensorData<FloatType> | undefined {
  if (type === 'float32') return Float32Array.of(-wn, 0, wp)
  if (type === 'float64') return Float64Array.of(-wn, 0, wp)
  const [positive, negative] = [numberToFloat16(wp), numberToFloat16(-wn)]
  const exact = float16ToNumber(positive) === wp && float16ToNumber(negative) === -wn
  return exact ? Uint16Array.of(negative, 0, positive) : undefined
}

function valuesOf(codes: Int8Array, levels: TensorData<FloatType>): TensorData<FloatType> {
  const values = new (levels.constructor as new (length: number) => TensorData<FloatType>)(codes.length)
  for (let i = 0; i < codes.length; i++) values[i] = levels[(codes[i] as number) + 1] as number
  return values
}

// The first index at which `data` is not bit for bit what code and levels stand for, or -1.
function firstDifference(data: Tensor['data'], codes: Int8Array, levels: TensorData<FloatType>): number {
  for (let i = 0; i < codes.length; i++) if (!Object.is(data[i], levels[(codes[i] as number) + 1])) return i
  return -1
}
