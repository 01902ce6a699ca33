// The report of an evaluation: plain data, schema `ttq-evaluate/1`.

export interface EvaluateReport {
  schema: 'ttq-evaluate/1'
  model: string
  dataset: string
  preprocessing: string
  device: string
  /** Percent of the full test set. */
  top1: number
  samples: number
  samplesPerSecond: number
  elapsedMs: number
}
