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

/** A part of a sweep's values, for one of several machines: every `count`-th, from the `index`-th on. */
export interface Shard {
  /** From 1 to `count`. */
  index: number
  count: number
}

/** @throws TtqError `usage` for a shard that is none */
export function checkShard({ index, count }: Shard, name: string): void {
  const isWhole = [index, count].every((number) => Number.isSafeInteger(number) && number > 0)
  if (!isWhole || index > count)
    throw new TtqError('usage', `${name}: found ${index} of ${count}, expected the first to be 1 up to the second`)
}

/** The values of a shard, in their order; without one, all of them. There may be none. */
export function valuesOf({ values }: SweepValues, shard: Shard | undefined): readonly number[] {
  return shard === undefined ? values : values.filter((_, i) => i % shard.count === shard.index - 1)
}

/** The name of a point, of files and in messages: `threshold-0.05`. */
export function pointName(kind: SweepValues['kind'], value: number): string {
  return `${kind}-${value}`
}
