// Data by which a network cannot be scored: it may still be run on it.
import { type ErrorDetails, TtqError } from '../errors/ttq-error.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import type { Dataset, ScorableDataset } from './dataset.js'

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

/**
 * A dataset as one that networks can be scored on.
 * @param purpose what for, as in 'to train'
 * @throws NotScorable when it has no classes, or nothing to test on
 */
export function scorable(dataset: Dataset, purpose: string, nameOptions: NameOptions = inLibrary): ScorableDataset {
  const { name, classes, test } = dataset
  if (classes === undefined)
    throw new NotScorable(
      `no labels: ${name} exports no classes`,
      `dataset: ${name} exports no classes, so that its samples have no labels, expected both ${purpose}`,
      { hint: withoutLabels(nameOptions) },
    )
  if (test === undefined)
    throw new NotScorable('no test samples', `dataset: ${name} exports no test samples, expected some ${purpose}`, {
      hint: withoutLabels(nameOptions),
    })
  return { ...dataset, classes, test }
}

/** What ttq compress can do with samples that have no labels. */
export function withoutLabels(nameOptions: NameOptions): string {
  const [epochs, maxDistance] = [nameOptions('epochs'), nameOptions('maxDistance')]
  return (
    `ttq compress with ${epochs} 0 needs nothing but samples; ${maxDistance} bounds how far the outputs may then be away ` +
    '(docs/datasets.md)'
  )
}
