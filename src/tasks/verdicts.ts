// What a network decides for each sample, beside its class and what the original network decides: for tables of mix-ups
// and for the samples that are worth a look.
import type { Labels } from '../data/dataset.js'
import type { ValueName } from '../onnx/model.js'
import type { Tensor } from '../tensor/tensor.js'
import { labelsFor } from './candidate.js'
import { divergenceOf, type ClassScores } from './class-scores.js'
import type { Task } from './task.js'

export interface Verdict {
  /** The class decided for, and its probability; -1 where the scores decide nothing. */
  decided: number
  probability: number
  /** undefined where nobody says. */
  label: number | undefined
  /** What the original network decides; undefined where it was not asked. */
  original: number | undefined
  /** Kullback-Leibler divergence of the class probabilities from the original network's, nats. */
  divergence: number | undefined
}

/** The verdicts on a batch. */
interface BatchVerdicts {
  /** Place of its first sample. */
  start: number
  classes: number
  verdicts: readonly Verdict[]
}

/** A batch as it was run. */
export interface RunBatch {
  /** Place of its first sample. */
  start: number
  count: number
  labels: Labels
  outputs: readonly Tensor[]
  /** What the original network gives. */
  expected: readonly Tensor[] | undefined
}

/** Takes something down of each batch; what it reads is plain data, and may come from another process. */
export interface BatchReader<Part> {
  read(batch: RunBatch): Part
  add(part: Part): void
}

export class Verdicts implements BatchReader<BatchVerdicts> {
  /** By the samples' places. */
  readonly all: Verdict[] = []
  /** As many as scores. */
  classes = 0

  private constructor(
    private readonly scores: NonNullable<Task['scores']>,
    private readonly output: ValueName,
  ) {}

  /** undefined for a task that does not decide for one class per sample. */
  static of({ scores, outputs: [output = ''] }: Task): Verdicts | undefined {
    return scores && new Verdicts(scores, output)
  }

  /** What is decided in a batch. */
  read({ start, count, labels, outputs, expected }: RunBatch): BatchVerdicts {
    const [found, original] = [this.scores(outputs, count), expected && this.scores(expected, count)]
    const given = labelsFor(labels, this.output)
    const verdicts = Array.from({ length: count }, (_, row): Verdict => {
      const decided = found.decision(row)
      return {
        decided,
        probability: decided < 0 ? 0 : Math.exp(found.logProbabilities(row)[decided] as number),
        label: given?.data[row],
        original: original?.decision(row),
        divergence: original && divergence(original, found, row),
      }
    })
    return { start, classes: found.classes, verdicts }
  }

  /** Batches may come in any order. */
  add({ start, classes, verdicts }: BatchVerdicts): void {
    this.classes = classes
    verdicts.forEach((verdict, row) => {
      this.all[start + row] = verdict
    })
  }
}

function divergence(original: ClassScores, found: ClassScores, row: number): number {
  return divergenceOf(original.logProbabilities(row), found.logProbabilities(row))
}
