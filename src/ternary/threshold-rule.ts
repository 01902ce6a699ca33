// From the options to the rule that sets thresholds.
import type { ThresholdRule } from '../methods/threshold.js'
import type { OptionsOf } from '../options/option-table.js'

export function thresholdRule({
  threshold,
  sparsity,
}: Pick<OptionsOf<'compress'>, 'threshold' | 'sparsity'>): ThresholdRule {
  if (threshold !== undefined) return { kind: 'constant', t: threshold }
  return sparsity === undefined ? { kind: 'auto' } : { kind: 'sparsity', r: sparsity }
}
