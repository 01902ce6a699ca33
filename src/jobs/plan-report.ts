// The report of a plan: plain data, schema `ttq-plan/1`.
import type { TeachersReport } from './teachers-report.js'

export interface PlanReport {
  schema: 'ttq-plan/1'
  ttq: string
  model: string
  dataset: string | null
  /** Size of the ONNX model, external data included. */
  onnxBytes: number
  /** What the .ttq file will weigh, by the weights alone. */
  predicted: { fileBytes: number; fileRatio: number; ternaryWeights: number; bitsPerWeight: number | null }
  layers: readonly PlannedLayer[]
  /** What the file would weigh with each preset, where none was asked for. */
  presets: readonly { name: string; fileBytes: number; fileRatio: number }[]
  /** The bound that is asked for, for which layers may keep more bits: the file is larger then. null for none. */
  bound: string | null
  /**
   * Trainings of other lengths, where none was asked for; without the fit of layers before it where `time` has none.
   */
  recipes: readonly { name: string; epochs: number; fitsLayers: boolean; totalMs: number }[]
  /** What becomes of the layers: trained along with everything else, fitted layer by layer, or each by itself. */
  way: 'training' | 'layer by layer' | 'by the weights alone'
  /** What of it no gradient reaches, and why, in words; null where everything learns, or nothing is trained. */
  blocked: string | null
  /** What training would learn from, where not from the network itself. */
  teachers?: TeachersReport
  /** null without data. */
  data: {
    described: string
    preprocessing: string
    task: string | null
    training: number
    heldOut: number
    test: number
  } | null
  /** By a few steps on this machine; null where nothing is trained. */
  time: PlannedTime | null
  warnings: readonly string[]
  elapsedMs: number
}

export interface PlannedLayer {
  name: string
  op: string
  shape: readonly number[]
  /** Bytes in the model and in the file. */
  onnxBytes: number
  fileBytes: number
  ternary: boolean
  /** Why it stays in full precision. */
  reason?: string
}

export interface PlannedTime {
  epochs: number
  stepsPerEpoch: number
  stepMs: number
  /** Samples per second of a network that is only run. */
  samplesPerSecond: number
  epochMs: number
  /** Layers are fitted one by one before, */
  fitsLayers: boolean
  /** which takes as long, by one or two of them; null where none are. */
  fitMs: number | null
  /** The fit of layers, all epochs, and the network measured before and after. */
  totalMs: number
}
