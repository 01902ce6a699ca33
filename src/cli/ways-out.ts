// Hints are written where things go wrong, for every command that gets there; what a command does not have is of no use
// to those who called it.
import { TtqError } from '../errors/ttq-error.js'
import { optionCalled } from '../options/option-table.js'
import type { Command } from './command.js'

/** An error as a command says it: without the ways out that take an option which it does not have. */
export function withOwnWaysOut(error: unknown, { options }: Pick<Command, 'options'>): unknown {
  if (!(error instanceof TtqError)) return error
  const { code, message, facts, cause, waysOut, stack } = error
  const own = waysOut.filter((way) => namesCommand(way) || optionsIn(way).every((name) => Object.hasOwn(options, name)))
  if (own.length === waysOut.length) return error
  const said = new TtqError(code, message, { facts, cause, hint: own })
  if (stack !== undefined) said.stack = stack
  return said
}

// What stands there is the option of that command.
function namesCommand(way: string): boolean {
  return /\bttq [a-z]/.test(way)
}

/** The options of this program that a text names: those of others are their own. */
export function optionsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w-])--(?:no-)?([a-z][a-z\d-]*)/g)].flatMap(([, name = '']) =>
    optionCalled(name) === undefined ? [] : [name],
  )
}
