// Flags and config file together: what a command gets to see. Flags go before the config, and the config before the
// recipe and the defaults (options/complete-options.ts).
import type { CheckedJob, Setting, SettingMap } from '../options/check-config.js'
import { EXCLUSIVE, idleOptions } from '../options/contradictions.js'
import { dashed, type OptionName, optionsOf } from '../options/option-table.js'
import type { Job } from '../options/option.js'
import type { Arguments } from './command.js'
import { givenValues } from './command-options.js'
import type { ConfigFile } from './config-file.js'

/**
 * The arguments of a command, with what a config file says for it.
 * @param listed the job of the config that they are for
 */
export function configuredArguments(args: Arguments, command: Job, config: ConfigFile, listed?: CheckedJob): Arguments {
  const has = new Set<string>(optionsOf(command).map(([name]) => name))
  const shared = [...config.shared].filter(([name]) => has.has(name))
  const settings = inOrder(new Map(shared), config.byCommand.get(command), listed?.settings)
  const models = args.operands.length > 0 ? args.operands : (listed?.models ?? config.models ?? [])
  return {
    ...args,
    operand: models[0] ?? '',
    operands: models,
    config: { file: config.file, settings: useful(settings, args, command) },
  }
}

// The later goes before the earlier, and before what says the same in another way: a job's output, say, before the folder
// for all results.
function inOrder(...layers: readonly (SettingMap | undefined)[]): SettingMap {
  const settings = new Map<OptionName, Setting>()
  for (const layer of layers) {
    for (const [one, other] of Object.values(EXCLUSIVE)) {
      if (layer?.has(one)) settings.delete(other)
      if (layer?.has(other)) settings.delete(one)
    }
    for (const [name, setting] of layer ?? []) settings.set(name, setting)
  }
  return settings
}

// A config is written for many calls: what a flag puts out of force, and what says how to train where nothing is
// trained, is left aside. Asked for by a flag, the latter would be an error.
function useful(settings: SettingMap, args: Arguments, command: Job): SettingMap {
  const isFlag = (name: string): boolean => args.values.has(dashed(name))
  const replaced = Object.values(EXCLUSIVE).flatMap(([one, other]) => [
    ...(isFlag(one) ? [other] : []),
    ...(isFlag(other) ? [one] : []),
  ])
  const kept = new Map([...settings].filter(([name]) => !isFlag(name) && !(replaced as string[]).includes(name)))
  const given = givenValues({ ...args, config: { file: '', settings: kept } }, command)
  const idle = new Set<OptionName>(idleOptions(command, given) as OptionName[])
  return new Map([...kept].filter(([name]) => !idle.has(name)))
}
