// What a report says of the networks that were learned from in the place of the original: plain data.
import type { Metric } from '../tasks/task.js'

export interface TeachersReport {
  /** Held-out training samples that the scores below are of. */
  samples: number
  /** What they are; null without labels. */
  metric: Metric | null
  /** What the original network has on them. */
  original: number | null
  networks: readonly TeacherReport[]
}

export interface TeacherReport {
  /** Its file, or `original`. */
  name: string
  /** Of the network as it was run: with the nodes that make its inputs of the original's. */
  sha256: string
  /** In the mean of all; together they are 1. */
  weight: number
  /** How its inputs come from samples. */
  preprocessing: string
  score: number | null
}
