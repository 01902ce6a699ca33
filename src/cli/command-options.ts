// The option table on the command line: what a command's help shows, and what was given, as the library takes it.
import { defaultIn, isByOptimizer, RATE_BATCH } from '../options/complete-options.js'
import type { Job, Kind, OptimizerName, OptionRow, Way } from '../options/option.js'
import {
  dashed,
  flagOf,
  type GivenOptions,
  type NameOptions,
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
    ...(row.off === true || (row.kind.type === 'flag' && row.default?.base === true) ? { off: true } : {}),
    ...(REPEATABLE.includes(row.kind.type) ? { repeatable: true } : {}),
    ...(row.kind.type === 'choice' || row.kind.type === 'choices' ? { choices: row.kind.choices.map(String) } : {}),
    ...(row.kind.type === 'text' && row.kind.path !== undefined ? { path: row.kind.path } : {}),
    ...(row.kind.type === 'paths' ? { path: 'file' as const } : {}),
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
 * The options given that the library's job takes: flags, else the config file's.
 * @throws TtqError `usage` for values that an option does not take
 */
export function givenOptions<J extends Job>(args: Arguments, job: J): GivenOptions<J> {
  const given = givenValues(args, job)
  const ofLibrary = optionsOf(job).filter(([name, { only }]) => only === undefined && name in given)
  return Object.fromEntries(ofLibrary.map(([name]) => [name, given[name]])) as GivenOptions<J>
}

/** All options given, those of the command line as well. @throws TtqError `usage` */
export function givenValues(args: Arguments, job: Job): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    optionsOf(job).flatMap(([name, { only }]) => {
      const value = only === 'library' ? undefined : commandLineOption(args, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** One option, as the flag says it, else the config file. @throws TtqError `usage` */
export function commandLineOption(args: Arguments, name: OptionName): unknown {
  const given = args.values.get(dashed(name))
  if (given === undefined) return args.config?.settings.get(name)?.value
  return parseValue(onCommandLine(name), OPTIONS[name].kind, given)
}

/** How messages name the options of a call: as the flag that was given, or the key of the config file. */
export function namesOf(args: Arguments): NameOptions {
  return (option) => {
    const name = flagOf(option)
    const setting = args.values.has(dashed(name)) ? undefined : args.config?.settings.get(name as OptionName)
    return setting === undefined ? onCommandLine(name) : `${args.config?.file}: ${setting.key}`
  }
}

/** Text of such an option. */
export function textOption(args: Arguments, name: OptionName): string | undefined {
  return commandLineOption(args, name) as string | undefined
}

/** Whether such a flag is set. */
export function isSet(args: Arguments, name: OptionName): boolean {
  return commandLineOption(args, name) === true
}
