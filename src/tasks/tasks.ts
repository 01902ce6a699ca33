// The tasks by name, and which one a dataset is for.
import { classification } from './classification.js'
import type { Task } from './task.js'

const TASKS = { classification } as const

/** @param dataset samples with one class each */
export function taskOf({ classes }: { classes: number }): Task {
  return TASKS.classification(classes)
}
