// The loss of each sample, where a network decides for one class per sample: for comparing two ways on the same
// samples, whose difference says more than the difference of two means.
import type { ValueName } from '../onnx/model.js'
import { labelsFor } from './candidate.js'
import type { Task } from './task.js'
import type { BatchReader, RunBatch } from './verdicts.js'

/** Samples that a standard error is taken of at least. */
const FEWEST = 16
/** Where the right class has no probability at all: below the smallest one that float32 holds. */
const MOST = 100

interface BatchLosses {
  /** Place of its first sample. */
  start: number
  losses: readonly number[]
}

export class SampleLosses implements BatchReader<BatchLosses> {
  /** Cross-entropy in nats, by the samples' places; 0 where nobody says what is right. */
  readonly all: number[] = []

  private constructor(
    private readonly scores: NonNullable<Task['scores']>,
    private readonly output: ValueName,
  ) {}

  /** undefined for a task that does not decide for one class per sample. */
  static of({ scores, outputs: [output = ''] }: Task): SampleLosses | undefined {
    return scores && new SampleLosses(scores, output)
  }

  /** The losses of a batch. */
  read({ start, count, labels, outputs }: RunBatch): BatchLosses {
    const found = this.scores(outputs, count)
    const given = labelsFor(labels, this.output)?.data
    const losses = Array.from({ length: count }, (_, row) => {
      const right = Number(given?.[row])
      const loss = Number.isInteger(right) ? -(found.logProbabilities(row)[right] ?? 0) : 0
      // What is not finite decides nothing.
      return loss < MOST ? loss : MOST
    })
    return { start, losses }
  }

  /** Batches may come in any order. */
  add({ start, losses }: BatchLosses): void {
    losses.forEach((loss, row) => {
      this.all[start + row] = loss
    })
  }
}

/**
 * Whether losses are lower than others of the same samples by more than chance lets them be: by two standard errors of
 * the mean difference. A few samples tell nothing.
 */
export function isClearlyLower(losses: readonly number[], others: readonly number[]): boolean {
  const differences = losses.map((loss, i) => (others[i] as number) - loss)
  const count = differences.length
  if (count < FEWEST) return false
  const mean = differences.reduce((sum, each) => sum + each, 0) / count
  const squares = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0)
  return mean > 2 * Math.sqrt(squares / Math.max(1, count - 1) / count)
}
