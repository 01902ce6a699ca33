// The program from arguments to exit code. What a command does stands in commands/.
import { printableJson } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { PROGRESS_FORMS, type ProgressForm } from '../options/choices.js'
import { VERSION } from '../version.js'
import { commandsFor } from './command-list.js'
import { asCode } from './environment.js'
import { errorDocument, errorText } from './error-text.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { releaseLocks } from './file-lock.js'
import { endProcess, unlessTooLate } from './grace.js'
import { watchOver } from './last-words.js'
import { endOfOptions, parseArguments } from './parse-arguments.js'
import type { Program } from './command.js'
import { endRanks, interruptionOf, launchFor, onAllRanks } from './ranks.js'
import { withOwnWaysOut } from './ways-out.js'
import { nowhere, openTerminal, type Terminal } from './terminal.js'

const HELP_COLUMNS = { least: 60, usual: 100, most: 200 } as const
/** Time that interrupted work has to stop by itself, where its command does not say. */
const GRACE_MS = 5000
/** Commands that keep their work say themselves that it has not stopped, and what is kept: they come first. */
const LATER_MS = 1000

/** Runs the program and ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  watchOver()
  const silence = (launchFor(argv, process.env)?.rank ?? 0) > 0 ? nowhere() : undefined
  const terminal = openTerminal({ ...terminalOptions(argv), ...silence })
  const code = await runProgram(argv, terminal)
  await endRanks(code, silence?.words())
  endProcess(code, terminal.signal)
}

/** What a command line says of the terminal, before it is taken apart. */
export function terminalOptions(argv: readonly string[]): { quiet: boolean; progress: ProgressForm } {
  const at = argv.findIndex((word) => word === '--progress' || word.startsWith('--progress='))
  const given = argv[at]?.includes('=') === true ? argv[at]?.split('=')[1] : at < 0 ? undefined : argv[at + 1]
  return {
    quiet: isSaid(argv, 'quiet') || argv.includes('-q'),
    // Another word is refused when the line is taken apart.
    progress: PROGRESS_FORMS.find((form) => form === given) ?? 'auto',
  }
}

/** Whether a command line that is not taken apart, or cannot be, has this switch: --json, --json=true, not --json=false. */
export function isSaid(argv: readonly string[], flag: string): boolean {
  const words = argv.slice(0, endOfOptions(argv))
  const at = words.findLastIndex((word) => word === `--${flag}` || word.startsWith(`--${flag}=`))
  return at >= 0 && words[at] !== `--${flag}=false` && words[at + 1] !== 'false'
}

/** The program without its process. @returns the exit code; every error is told on the terminal */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await onAllRanks(argv, terminal, (joined) => run(argv, joined))
  } catch (error) {
    const failure =
      terminal.signal.aborted && !tellsWhatIsFinished(error) ? (terminal.signal.reason as TtqError) : error
    const code = exitCodeOf(failure, interruptionOf(terminal))
    // Where stdout is what failed, stderr is left.
    if (isSaid(argv, 'json')) await terminal.write(printableJson(errorDocument(failure, code))).catch(() => undefined)
    terminal.complain(errorText(failure, isSaid(argv, 'debug')))
    terminal.summarize(`ttq: failed, exit code ${code}`, asCode(errorText(failure, false)))
    return code
  } finally {
    releaseLocks()
  }
}

// Most work is lost when it is interrupted, as the signal's reason says; a command that has written something says so
// itself.
function tellsWhatIsFinished(error: unknown): boolean {
  return (
    error instanceof TtqError &&
    error.code === 'interrupted' &&
    (error.facts['finished'] ?? error.facts['checkpoint']) !== undefined
  )
}

async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const parsed = await parse(argv)
  switch (parsed.kind) {
    case 'print':
      await terminal.write(parsed.text)
      return EXIT.done
    case 'nothing':
      terminal.complain(parsed.help.trimEnd())
      return EXIT.usage
    case 'run': {
      const { execute } = await import('./execute.js')
      const work = execute(parsed.command, parsed.args, terminal, PROGRAM).catch((error: unknown) => {
        throw withOwnWaysOut(error, parsed.command)
      })
      const { graceMs } = parsed.command
      return await unlessTooLate(work, terminal.signal, graceMs === undefined ? GRACE_MS : graceMs + LATER_MS)
    }
  }
}

async function parse(argv: readonly string[]): Promise<ReturnType<typeof parseArguments>> {
  const columns = Math.max(
    HELP_COLUMNS.least,
    Math.min(HELP_COLUMNS.most, process.stdout.columns ?? HELP_COLUMNS.usual),
  )
  return parseArguments(argv, { commands: await commandsFor(argv), version: VERSION, columns })
}

const PROGRAM: Program = {
  commands: commandsFor,
  help: async (command) => {
    const parsed = await parse([...(command === undefined ? [] : [command]), '--help'])
    return parsed.kind === 'print' ? parsed.text : ''
  },
}
