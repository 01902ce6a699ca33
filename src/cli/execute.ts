// A command line that was understood -> the command's work: its config file, its models, what it is to print.
import { existsSync } from 'node:fs'
import { TtqError } from '../errors/ttq-error.js'
import { JOBS } from '../options/option-table.js'
import type { Job } from '../options/option.js'
import { runAll } from './batch.js'
import type { Arguments, Command, Program } from './command.js'
import { isSet } from './command-options.js'
import { configFile } from './config-file.js'
import { configuredArguments } from './configured-arguments.js'
import { expandModels } from './expand-models.js'
import { noSuchModel } from './model-input.js'
import { checkOperands } from './parse-arguments.js'
import { printSettings } from './print-settings.js'
import { checkForRanks } from './ranks.js'
import type { Terminal } from './terminal.js'

/** Does what a command line asks for, and gives the exit code. @throws TtqError */
export async function execute(
  command: Command,
  given: Arguments,
  terminal: Terminal,
  program: Program,
): Promise<number> {
  const args = await withConfig(command, given, terminal)
  const job = jobOf(command)
  if (job !== undefined && isSet(args, 'printConfig'))
    return await printSettings([{ name: command.name, command: job, args }], isSet(args, 'json'), terminal)
  checkOperands(command, args.operands)
  checkForRanks(command, args, terminal.ranks)
  if (command.operand?.each !== true) return await command.run(args, terminal, program)
  const models = expandModels(args.operands)
  if (models.length === 1) return await command.run({ ...args, operand: models[0] ?? '' }, terminal, program)
  checkSeveral(command, args, models)
  const works = models.map((model) => ({ name: model, command, args: { ...args, operand: model, operands: [model] } }))
  return await runAll(works, args, terminal, program)
}

/** Commands that see to config files themselves. */
const OWN_CONFIG: readonly string[] = ['run', 'init']

async function withConfig(command: Command, given: Arguments, terminal: Terminal): Promise<Arguments> {
  const job = jobOf(command)
  if (job === undefined) return given
  const config = await configFile(given.values.get('config') as string | false | undefined, given.operands[0])
  if (config === undefined) return given
  const args = configuredArguments(given, { job, operand: command.operand }, config)
  if ((args.config?.settings.size ?? 0) > 0 || args.operands !== given.operands)
    terminal.note(`settings of ${config.file}`)
  return args
}

// undefined for commands without settings.
function jobOf({ name, job }: Command): Job | undefined {
  if (OWN_CONFIG.includes(name)) return undefined
  return job ?? JOBS.find((each) => each === name)
}

/** What names one file, and cannot name the files of several models. */
const OF_ONE = ['output', 'report', 'checkpoint', 'figure'] as const

function checkSeveral(command: Command, args: Arguments, models: readonly string[]): void {
  const one = OF_ONE.find((name) => args.values.has(name))
  if (one !== undefined)
    throw new TtqError('usage', `--${one}: given with ${models.length} models, expected one`, {
      hint: 'one after the other, or as jobs of a config file: docs/config.md#several-jobs',
    })
  const missing = models.find((model) => model !== '-' && !existsSync(model))
  if (missing !== undefined) throw noSuchModel(missing)
  if (models.includes('-')) throw new TtqError('usage', `${command.name}: found - among several models, expected files`)
  if (!('out-dir' in command.options)) return
  const base = (path: string): string => path.replace(/^.*[/\\]/, '').replace(/\.[^.]+$/, '')
  const twice = models.find((model, i) => models.findIndex((other) => base(other) === base(model)) < i)
  if (twice !== undefined)
    throw new TtqError(
      'usage',
      `${command.name}: ${twice} is called as another one of the models, and their results would be as well`,
      { hint: 'each with an --output of its own, or as jobs of a config file: docs/config.md#several-jobs' },
    )
}
