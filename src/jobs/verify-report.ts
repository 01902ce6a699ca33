// What is known of a packed file, for gates in CI: plain data, schema `ttq-verify/1`.
import type { TfjsName } from '../options/choices.js'
import type { Measures, TaskReport } from './task-report.js'

export interface VerifyReport {
  schema: 'ttq-verify/1'
  ttq: string
  model: string
  /** Version of the format; its digest and every checked part fitted, or the file was refused. */
  version: number
  /** What computed; absent where it was ONNX Runtime. */
  engine?: TfjsName
  fileBytes: number
  /** The original that it was compared with; null where none was named. */
  against: { name: string; onnxBytes: number; fileRatio: number } | null
  /**
   * Root mean square of the differences between both networks' outputs, percent of the original's, on
   * `distanceSamples`; null where there is no original, or no outputs of floating-point numbers.
   */
  distance: number | null
  /** The same of each output, where there are several. */
  outputs?: readonly { name: string; distance: number | null }[]
  /** Samples that the distance is over; 0 where there is none. */
  distanceSamples: number
  /** Samples that were looked at: all that are scored, else those of the distance. */
  samples: number
  /** What the samples are. */
  data: string | null
  task: TaskReport | null
  /** What the samples are where the data have no test part of their own, in words. */
  testedOn?: string
  /** On the test part of the data: of the original, and of the packed network. */
  baseline: Measures | null
  compressed: Measures | null
  /** Points of the main metric lost; null where it was not measured. */
  drop: number | null
  /** Percent of the test samples on which both decide the same; null where they do not decide. */
  agreement: number | null
  /** What may be wrong with the data. */
  warnings: readonly string[]
  /** The bounds that were asked for and do not hold, in words. */
  broken: readonly string[]
  elapsedMs: number
}
