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

/** Whether labels are none: they are missing, or all -1, which is what Hugging Face's sets to test on have. */
export function areNone(labels: ArrayLike<unknown>): boolean {
  const isNone = isMinusOne(labels[0]) ? isMinusOne : isMissing
  for (let i = 0; i < labels.length; i++) if (!isNone(labels[i])) return false
  return labels.length > 0
}

function isMinusOne(label: unknown): boolean {
  return Number(typeof label === 'string' ? label.trim() || NaN : label) === -1
}

/** How messages call what stands in the place of a label that is missing. */
export function shownMissing(label: unknown): string {
  if (typeof label === 'string' && label.trim() !== '') return `"${printable(label.trim())}"`
  return label === null ? 'null' : Number.isNaN(label) ? 'NaN' : 'nothing'
}

/** What messages advise. */
export const GIVE_LABELS = 'give the sample its label, or leave it out; a class that is called so needs another name'

/**
 * Labels as they are, or undefined where they are none.
 * @param fault of one that is missing beside others, by its place
 */
export function labelsGiven<T>(labels: readonly T[], fault: (at: number) => Error): readonly T[] | undefined {
  if (areNone(labels)) return undefined
  const at = labels.findIndex(isMissing)
  if (at < 0) return labels
  throw fault(at)
}
