// The option table on the command line: what a command's help shows, and what was given, as the library takes it.
import { defaultIn, isByOptimizer, RATE_BATCH } from '../options/complete-options.js'
import type { Job, Kind, OptimizerName, OptionRow, Way } from '../options/option.js'
import {
  dashed,
  type GivenOptions,
  onCommandLine,
  type OptionName,
  OPTIONS,
  optionsOf,
} from '../options/option-table.js'
import { parseValue } from '../options/option-values.js'
import type { Arguments, OptionSpec } from './command.js'

/** The options of a command, as help shows them, by their long names. */
export function commandOptions(job: Job): Record<string, OptionSpec> {
  const rows = optionsOf(job).filter(([, { only }]) => only !== 'library')
  return Object.fromEntries(rows.map(([name, row]) => [dashed(name), optionSpec(row, job)]))
}

const REPEATABLE: readonly Kind['type'][] = ['texts', 'choices', 'paths']

function optionSpec(row: OptionRow, job: Job): OptionSpec {
  const { group, help, defaultText } = { ...row, ...row.at?.[job] }
  const shown = defaultText ?? shownDefault(row, job === 'train' ? ['train', 'base'] : ['base'])
  return {
    group,
    describe: help,
    ...(row.alias === undefined ? {} : { alias: row.alias }),
    ...(row.kind.type === 'flag' ? { flag: true } : {}),
    ...(REPEATABLE.includes(row.kind.type) ? { repeatable: true } : {}),
    ...(shown === undefined ? {} : { default: shown }),
  }
}

function shownDefault(row: OptionRow, ways: readonly Way[]): string | undefined {
  const found = ways.map((way) => row.default?.[way]).find((value) => value !== undefined)
  if (isByOptimizer(found)) return ratesText(row, ways)
  // A flag that is off, a list with nothing in it: help need not say so.
  if (found === undefined || found === false || (Array.isArray(found) && found.length === 0)) return undefined
  return Array.isArray(found) ? found.join(',') : String(found)
}

// A rate by optimizer, the default one's first.
function ratesText(row: OptionRow, ways: readonly Way[]): string {
  const first = defaultIn(ways, OPTIONS.optimizer) as OptimizerName
  const other = first === 'sgd' ? 'adam' : 'sgd'
  const text = (of: OptimizerName): string =>
    `${defaultIn(ways, row, of) as number}${of === 'sgd' ? ` (less for a batch below ${RATE_BATCH})` : ''}`
  return `${text(first)}, with ${other} ${text(other)}`
}

/**
 * The options given that the library's job takes.
 * @throws TtqError `usage` for values that an option does not take
 */
export function givenOptions<J extends Job>(args: Arguments, job: J): GivenOptions<J> {
  const rows = optionsOf(job).filter(([, { only }]) => only === undefined)
  return Object.fromEntries(
    rows.flatMap(([name, { kind }]) => {
      const given = args.values.get(dashed(name))
      return given === undefined ? [] : [[name, parseValue(onCommandLine(name), kind, given)]]
    }),
  ) as GivenOptions<J>
}

/** One option that only the command line has. @throws TtqError `usage` */
export function commandLineOption(args: Arguments, name: OptionName): unknown {
  const given = args.values.get(dashed(name))
  return given === undefined ? undefined : parseValue(onCommandLine(name), OPTIONS[name].kind, given)
}

/** Text of such an option. */
export function textOption(args: Arguments, name: OptionName): string | undefined {
  return commandLineOption(args, name) as string | undefined
}

/** Whether such a flag is set. */
export function isSet(args: Arguments, name: OptionName): boolean {
  return commandLineOption(args, name) === true
}
