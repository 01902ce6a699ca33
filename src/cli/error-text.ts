// What is said of an error: on stderr, and as the document that --json prints.
import { TtqError } from '../errors/ttq-error.js'
import { exitCodeOf } from './exit-codes.js'

/** docs/report.md. */
export interface ErrorDocument {
  readonly schema: 'ttq-error/1'
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
    readonly exitCode: number
  }
}

/** The line for stderr; with `debug`, the stack below it. */
export function errorText(error: unknown, debug: boolean): string {
  const stack = debug && error instanceof Error ? `\n${fullStack(error)}` : ''
  if (error instanceof TtqError)
    return `ttq: ${error.hint === undefined ? error.message : `${stopped(error.message)} ${sentence(error.hint)}`}${stack}`
  const message = error instanceof Error ? error.message : String(error)
  return `ttq: ${stopped(message.split('\n')[0] ?? '')} ${bugHint(debug)}${stack}`
}

/** What --json prints in the place of a report. */
export function errorDocument(error: unknown, exitCode = exitCodeOf(error)): ErrorDocument {
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

// With a full stop, where others' words do not end in one already.
function stopped(message: string): string {
  return /[.?!]$/.test(message) ? message : `${message}.`
}

// A capital first, unless it begins with a command, an option or a path, and a full stop.
function sentence(hint: string): string {
  const begun =
    hint.startsWith('ttq ') || /^\S*[/.]\S/.test(hint) ? hint : `${hint.charAt(0).toUpperCase()}${hint.slice(1)}`
  return stopped(begun)
}

function bugHint(debug: boolean): string {
  return `This is a bug in ttq; please report it${debug ? '' : ' with the output of the same command and --debug'}.`
}

function fullStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${fullStack(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
