// Flags and config file together: what a command gets to see. Flags go before the config, with what a recipe or a
// preset says that is given as a flag; the config goes before its own recipe and the defaults
// (options/complete-options.ts).
import type { CheckedJob, Setting, SettingMap } from '../options/check-config.js'
import { defaultIn } from '../options/complete-options.js'
import { EXCLUSIVE, idleOptions } from '../options/contradictions.js'
import { dashed, type OptionName, OPTIONS, optionsOf } from '../options/option-table.js'
import type { Job, OptimizerName, Way } from '../options/option.js'
import { PRESETS, type PresetName } from '../options/presets.js'
import type { Arguments, Operand } from './command.js'
import { givenValues } from './command-options.js'
import type { ConfigFile } from './config-file.js'

/** A command as a config file sees it. */
interface Configured {
  /** Whose settings it takes. */
  readonly job: Job
  readonly operand: Operand | undefined
}

/**
 * The arguments of a command, with what a config file says for it.
 * @param listed the job of the config that they are for
 */
export function configuredArguments(
  args: Arguments,
  { job: command, operand }: Configured,
  config: ConfigFile,
  listed?: CheckedJob,
): Arguments {
  const has = new Set<string>(optionsOf(command).map(([name]) => name))
  const shared = [...config.shared].filter(([name]) => has.has(name))
  const settings = inOrder(new Map(shared), config.byCommand.get(command), listed?.settings)
  const operands = args.operands.length > 0 ? args.operands : (listed?.models ?? operandsFor(operand, config))
  return {
    ...args,
    operand: operands[0] ?? '',
    operands,
    config: { file: config.file, settings: useful(settings, args, command) },
  }
}

// What a command works on by the config: its dataset, or its models, where they are what the command takes.
function operandsFor(operand: Operand | undefined, { models = [], shared }: ConfigFile): readonly string[] {
  if (operand?.configured === 'data') return [shared.get('data')?.value ?? []].flat() as string[]
  const { files = [], several } = operand ?? {}
  // A command of ONNX files judges what it gets; one of .ttq files is none for the network that they were made of.
  const isTaken = (model: string): boolean =>
    files.includes('onnx') || files.some((ending) => model.toLowerCase().endsWith(`.${ending}`))
  return several !== true && models.every(isTaken) ? models : []
}

// The later goes before the earlier, and before what says the same in another way: a job's output, say, before the
// folder for all results.
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
  const implied = impliedByFlags(args, command)
  const isFlag = (name: string): boolean => args.values.has(dashed(name)) || implied.has(name)
  const replaced = Object.values(EXCLUSIVE).flatMap(([one, other]) => [
    ...(isFlag(one) ? [other] : []),
    ...(isFlag(other) ? [one] : []),
  ])
  const kept = new Map([...settings].filter(([name]) => !isFlag(name) && !(replaced as string[]).includes(name)))
  const given = givenValues({ ...args, config: { file: '', settings: kept } }, command)
  const idle = new Set<OptionName>(idleOptions(command, given) as OptionName[])
  return new Map([...kept].filter(([name]) => !idle.has(name)))
}

// The options that a recipe or a preset has a value for, of those given as flags.
function impliedByFlags({ values }: Arguments, command: Job): ReadonlySet<string> {
  const [recipe, preset] = [values.get('recipe') as Way, values.get('preset')]
  const optimizer = (values.get('optimizer') ?? defaultIn([recipe, 'base'], OPTIONS.optimizer)) as OptimizerName
  const ofRecipe = optionsOf(command).filter(([, row]) => defaultIn([recipe], row, optimizer) !== undefined)
  const ofPreset = Object.hasOwn(PRESETS, String(preset)) ? Object.keys(PRESETS[preset as PresetName]) : []
  return new Set([...ofRecipe.map(([name]) => name), ...ofPreset])
}
