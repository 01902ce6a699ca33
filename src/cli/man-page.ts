// The man page, from the commands and the option table; `ttq help man`, and dist/ttq.1 in the package.
import { VERSION } from '../version.js'
import type { Command, OptionSpec } from './command.js'
import { EXIT_CODES_TEXT } from './exit-codes.js'
import { TOPICS } from './help-topics.js'
import { PROGRAM_SUMMARY, operandWord } from './parse-arguments.js'

/** In the language of man (groff_man(7)). @param commands with their options */
export function manPage(commands: readonly Command[]): string {
  return `${[
    `.TH TTQ 1 "" ${quoted(`ttq ${VERSION}`)} "User Commands"`,
    '.SH NAME',
    escaped('ttq - compress ONNX networks with Trained Ternary Quantization'),
    '.SH SYNOPSIS',
    '.B ttq',
    escaped('<command> [<model>] [options]'),
    '.SH DESCRIPTION',
    escaped(PROGRAM_SUMMARY),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH TOPICS',
    ...Object.entries(TOPICS).flatMap(([name, { about }]) => [
      '.TP',
      `.B ${escaped(`ttq help ${name}`)}`,
      escaped(about),
    ]),
    '.SH EXIT STATUS',
    ...exitLines(),
    '.SH EXAMPLES',
    ...commands
      .flatMap(({ example, examples }) => [example, ...examples])
      .flatMap(([line, meaning]) => ['.TP', `\\fB${escaped(line.replace('$0', 'ttq'))}\\fR`, escaped(meaning)]),
  ].join('\n')}\n`
}

function commandLines({ name, summary, operand, options }: Command): string[] {
  const rows = Object.entries(options)
  const groups = [...new Set(rows.map(([, { group }]) => group))]
  return [
    `.SS ${quoted(`ttq ${name}${operand === undefined ? '' : ` ${operandWord(operand)}`}`)}`,
    escaped(summary),
    ...(operand === undefined ? [] : ['.PP', escaped(`<${operand.name}>: ${operand.describe}`)]),
    ...groups.flatMap((group) => [
      '.PP',
      `.I ${escaped(group)}`,
      ...rows.filter(([, row]) => row.group === group).flatMap(optionLines),
    ]),
  ]
}

function optionLines([name, { alias, describe, flag, default: shown }]: [string, OptionSpec]): string[] {
  const names = [...(alias === undefined ? [] : [`-${alias}`]), `--${name}`].map((each) => `\\fB${escaped(each)}\\fR`)
  return [
    '.TP',
    `${names.join(', ')}${flag === true ? '' : ' \\fIvalue\\fR'}`,
    escaped(`${describe}${shown === undefined ? '' : ` [default: ${shown}]`}`),
  ]
}

// The list that help shows: a line each, number first.
function exitLines(): string[] {
  return EXIT_CODES_TEXT.split('\n').flatMap((line) => {
    const [, code, meaning] = /^ +(\d+) +(.+)$/.exec(line) ?? []
    return code === undefined || meaning === undefined ? [] : ['.TP', `.B ${code}`, escaped(meaning)]
  })
}

// A dash that stays one when copied, no request at the beginning of a line.
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&')
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`
}
