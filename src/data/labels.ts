// The labels of samples: whether there are any, and how they are made.
import { TtqError } from '../errors/ttq-error.js'
import { inLibrary, type NameOptions } from '../options/option-table.js'
import { elementCount, float32 } from '../tensor/tensor.js'
import { type Labels, ONLY, type Split } from './dataset.js'
import { NUMBER_CLASSES } from './given-batch.js'
import { withoutLabels } from './not-scorable.js'

/** Of samples that have none. */
export const NO_LABELS: Labels = {}

/** One class per sample. */
export function classLabels(classes: readonly number[]): Labels {
  return { [ONLY]: float32([classes.length], classes) }
}

export function hasLabels(labels: Labels): boolean {
  return Object.keys(labels).length > 0
}

/** The first so many samples' labels. */
export function firstLabels(labels: Labels, samples: number): Labels {
  return Object.fromEntries(
    Object.entries(labels).map(([name, { dims, data }]) => {
      const own = [samples, ...dims.slice(1)]
      return [name, float32(own, data.subarray(0, elementCount(own)))]
    }),
  )
}

/** Whether a split's samples have labels, judged by its first one. */
export async function isLabelled(split: Split): Promise<boolean> {
  return split.labels !== undefined || hasLabels((await split.batch([0])).labels)
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
  const unread = split.labels === undefined ? (await split.batch([0])).unread : undefined
  const found =
    unread === undefined ? 'have no labels, expected some' : `have texts for labels (${unread}), expected numbers`
  throw new TtqError('data', `dataset: its ${what} samples ${found} ${purpose}`, {
    hint: unread === undefined ? withoutLabels(nameOptions, split.size) : NUMBER_CLASSES,
  })
}
