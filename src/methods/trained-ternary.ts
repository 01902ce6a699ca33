// What training leaves behind of a ternary parameter, read out of the update graph's final state for packing.
import type { ValueName } from '../onnx/model.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { codesBeyond, largestMagnitude } from './threshold.js'

/** Ternary weights as trained. */
export interface TrainedTernary extends TernaryWeights {
  /** delta / max|latent|; null for methods without a threshold in their state (twn, bwn, dorefa). */
  readonly threshold: number | null
}

/**
 * Codes and scales of one parameter after training. They are read from the quantized values themselves, so that
 * `dequantize(trainedTernary(...))` equals `value` bit for bit. A side without weights takes the other side's scale, a
 * tensor of zeros 1.
 * @param state slots of the update graph by name, after the last step
 * @param value quantized weights after the last step, [size]
 */
export function trainedTernary(
  state: ReadonlyMap<string, Float32Array>,
  value: Float32Array,
  name: ValueName,
): TrainedTernary {
  const latent = state.get(`${name}.latent`)
  if (latent === undefined) throw new Error(`internal: no latent weights of "${name}" in the state`)
  const codes = codesBeyond(value, 0)
  const levelOf = (sign: number): number => Math.abs(value[codes.indexOf(sign)] ?? 0)
  const wp = levelOf(1) || levelOf(-1) || 1
  const wn = levelOf(-1) || wp
  const levels = [-wn, 0, wp]
  if (value.some((weight, i) => weight !== levels[(codes[i] as number) + 1]))
    throw new Error(`internal: values of "${name}" are not ternary`)
  const threshold = state.get(`${name}.threshold`)?.[0]
  return {
    codes,
    wp,
    wn,
    threshold: threshold === undefined ? null : threshold / (largestMagnitude(latent) || 1),
  }
}
