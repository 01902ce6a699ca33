// From the options to the rule that sets thresholds.
import type { ThresholdRule } from '../methods/threshold.js'
import type { CompressOptions } from '../options/compress-options.js'

export function thresholdRule({ threshold, sparsity }: Pick<CompressOptions, 'threshold' | 'sparsity'>): ThresholdRule {
  if (threshold !== undefined) return { kind: 'constant', t: threshold }
  return sparsity === undefined ? { kind: 'auto' } : { kind: 'sparsity', r: sparsity }
}
