// The labels of every batch, looked at by the task that they are for.
import type { Split } from '../data/dataset.js'
import { hasLabels } from '../data/labels.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Task } from '../tasks/task.js'

/**
 * The same split; its batches throw TtqError `data` where labels are not what the task needs, naming the sample.
 * @param part what the samples are, for messages: 'training', 'test'
 */
export function withCheckedLabels(split: Split, task: Task, name: string, part: string): Split {
  return {
    ...split,
    size: split.size,
    async batch(indices, random) {
      const batch = await split.batch(indices, random)
      const fault = hasLabels(batch.labels) ? task.checkLabels(batch.labels, indices.length) : undefined
      if (fault === undefined) return batch
      const sample = indices[fault.sample]
      throw new TtqError('data', `${name}: ${part} sample ${sample}: ${fault.problem}`, {
        hint: laterLabelsHint(task),
        facts: { sample, task: task.name },
      })
    },
  }
}

/** What to say of labels that do not fit the task which the first samples' labels have told. */
export function laterLabelsHint({ name, about }: Task): string {
  return `the task is ${name} (${about}); the first samples' labels fit it (docs/tasks.md#labels)`
}
