// The report of ttq analyze; docs/report.md.
import type { LayerOperator } from '../ternary/layer-choice.js'
import type { RunReport } from './run-report.js'
import type { TaskReport } from './task-report.js'

export interface AnalyzeReport {
  schema: 'ttq-analyze/1'
  ttq: string
  model: string
  method: string
  /** null: samples were made up. */
  dataset: string | null
  /** Samples that layers were fitted on, what they are, and others that everything was measured on. */
  samples: number
  data: string
  heldOut: number
  /** What the network is measured by; null where nothing is scored. */
  task: TaskReport | null
  /**
   * The original network on these, by its main metric, of a classifier top-1; null as the task, top1 without labels.
   */
  baseline: { top1: number | null } | null
  /** Of the outputs with all of the layers ternary; null where the method fits weights and not layers. */
  distance: number | null
  /** The layers that compress would make ternary, the most harmful first. */
  layers: readonly AnalyzedLayer[]
  /** The others. */
  kept: readonly { name: string; reason: string }[]
  warnings: readonly string[]
  elapsedMs: number
  /** Added by the command line. */
  run?: RunReport
}

/** One layer ternary, all others as they are. */
export interface AnalyzedLayer {
  name: string
  op: LayerOperator
  shape: readonly number[]
  /**
   * Share of its output's variance that is lost, the layers before it being ternary, too; null where it was fitted by
   * its weights.
   */
  error: number | null
  /** Of the network's outputs from the original's, percent (root mean square). */
  distance: number
  /** Of the sum of all layers' squared distances. */
  share: number
  /** The task's divergence from the original, of class probabilities in nats; null where nothing is scored. */
  divergence: number | null
  /** The main metric. */
  top1: number | null
  /** Bytes that packing the layer saves. */
  savedBytes: number
}
