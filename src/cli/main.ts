// The program from arguments to exit code. What a command does stands in commands/.
import { printableJson } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { VERSION } from '../version.js'
import { commandsFor } from './command-list.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { releaseLocks } from './file-lock.js'
import { watchOver } from './last-words.js'
import { parseArguments } from './parse-arguments.js'
import type { Program } from './command.js'
import { openTerminal, type Terminal } from './terminal.js'

const HELP_COLUMNS = { least: 60, usual: 100, most: 200 } as const
/** Time that interrupted work has to stop by itself, where its command does not say. */
const GRACE_MS = 5000

/** Runs the program and ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  watchOver()
  process.exit(await runProgram(argv, openTerminal({ quiet: isQuiet(argv) })))
}

export function isQuiet(argv: readonly string[]): boolean {
  return argv.includes('--quiet') || argv.includes('-q')
}

/** The program without its process. @returns the exit code; every error is told on the terminal */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await run(argv, terminal)
  } catch (error) {
    const failure =
      terminal.signal.aborted && !tellsWhatIsFinished(error) ? (terminal.signal.reason as TtqError) : error
    const code = exitCodeOf(failure)
    // Where stdout is what failed, stderr is left.
    if (argv.includes('--json'))
      await terminal.write(printableJson(errorDocument(failure, code))).catch(() => undefined)
    terminal.complain(describe(failure, argv.includes('--debug')))
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
    case 'run':
      return Promise.race([
        parsed.command.run(parsed.args, terminal, PROGRAM),
        tooLate(terminal.signal, parsed.command.graceMs ?? GRACE_MS),
      ])
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

// Rejects some time after an interruption, for work that does not listen to the signal.
function tooLate(signal: AbortSignal, graceMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () =>
      setTimeout(() => {
        reject(signal.reason as TtqError)
      }, graceMs).unref(),
    )
  })
}

function describe(error: unknown, debug: boolean): string {
  const stack = debug && error instanceof Error ? `\n${fullStack(error)}` : ''
  if (error instanceof TtqError)
    return `ttq: ${error.message}${error.hint === undefined ? '' : `. ${sentence(error.hint)}`}${stack}`
  const message = error instanceof Error ? error.message : String(error)
  return `ttq: ${message.split('\n')[0]}. ${bugHint(debug)}${stack}`
}

// A capital first, unless it begins with a command or a path, and a full stop.
function sentence(hint: string): string {
  const begun =
    hint.startsWith('ttq ') || /^\S*[/.]\S/.test(hint) ? hint : `${hint.charAt(0).toUpperCase()}${hint.slice(1)}`
  return /[.?!]$/.test(begun) ? begun : `${begun}.`
}

function bugHint(debug: boolean): string {
  return `This is a bug in ttq; please report it${debug ? '' : ' with the output of the same command and --debug'}.`
}

function fullStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${fullStack(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}

// What --json prints in the place of a report; docs/report.md.
function errorDocument(error: unknown, exitCode: number): object {
  if (!(error instanceof TtqError))
    return {
      schema: 'ttq-error/1',
      error: { code: 'internal', message: String(error), hint: bugHint(false), exitCode },
    }
  return {
    schema: 'ttq-error/1',
    error: { code: error.code, message: error.message, hint: error.hint ?? null, exitCode },
  }
}
