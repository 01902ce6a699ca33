// What a command of the program is, as plain data; the commands themselves stand in commands/, the list of them in
// command-list.ts.
import type { Terminal } from './terminal.js'

/** One option, as help shows it. Values arrive as text; command-options.ts reads them. */
export interface OptionSpec {
  /** Heading in the help text. */
  group: string
  describe: string
  alias?: string
  /** Takes no value. */
  flag?: true
  /** May be given several times. */
  repeatable?: true
  /** The default as help shows it. */
  default?: string
}

/** What was given: options by long name, only those that were there. */
export interface Arguments {
  /** What stands behind the command's name; '' for commands that take nothing. */
  readonly operand: string
  readonly values: ReadonlyMap<string, string | boolean | readonly string[]>
  /** All operands of a command that takes several. */
  readonly operands: readonly string[]
  /** The command line as it was given, for reports. */
  readonly words: readonly string[]
}

/** What the list of commands shows of one. */
export interface CommandTitle {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  readonly example: Example
}

type Example = readonly [command: string, meaning: string]

export interface CommandBody {
  /**
   * The one word behind the command's name (or the words), as help calls it, and what it may be; absent for commands
   * that take nothing.
   */
  readonly operand?: { readonly name: string; readonly describe: string; readonly several?: true }
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Further ones, for the command's own help. */
  readonly examples: readonly Example[]
  /** Milliseconds that the work has to stop by itself when interrupted. Default: a few seconds. */
  readonly graceMs?: number
  /** Does the work and gives the exit code. @throws TtqError */
  run(args: Arguments, terminal: Terminal): Promise<number>
}

export interface Command extends CommandTitle, CommandBody {}
