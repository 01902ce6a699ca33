// Learning rate over the course of training.

export interface Schedule {
  /** Highest learning rate. */
  peak: number
  /** Steps over which the rate rises linearly from zero. */
  warmup: number
  /** All steps of the training. */
  steps: number
}

/**
 * Linear warm-up, then half a cosine down to zero (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts).
 * @param step 0-based
 */
export function cosineRate({ peak, warmup, steps }: Schedule, step: number): number {
  const rise = Math.min(warmup, Math.floor(steps / 5))
  if (step < rise) return (peak * (step + 1)) / rise
  return (peak / 2) * (1 + Math.cos((Math.PI * (step - rise)) / Math.max(1, steps - rise)))
}
