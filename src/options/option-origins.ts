// Where the value of each option comes from: for those who want to know what holds.
import { completeOptions, defaultIn, waysOf } from './complete-options.js'
import type { Job, OptimizerName, OptionRow, Way } from './option.js'
import { type GivenOptions, type NameOptions, type OptionName, optionsOf } from './option-table.js'
import { withPreset } from './presets.js'

/** `other options`: a default that another option has changed, as the batch does the learning rate. */
export type Origin = 'given' | 'preset' | 'recipe' | 'from scratch' | 'other options' | 'default'

export interface OptionOrigin {
  readonly name: OptionName
  /** As it holds; undefined where nothing is said and there is no default, */
  readonly value: unknown
  readonly origin: Origin
  /** and what happens then, in a few words. */
  readonly defaultText: string | undefined
}

const BY_WAY: Readonly<Record<Way, Origin>> = {
  quick: 'recipe',
  thorough: 'recipe',
  paper: 'recipe',
  fromScratch: 'from scratch',
  train: 'default',
  base: 'default',
}

/**
 * Every option of a job that is a setting, in the order of help.
 * @param given what the caller says, those of the command line included
 * @throws TtqError `usage` as completeOptions
 */
export function optionOrigins(
  job: Job,
  given: Readonly<Record<string, unknown>>,
  name: NameOptions,
): readonly OptionOrigin[] {
  const rows = optionsOf(job).filter(([, { only, perCall }]) => only !== 'library' && perCall !== true)
  const ofLibrary = Object.fromEntries(
    rows.flatMap(([option, { only }]) => (only === undefined ? [[option, given[option]]] : [])),
  )
  const complete = completeOptions(job, ofLibrary as GivenOptions<Job>, name) as Readonly<Record<string, unknown>>
  const ways = waysOf(job, given)
  const withPresets: Readonly<Record<string, unknown>> = withPreset(given)
  return rows.map(([option, row]): OptionOrigin => {
    const { defaultText } = { ...row, ...row.at?.[job] }
    if (given[option] !== undefined) return { name: option, value: given[option], origin: 'given', defaultText }
    if (withPresets[option] !== undefined)
      return { name: option, value: withPresets[option], origin: 'preset', defaultText }
    const found = fromTable(row, ways, complete['optimizer'] as OptimizerName | undefined)
    const value = row.only === undefined ? complete[option] : found.value
    const origin = value === found.value ? found.origin : 'other options'
    return { name: option, value, origin, defaultText }
  })
}

function fromTable(
  row: OptionRow,
  ways: readonly Way[],
  optimizer: OptimizerName | undefined,
): { value: unknown; origin: Origin } {
  for (const way of ways) {
    const value = defaultIn([way], row, optimizer)
    if (value !== undefined) return { value, origin: BY_WAY[way] }
  }
  return { value: undefined, origin: 'default' }
}
