// --print-config: the settings that hold, and where each comes from.
import { printableJson, printableLines } from '../errors/printable.js'
import { dashed } from '../options/option-table.js'
import type { Job } from '../options/option.js'
import { type OptionOrigin, optionOrigins } from '../options/option-origins.js'
import { renderSettings, type SettingLine, type SettingsReport } from '../report/settings-text.js'
import type { Arguments } from './command.js'
import { givenValues, namesOf } from './command-options.js'
import { EXIT } from './exit-codes.js'
import type { Terminal } from './terminal.js'

/** A call whose settings are asked for. */
interface Call {
  readonly name: string
  readonly command: Job
  readonly args: Arguments
}

/** Prints them for each call. @throws TtqError `usage` as the calls themselves would */
export async function printSettings(calls: readonly Call[], json: boolean, terminal: Terminal): Promise<number> {
  const report: SettingsReport = { schema: 'ttq-config/1', jobs: calls.map(settingsOf) }
  await terminal.write(json ? printableJson(report) : printableLines(renderSettings(report, terminal.columns)))
  return EXIT.done
}

function settingsOf({ name, command, args }: Call): SettingsReport['jobs'][number] {
  const origins = optionOrigins(command, givenValues(args, command), namesOf(args))
  return {
    name,
    command,
    models: args.operands,
    config: args.config?.file ?? null,
    settings: origins.map((origin) => lineOf(origin, args)),
  }
}

function lineOf(option: OptionOrigin, args: Arguments): SettingLine {
  const { value, defaultText } = option
  return {
    name: option.name,
    value: (value ?? null) as SettingLine['value'],
    ...(value === undefined && defaultText !== undefined ? { meaning: defaultText } : {}),
    ...originOf(option, args),
  }
}

/** Where a setting comes from: of what is given, whether a flag or the config file says it. */
export function originOf({ name, origin }: OptionOrigin, args: Arguments): Pick<SettingLine, 'origin' | 'key'> {
  const isFlag = args.values.has(dashed(name))
  const key = isFlag ? undefined : args.config?.settings.get(name)?.key
  return { origin: origin === 'given' ? (isFlag ? 'flag' : 'config') : origin, ...(key === undefined ? {} : { key }) }
}
