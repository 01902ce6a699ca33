// What reports say of the task that a network was trained and measured for.
import type { BoundNetwork } from '../binding/bind-network.js'
import type { TaskName } from '../options/choices.js'
import type { Evaluation } from '../tasks/evaluation.js'
import type { Metric } from '../tasks/task.js'

export interface TaskReport {
  name: TaskName
  /** In words: `10 classes`. */
  about: string
  /** The network's outputs that were trained and measured. */
  outputs: readonly string[]
  /** Its other outputs: packed along, and not measured. */
  notMeasured: readonly string[]
  /** What is measured against labels, the main one first; empty where there is nothing. */
  metrics: readonly Metric[]
  /** What the packed network is compared with the original by, the main one first. */
  likeness: readonly Metric[]
}

export function describeMeasured({ task, leftOut }: Pick<BoundNetwork, 'task' | 'leftOut'>): TaskReport {
  const plain = ({ key, name, unit, better }: Metric): Metric => ({ key, name, unit, better })
  return {
    name: task.name,
    about: task.about,
    outputs: task.outputs,
    notMeasured: leftOut,
    metrics: task.metrics.map(plain),
    likeness: task.likeness.map(plain),
  }
}

/** Metrics by their keys; of a classifier there is always `top1`. */
export type Measures = Readonly<Record<string, number>>

/** What reports say of an evaluation; null where nothing was measured. */
export function measuresOf(evaluation: Evaluation | undefined): Measures | null {
  return evaluation?.metrics ?? null
}
