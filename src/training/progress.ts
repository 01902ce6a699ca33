// What long work tells its caller while it goes on.
import type { EpochReport } from './training-report.js'

/** Sent while the work goes on. */
export type Progress =
  | {
      kind: 'phase'
      name:
        | 'read'
        | 'survey'
        | 'prepare'
        | 'baseline'
        | 'train'
        | 'analyze'
        | 'reconstruct'
        | 'pack'
        | 'verify'
        | 'evaluate'
      detail?: string
    }
  | { kind: 'warning' | 'note'; message: string }
  | {
      kind: 'step'
      epoch: number
      epochs: number
      step: number
      steps: number
      loss: number
      samplesPerSecond: number
      remainingMs: number
    }
  | ({ kind: 'epoch'; epochs: number; best: boolean } & Omit<EpochReport, 'learningRate'>)
  | { kind: 'evaluated'; done: number; total: number }
