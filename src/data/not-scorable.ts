// Data by which a network cannot be scored: it may still be run on it.
import { type ErrorDetails, TtqError } from '../errors/ttq-error.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import type { Dataset, ScorableDataset } from './dataset.js'
import { NUMBER_CLASSES } from './given-batch.js'

/** Accuracy cannot be measured with this network and these samples, code `data`. */
export class NotScorable extends TtqError {
  /** @param reason in a few words, for reports: 'no test samples' */
  constructor(
    readonly reason: string,
    message: string,
    details: ErrorDetails,
  ) {
    super('data', message, details)
  }
}

/** The same because labels or classes that there are fit no output: something may be wrong with them. */
export class LabelMisfit extends NotScorable {}

/**
 * Refuses a dataset whose samples have no labels.
 * @param purpose what they are for, as in 'to train'
 * @param unread the first of labels that are there, and are texts
 * @throws NotScorable
 */
export function refuseUnlabelled(
  { name, train }: Dataset,
  purpose: string,
  nameOptions: NameOptions = inLibrary,
  unread?: string,
): never {
  if (unread !== undefined)
    throw new NotScorable(
      `no labels that are numbers: ${name} gives texts`,
      `dataset: ${name} exports no classes, and the labels of its samples are texts (${unread}), ` +
        `expected numbers ${purpose}`,
      { hint: NUMBER_CLASSES },
    )
  throw new NotScorable(
    `no labels: ${name} gives none`,
    `dataset: ${name} exports no classes, and its samples have no labels, expected some ${purpose}`,
    { hint: withoutLabels(nameOptions, train.size) },
  )
}

/**
 * A dataset as one that networks can be measured on.
 * @param purpose what for, as in 'to train'
 * @throws NotScorable when there is nothing to test on
 */
export function testable(dataset: Dataset, purpose: string, nameOptions: NameOptions = inLibrary): ScorableDataset {
  const { name, test, train } = dataset
  if (test === undefined)
    throw new NotScorable('no test samples', `dataset: ${name} exports no test samples, expected some ${purpose}`, {
      hint: withoutLabels(nameOptions, train.size),
    })
  return { ...dataset, test }
}

/** What ttq compress can do with so many training samples that have no labels. */
export function withoutLabels(nameOptions: NameOptions, samples: number): string {
  const [epochs, task] = [nameOptions('epochs'), nameOptions('task')]
  // Training holds one out.
  if (samples < 2) return `ttq compress fits layers without training on a single sample (${epochs} 0; docs/datasets.md)`
  return (
    `ttq compress needs nothing but samples: it learns from the original network (${task} distill), or fits layers ` +
    `without training (${epochs} 0; docs/datasets.md)`
  )
}
