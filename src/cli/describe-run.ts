// What a report says of where and how its command ran.
import type { RunReport } from '../jobs/run-report.js'
import { dashed } from '../options/option-table.js'
import type { Job } from '../options/option.js'
import type { Arguments } from './command.js'

/** Call it when the work is done. */
export async function describeRun(args: Arguments, command: Job): Promise<RunReport> {
  const { describeMachine } = await import('../runtime/describe-machine.js')
  return {
    command: ['ttq', ...(args.config === undefined ? args.words : wordsWithoutConfig(args, command))]
      .map(quoted)
      .join(' '),
    date: new Date().toISOString(),
    ...describeMachine(),
  }
}

/** What is said of a config file itself: of no use without it. */
const OF_CONFIG: readonly string[] = ['config', 'print-config']

// The same call for those who do not have the config file: what it says becomes flags, and so does the model.
function wordsWithoutConfig({ operands, values, config }: Arguments, command: Job): string[] {
  const flags = [...values].filter(([name]) => !OF_CONFIG.includes(name))
  const settings = [...(config?.settings ?? [])].map(([name, { value }]) => [dashed(name), value] as const)
  const unsaid = settings.filter(([name]) => !values.has(name))
  return [command, ...operands, '--no-config', ...[...flags, ...unsaid].flatMap(([name, value]) => flagOf(name, value))]
}

function flagOf(name: string, value: unknown): string[] {
  if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`]
  if (Array.isArray(value) && typeof value[0] !== 'number') return value.flatMap((each) => flagOf(name, each))
  const text = String(value)
  // A value with a sign would be taken for an option.
  return text.startsWith('-') && text !== '-' ? [`--${name}=${text}`] : [`--${name}`, text]
}

// A word as a POSIX shell takes it.
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
