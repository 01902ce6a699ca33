// What there is to complete, for the scripts of all shells: commands, what stands behind them, options and their
// values.
import type { Command } from '../command.js'

/** What follows an option, or a command. */
export type Values =
  | { kind: 'words'; words: readonly string[] }
  /** Files with one of these endings; none: any. */
  | { kind: 'files'; endings: readonly string[] }
  | { kind: 'folders' }
  /** Nothing that is known. */
  | { kind: 'text' }

export interface CompletableOption {
  /** `--rest`, `-o`. */
  names: readonly string[]
  about: string
  /** undefined: it takes none. */
  values: Values | undefined
}

export interface CompletableCommand {
  name: string
  about: string
  operand: Values | undefined
  options: readonly CompletableOption[]
}

/** Of all commands. @param commands with their options */
export function completable(commands: readonly Command[]): CompletableCommand[] {
  return commands.map(({ name, summary, operand, options }) => ({
    name,
    about: summary,
    operand:
      operand &&
      (operand.choices !== undefined
        ? { kind: 'words', words: [...operand.choices, ...(name === 'help' ? commands.map((each) => each.name) : [])] }
        : operand.files !== undefined
          ? { kind: 'files', endings: operand.files }
          : { kind: 'text' }),
    options: [
      ...Object.entries(options).flatMap(([option, { describe, alias, flag, choices, path, off }]) => [
        {
          names: [`--${option}`, ...(alias === undefined ? [] : [`-${alias}`])],
          about: describe,
          values: flag === true ? undefined : valuesOf(choices, path),
        },
        // A switch that is on by itself is there to be turned off.
        ...(off === true ? [{ names: [`--no-${option}`], about: describe, values: undefined }] : []),
      ]),
      { names: ['--help', '-h'], about: 'show this help', values: undefined },
    ],
  }))
}

function valuesOf(choices: readonly string[] | undefined, path: 'file' | 'folder' | 'dataset' | undefined): Values {
  if (choices !== undefined) return { kind: 'words', words: choices }
  if (path === undefined) return { kind: 'text' }
  return path === 'folder' ? { kind: 'folders' } : { kind: 'files', endings: [] }
}
