// The report of a sweep: plain data, schema `ttq-sweep/1`.

/** One compression of a sweep. */
export interface SweepPoint {
  /** What was asked for: one of them, the other is null. */
  threshold: number | null
  targetSparsity: number | null
  /** Share of zeros among the ternary weights, as it came out. */
  sparsity: number
  /** Percent of the full test set, of the packed file read back. */
  top1: number
  /** Points below the original network. */
  drop: number
  ternaryBytes: number
  fileBytes: number
  fileRatio: number
  bestEpoch: number
  elapsedMs: number
}

export interface SweepReport {
  schema: 'ttq-sweep/1'
  ttq: string
  model: string
  rest: string
  dataset: string
  preprocessing: string | null
  baseline: { top1: number }
  onnxBytes: number
  /** In the order of the values given. */
  points: readonly SweepPoint[]
  warnings: readonly string[]
  elapsedMs: number
}
