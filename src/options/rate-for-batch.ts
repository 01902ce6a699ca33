// Learning rates and the size of batches.
import type { TrainingOptions } from './training-options.js'

/** The batch that SGD's default rates were tuned with. */
export const RATE_BATCH = 128

/**
 * The default rate of SGD for another batch: proportional for smaller ones, whose gradients are noisier (linear
 * scaling, Goyal et al., arXiv 1706.02677, section 2.1). Larger ones do not raise it: that needs trying. Adam's rate
 * stays, it divides by the noise itself. (ResNet-18, 16 images of 224 x 224 a step: with 0.1 the loss rises to 10 in
 * full precision as in ternary, and ends at chance; docs/results.md.)
 */
export function rateForBatch(rate: number, { batch, optimizer }: Pick<TrainingOptions, 'batch' | 'optimizer'>): number {
  return optimizer === 'sgd' ? rate * Math.min(1, batch / RATE_BATCH) : rate
}
