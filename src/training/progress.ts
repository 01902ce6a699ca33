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
        | 'predict'
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
  /**
   * `best`: the epoch that is kept so far; `bestScore`: of the start and the epochs so far, which may be another one's.
   */
  | ({ kind: 'epoch'; epochs: number; best: boolean; bestScore: number } & Omit<EpochReport, 'learningRate'>)
  | { kind: 'evaluated'; done: number; total: number }
