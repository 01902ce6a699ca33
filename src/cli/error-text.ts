// What is said of an error: on stderr, and as the document that --json prints.
import { TtqError } from '../errors/ttq-error.js'
import { stopped, withHint } from '../errors/with-hint.js'
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
  if (error instanceof TtqError) return `ttq: ${withHint(error.message, error.hint)}${stack}`
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

function bugHint(debug: boolean): string {
  return `This is a bug in ttq; please report it${debug ? '' : ' with the output of the same command and --debug'}.`
}

function fullStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${fullStack(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
