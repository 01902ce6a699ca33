// Learning rate over the course of training.

import type { ScheduleName } from '../options/choices.js'

interface Schedule {
  /**
   * `cosine`: half a cosine down to zero (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts); `step`: a
   * tenth after each drop.
   */
  kind: ScheduleName
  /** Highest learning rate. */
  peak: number
  /** Steps over which the rate rises linearly from zero; at most a fifth of all steps. */
  warmup: number
  /** All steps of the training. */
  steps: number
  /** For `step`: the shares of the training after which the rate drops, between 0 and 1. */
  drops: readonly number[]
}

/** What a drop leaves of the rate. */
const DROP = 0.1

/** A value that goes in a line from its first to its last step. @param step 0-based, of so many */
export function alongLine(from: number, to: number, step: number, steps: number): number {
  return from + (to - from) * Math.min(1, step / Math.max(1, steps - 1))
}

/** Steps over which the rate rises: as many as are asked for, and at most a fifth of all. */
export function warmupSteps({ warmup, steps }: Pick<Schedule, 'warmup' | 'steps'>): number {
  return Math.min(warmup, Math.floor(steps / 5))
}

/**
 * Linear warm-up, then what the schedule says.
 * @param step 0-based
 */
export function learningRate({ kind, peak, warmup, steps, drops }: Schedule, step: number): number {
  const rise = warmupSteps({ warmup, steps })
  if (step < rise) return (peak * (step + 1)) / rise
  switch (kind) {
    case 'cosine':
      return (peak / 2) * (1 + Math.cos((Math.PI * (step - rise)) / Math.max(1, steps - rise)))
    case 'step':
      return peak * DROP ** drops.filter((share) => step >= Math.round(share * steps)).length
    case 'constant':
      return peak
  }
}
