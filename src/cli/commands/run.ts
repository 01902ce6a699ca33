// ttq run: the jobs of a config file, one after the other.
import { closestName } from '../../errors/closest-name.js'
import { TtqError } from '../../errors/ttq-error.js'
import type { CheckedJob } from '../../options/check-config.js'
import { type LaterWork, runAll, type Work } from '../batch.js'
import type { Arguments, Command, CommandBody, Program } from '../command.js'
import { commandOptions, isSet } from '../command-options.js'
import { type ConfigFile, configFile } from '../config-file.js'
import { configuredArguments } from '../configured-arguments.js'
import { expandModels, isUnmatched } from '../expand-models.js'
import { TRAINING_GRACE_MS } from '../grace.js'
import { printSettings } from '../print-settings.js'
import type { Terminal } from '../terminal.js'

export const runCommand: CommandBody = {
  operand: {
    name: 'job',
    describe: 'names of jobs in the config file; none: all of them',
    optional: true,
    several: true,
  },
  options: commandOptions('run'),
  examples: [['$0 run small --config nets/ttq.config.json --json', 'one job of another file; one JSON document']],
  graceMs: TRAINING_GRACE_MS,
  run: runJobs,
}

async function runJobs(args: Arguments, terminal: Terminal, program: Program): Promise<number> {
  const config = await configFile(args.values.get('config') as string | false | undefined, undefined)
  if (config === undefined)
    throw new TtqError('usage', 'run: found no config file, expected ttq.config.json, .yaml, .mjs or .ts', {
      hint: 'ttq init writes one; --config names one that lies elsewhere',
    })
  const jobs = chosenJobs(config, args.operands)
  const commands = await program.commands(jobs.map(({ command }) => command))
  // What is said of the whole run is said of each job: flags go before the config.
  const flags: Arguments = { ...args, operand: '', operands: [] }
  const calls = jobs.map((job) => {
    const { operand } = commandOf(job, commands)
    return { job, args: configuredArguments(flags, { job: job.command, operand }, config, job) }
  })
  if (isSet(args, 'printConfig'))
    return await printSettings(
      calls.map(({ job, args }) => ({ name: job.name, command: job.command, args })),
      isSet(args, 'json'),
      terminal,
    )
  const works = calls.flatMap(({ job, args }) => worksOf(job, args, commands, config))
  // What says the output twice is refused before any job has begun.
  for (const { command, args: each } of works) command.output?.(each)
  return await runAll(works, args, terminal, program)
}

/** What a config says that lists no jobs: as `ttq compress` has it. */
const COMPRESS: CheckedJob = { name: 'compress', command: 'compress', models: undefined, settings: new Map() }

function chosenJobs({ file, models, jobs: listed }: ConfigFile, names: readonly string[]): readonly CheckedJob[] {
  const jobs = listed.length === 0 && models !== undefined ? [COMPRESS] : listed
  if (jobs.length === 0)
    throw new TtqError(
      'usage',
      `${file}: found no jobs and no model, expected a list of jobs, or a model to compress`,
      {
        hint: 'docs/config.md#several-jobs has an example',
      },
    )
  const known = jobs.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const closest = closestName(unknown, known)
    throw new TtqError('usage', `run: ${file} has no job "${unknown}", expected ${known.join(', ')}`, {
      ...(closest === undefined ? {} : { hint: `did you mean "${closest}"?` }),
    })
  }
  return names.length === 0 ? jobs : jobs.filter(({ name }) => names.includes(name))
}

function commandOf({ command }: CheckedJob, commands: readonly Command[]): Command {
  const found = commands.find(({ name }) => name === command)
  if (found === undefined) throw new Error(`internal: no command ${command}`)
  return found
}

// One for each model of a job; of a pattern that nothing matches yet, one for all.
function worksOf(
  job: CheckedJob,
  args: Arguments,
  commands: readonly Command[],
  { file }: ConfigFile,
): (Work | LaterWork)[] {
  const command = commandOf(job, commands)
  if (args.operands.length === 0)
    throw new TtqError('usage', `${file}: the job "${job.name}" has no model, expected one`, {
      hint: 'docs/config.md#several-jobs has an example',
    })
  const work = (model: string, isOnly: boolean): Work => ({
    name: isOnly ? job.name : `${job.name}: ${model}`,
    command,
    args: { ...args, operand: model, operands: [model] },
  })
  const isOnly = args.operands.length === 1
  return args.operands.flatMap((path) => {
    const works = (): Work[] => {
      const models = expandModels([path])
      return models.map((model) => work(model, isOnly && models.length === 1))
    }
    return isUnmatched(path) ? [{ ...work(path, isOnly), works }] : works()
  })
}
