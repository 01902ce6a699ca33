// Whether samples come with their classes.
import { TtqError } from '../errors/ttq-error.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import type { Split } from './dataset.js'
import { withoutLabels } from './not-scorable.js'

/** Whether a split's samples have labels, judged by its first one. */
export async function isLabelled(split: Split): Promise<boolean> {
  return split.labels !== undefined || (await split.batch([0])).labels.length > 0
}

/**
 * @param what the samples are, for the message: 'training', 'test'
 * @param purpose what the labels are for: 'to learn from'
 * @throws TtqError `data` when the samples have no labels
 */
export async function checkLabelled(
  split: Split,
  what: string,
  purpose: string,
  nameOptions: NameOptions = inLibrary,
): Promise<void> {
  if (await isLabelled(split)) return
  throw new TtqError('data', `dataset: its ${what} samples have no labels, expected one class per sample ${purpose}`, {
    hint: `ttq compress learns from the original network where there are none; ${withoutLabels(nameOptions)}`,
  })
}
