// The report of a sweep: plain data, schema `ttq-sweep/1`; and of a part of one, `ttq-sweep-shard/1`.
import type { Metric } from '../tasks/task.js'
import type { Measures, TaskReport } from './task-report.js'

/** One compression of a sweep. */
export interface SweepPoint {
  /** What was asked for: one of them, the other is null. */
  threshold: number | null
  targetSparsity: number | null
  /** Share of zeros among the ternary weights, as it came out. */
  sparsity: number
  /** Percent of the full test set, of the packed file read back, of a classifier. */
  top1?: number
  /** What the sweep is about: the task's main metric, or without labels how far the outputs are away. */
  score: number
  /** How much worse than the original network. */
  drop: number
  ternaryBytes: number
  fileBytes: number
  fileRatio: number
  bestEpoch: number | null
  elapsedMs: number
}

export interface SweepReport {
  schema: 'ttq-sweep/1'
  ttq: string
  model: string
  rest: string
  dataset: string
  preprocessing: string | null
  task: TaskReport
  /** What points are compared by, */
  metric: Metric
  /** and what the original has of it, by its key: of a classifier top1. */
  baseline: Measures
  onnxBytes: number
  /** In the order of the values given. */
  points: readonly SweepPoint[]
  warnings: readonly string[]
  elapsedMs: number
}

/** What one of several machines has done of a sweep. */
export interface ShardReport {
  schema: 'ttq-sweep-shard/1'
  ttq: string
  model: string
  /** Which part it was, from 1, */
  index: number
  /** of how many, */
  count: number
  /** and what said so; null: the command line. */
  from: string | null
  /** Where the points are. */
  folder: string
  /** Its own, those that were done before included. */
  points: readonly SweepPoint[]
  /** Values of the whole sweep that are not done. */
  missing: readonly number[]
}
