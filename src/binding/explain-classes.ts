// What to say of labels that are no classes where the dataset counts some.
import type { StoredDataset } from '../data/open-dataset.js'
import type { NameOptions } from '../options/option-table.js'
import type { BoundNetwork } from './bind-network.js'

/**
 * A warning where labels have overruled what the dataset says; undefined where they have not, or the user names the
 * task.
 * @param chosen the task that the user asks for, perhaps `auto`
 */
export function explainClasses(
  { task }: Pick<BoundNetwork, 'task'>,
  stored: StoredDataset,
  chosen: string,
  nameOptions: NameOptions,
): string | undefined {
  const isOther = task.name === 'multilabel' || task.name === 'regression'
  if (chosen !== 'auto' || !isOther || stored.kind !== 'samples' || stored.classes === undefined) return undefined
  return (
    `${stored.name}: classes is ${stored.classes}, but the labels are neither a class per sample nor rows with ` +
    `a single 1: the task is ${task.name} for them, and classes counts for nothing; give such labels, or leave ` +
    `classes out where ${nameOptions('task')} ${task.name} is meant ` +
    '(docs/tasks.md)'
  )
}
