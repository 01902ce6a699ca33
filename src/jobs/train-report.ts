// The report of plain training: plain data, schema `ttq-train/1`.
import type { TrainingReport } from '../training/training-report.js'
import type { UsedData, SamplesReport } from './details-report.js'
import type { RunReport } from './run-report.js'
import type { Measures, TaskReport } from './task-report.js'

export interface TrainReport {
  schema: 'ttq-train/1'
  /** Program version that wrote it. */
  ttq: string
  model: string
  /** Path of the ONNX file; null when written to stdout or not written. */
  output: string | null
  dataset: string
  preprocessing: string
  /** Whether training started from fresh random weights; `before` is then measured with those. */
  fromScratch: boolean
  task: TaskReport
  /** The task's metrics (of a classifier top1, percent) on the full test set, before and after training. */
  before: Measures
  after: Measures
  /** Size of the trained network. */
  onnxBytes: number
  training: TrainingReport
  warnings: readonly string[]
  elapsedMs: number
  /** What the data are. */
  data?: UsedData
  /** What the test samples are where the dataset has none of its own, in words. */
  testedOn?: string
  /** What is decided for the test samples, where details were asked for. */
  decisions?: SamplesReport
  /** Added by the command line. */
  run?: RunReport
}
