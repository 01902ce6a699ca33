// What a method of quantization is: from its settings to the rule that updates one layer's weights.
import type { UpdateRule } from '../optimizer/update-rule.js'
import type { ThresholdRule } from './threshold.js'

/** What a method can be told of one layer; methods that have no use for a setting pass it over. */
export interface MethodSettings {
  threshold: ThresholdRule
  /** Whether Wp and Wn start at 1 instead of the fit: harmless only where a batch norm follows the layer. */
  scalesFromOne?: boolean
  /**
   * Latent weights to start from, in units in which the levels are -1, 0 and 1; the weights themselves are ternary
   * then. Only `ttq` has them.
   */
  latent?: Float32Array | undefined
  /**
   * Whether the latent weights stay what they are, and with them which weights are zero, positive and negative; `ttq`
   * goes on to learn Wp and Wn.
   */
  holdLatent?: boolean
}

export type Method = (settings: MethodSettings) => UpdateRule
