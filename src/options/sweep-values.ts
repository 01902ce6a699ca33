// What a sweep varies.
import { checkObject } from '../errors/check-argument.js'
import { TtqError } from '../errors/ttq-error.js'
import { inLibrary, type NameOptions, OPTIONS } from './option-table.js'
import { checkValue } from './option-values.js'

/** What is varied: delta as a share of max|w|, or the share of zeros; in the order of the work. */
export interface SweepValues {
  kind: 'threshold' | 'sparsity'
  values: readonly number[]
}

/** The option that lists the values of each kind. */
const LISTS = { threshold: 'thresholds', sparsity: 'sparsities' } as const

/** @throws TtqError `usage` unless there is a value, each within its range and given once */
export function checkSweepValues(asked: SweepValues, nameOptions: NameOptions = inLibrary): SweepValues {
  checkObject('values', asked, 'an object with a kind and values')
  const { kind, values } = asked
  if (!Object.hasOwn(LISTS, kind))
    throw new TtqError('usage', `kind: found ${JSON.stringify(kind) ?? 'nothing'}, expected threshold or sparsity`)
  const name = nameOptions(LISTS[kind])
  checkValue(name, OPTIONS[LISTS[kind]].kind, values)
  const twice = values.find((value, i) => values.indexOf(value) < i)
  if (twice !== undefined)
    throw new TtqError('usage', `${name}: found ${twice} a second time, expected each value once`)
  return asked
}
