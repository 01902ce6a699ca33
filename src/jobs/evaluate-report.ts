// The report of an evaluation: plain data, schema `ttq-evaluate/1`.
import type { TfjsName } from '../options/choices.js'
import type { UsedData, SamplesReport } from './details-report.js'
import type { RunReport } from './run-report.js'
import type { Measures, TaskReport } from './task-report.js'

export interface EvaluateReport {
  schema: 'ttq-evaluate/1'
  model: string
  dataset: string
  preprocessing: string
  device: string
  /** What computed; absent where it was ONNX Runtime. */
  engine?: TfjsName
  task: TaskReport
  /** Percent of the full test set, of a classifier. */
  top1?: number
  /** The task's metrics on the full test set, by their keys. */
  metrics: Measures
  samples: number
  samplesPerSecond: number
  /** What may be wrong with the data. */
  warnings?: readonly string[]
  elapsedMs: number
  /** What the data are. */
  data?: UsedData
  /** What the samples are where the dataset has no test part of its own, in words. */
  testedOn?: string
  /** What is decided for the test samples, where details were asked for. */
  decisions?: SamplesReport
  /** Added by the command line. */
  run?: RunReport
}
