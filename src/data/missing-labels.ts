// Labels that are missing in tables: what stands in their place, and what becomes of it.
import { printable } from '../errors/printable.js'

/** What tables have where there is nothing: the texts that pandas reads so. */
const NOTHING: readonly string[] = [
  ...['', '#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>', 'N/A'],
  ...['NA', 'NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
]

/** Whether there is no label in a label's place: nothing, no number, or a text that says so. */
export function isMissing(label: unknown): boolean {
  return label === undefined || label === null || Number.isNaN(label) || isNothing(label)
}

function isNothing(label: unknown): boolean {
  return typeof label === 'string' && NOTHING.includes(label.trim())
}

/** How messages call what stands in the place of a label that is missing. */
export function shownMissing(label: unknown): string {
  if (typeof label === 'string' && label.trim() !== '') return `"${printable(label.trim())}"`
  return label === null ? 'null' : Number.isNaN(label) ? 'NaN' : 'nothing'
}

/** What messages advise. */
export const GIVE_LABELS = 'give the sample its label, or leave it out; a class that is called so needs another name'

/**
 * Labels as they are, or undefined where all of them are missing: such samples have none.
 * @param fault of one that is missing beside others, by its place
 */
export function labelsGiven<T>(labels: readonly T[], fault: (at: number) => Error): readonly T[] | undefined {
  const at = labels.findIndex(isMissing)
  if (at < 0) return labels
  if (labels.every(isMissing)) return undefined
  throw fault(at)
}
