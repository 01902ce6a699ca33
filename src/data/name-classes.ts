// Names given for the classes of data whose labels are numbers.
import { TtqError } from '../errors/ttq-error.js'
import type { NameOptions } from '../options/option-table.js'
import type { GivenNames } from './class-names.js'
import type { StoredDataset } from './kinds.js'

/**
 * Data whose classes have these names, where their reader has not seen to it: its numbers are their places.
 * @throws TtqError `usage` for data that have names of their own, `data` for numbers that have no name, or no labels
 */
export function nameClasses(stored: StoredDataset, given: GivenNames, nameOptions: NameOptions): StoredDataset {
  const { names, file } = given
  if (stored.classNames === names) return stored
  const option = nameOptions('classNames')
  if (stored.classNames !== undefined)
    throw new TtqError('usage', `${option}: given for ${stored.name}, whose classes have names of their own`, {
      hint: `they are ${stored.classNames.slice(0, 3).join(', ')} and so on, in this order: leave the option out`,
    })
  const fault = (found: string, expected: string): TtqError =>
    new TtqError('data', `${stored.name}: found ${found}, expected ${expected}`, {
      facts: { file },
      hint: `${option} names all classes, in the order of the network's outputs`,
    })
  if (stored.kind === 'samples') {
    const { classes = names.length } = stored
    if (classes !== names.length) throw fault(`${classes} classes`, `${names.length}, of which ${file} has the names`)
    return { ...stored, classes, classNames: names }
  }
  const { train, test } = stored
  if (train.labels === undefined) throw fault('no labels', `some, of whose classes ${file} has the names`)
  const labels = [train.labels, test?.labels ?? []].flatMap((each) => Array.from(each))
  const bad = labels.find((label) => label >= names.length)
  if (bad !== undefined) throw fault(`class ${bad}`, `0..${names.length - 1}, of which ${file} has the names`)
  return { ...stored, classes: names.length, classNames: names }
}
