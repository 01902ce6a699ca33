// What a command of the program is, as plain data; the commands themselves stand in commands/, the list of them in
// command-list.ts.
import type { SettingMap } from '../options/check-config.js'
import type { Job, PathKind } from '../options/option.js'
import type { Terminal } from './terminal.js'

/** One option, as help shows it. Values arrive as text; command-options.ts reads them. */
export interface OptionSpec {
  /** Heading in the help text. */
  group: string
  describe: string
  alias?: string
  /** Takes no value. */
  flag?: true
  /** The words it chooses between, */
  choices?: readonly string[]
  /** or what on the disk it names; for the completion of command lines. */
  path?: PathKind
  /** --no-<name> says that it is not wanted. */
  off?: true
  /** May be given several times. */
  repeatable?: true
  /** The default as help shows it. */
  default?: string
}

/** What was given: options by long name, only those that were there. */
export interface Arguments {
  /** What stands behind the command's name; '' where nothing does. */
  readonly operand: string
  /** The same where several may stand there. */
  readonly operands: readonly string[]
  readonly values: ReadonlyMap<string, string | boolean | readonly string[]>
  /** What the config file says for the same command, where no flag does. */
  readonly config?: { readonly file: string; readonly settings: SettingMap }
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

/** What stands behind a command's name. */
export interface Operand {
  /** How help calls it. */
  readonly name: string
  /** What it may be. */
  readonly describe: string
  /** It may be left out. */
  readonly optional?: true
  /** There may be more than one: the command gets them all, */
  readonly several?: true
  /** or is run once for each. */
  readonly each?: true
  /** The words it chooses between, */
  readonly choices?: readonly string[]
  /** or the endings of the files it names, without dot: a config's models, where they are such, and for completion. */
  readonly files?: readonly string[]
  /** What of a config stands for it where nothing is said. Default: its models. */
  readonly configured?: 'data'
}

export interface CommandBody {
  /** Whose options it takes, and whose settings of a config file. Default: its own. */
  readonly job?: Job
  /** Absent for commands that take nothing. */
  readonly operand?: Operand
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Further ones, for the command's own help. */
  readonly examples: readonly Example[]
  /** Milliseconds that the work has to stop by itself when interrupted. Default: a few seconds. */
  readonly graceMs?: number
  /** The file that it writes, of commands that write one. @throws TtqError `usage` where that is said twice */
  readonly output?: (args: Arguments) => string
  /** Does the work and gives the exit code. @throws TtqError */
  run(args: Arguments, terminal: Terminal, program: Program): Promise<number>
}

/** The program that a command is part of: for commands that are about commands. */
export interface Program {
  /** All commands; those that are named, or with `all` every one, with their options. */
  readonly commands: (names: readonly string[] | 'all') => Promise<readonly Command[]>
  /** The help of a command, or of the whole program. */
  readonly help: (command?: string) => Promise<string>
}

export interface Command extends CommandTitle, CommandBody {}
