// Command line -> command and its arguments, or a text to print. yargs takes the words apart and lays out the help;
// what is unknown, missing or given twice is said here, in this program's own words.
import yargs, { type Argv } from 'yargs'
import { TtqError } from '../errors/ttq-error.js'
import { closestName } from '../errors/closest-name.js'
import type { Arguments, Command, OptionSpec } from './command.js'
import { COMMANDS_ELSEWHERE, OPTIONS_ELSEWHERE } from './names-elsewhere.js'
import { EXIT_CODES_TEXT } from './exit-codes.js'

type Parsed =
  | { kind: 'run'; command: Command; args: Arguments }
  | { kind: 'print'; text: string }
  | { kind: 'nothing'; help: string }

interface ParseContext {
  commands: readonly Command[]
  version: string
  /** Width of help texts. */
  columns: number
}

type Values = Record<string, unknown> & { _: (string | number)[] }

/** @throws TtqError `usage` for everything that is not a legal command line */
export function parseArguments(argv: readonly string[], context: ParseContext): Parsed {
  let selected: { command: Command; values: Values } | undefined
  let complaint: string | undefined
  let text = ''
  const parser = program(context, (command, values) => {
    selected = { command, values }
  })
  parser.fail((message) => {
    complaint ??= message
  })
  const command = argv.flatMap((word) => context.commands.find(({ name }) => name === word) ?? [])[0]
  refuseNamesOfObjects(argv, command, context)
  const words = command === undefined ? [...argv] : plainWords(argv, command)
  const values = parser.parse(words, {}, (_error, _values, output) => {
    text = output
  }) as Values
  if (complaint !== undefined)
    throw translated(complaint, selected?.command ?? context.commands.find(({ name }) => name === argv[0]))
  if (text !== '') return { kind: 'print', text: `${text.trimEnd()}\n` }
  if (selected !== undefined)
    return { kind: 'run', command: selected.command, args: checkedArguments(selected.command, selected.values, argv) }
  return withoutCommand(values, context)
}

// yargs looks names up in plain objects, which know these as well.
function refuseNamesOfObjects(argv: readonly string[], command: Command | undefined, context: ParseContext): void {
  for (const word of argv.slice(0, endOfOptions(argv))) {
    const [, name] = /^--(?:no-)?([^=]+)/.exec(word) ?? []
    if (name === undefined || !(name in Object.prototype)) continue
    throw command === undefined ? noCommand(`--${name}`, context) : unknownOption(name, command, command.options)
  }
}

function endOfOptions(argv: readonly string[]): number {
  return argv.includes('--') ? argv.indexOf('--') : argv.length
}

// yargs takes any value of a switch for no, and the letters behind an alias for more aliases.
function plainWords(argv: readonly string[], { options }: Command): string[] {
  const end = endOfOptions(argv)
  return argv.flatMap((word, i) => {
    if (i >= end) return [word]
    const [, name = '', value] = /^--(?:no-)?([^=]+)=(.*)$/s.exec(word) ?? []
    if (options[name]?.flag === true && value !== 'true' && value !== 'false')
      throw new TtqError('usage', `--${name}: found "${value}", expected --${name} alone`)
    const [, letter, attached] = /^-([a-zA-Z])([^=].*)$/s.exec(word) ?? []
    const takesValue = Object.values(options).some(({ alias, flag }) => alias === letter && flag !== true)
    if (letter !== undefined && attached !== undefined && takesValue) return [`-${letter}`, attached]
    if (/^-[^-].*\.(onnx|ttq)$/is.test(word))
      throw new TtqError('usage', `${word}: found an option, expected a file name`, {
        hint: `a file that is called like an option is written ./${word}`,
      })
    return [word]
  })
}

function program(
  { commands, version, columns }: ParseContext,
  select: (command: Command, values: Values) => void,
): Argv {
  const parser = yargs()
    .scriptName('ttq')
    .locale('en')
    .exitProcess(false)
    .wrap(columns)
    .version('version', 'show the version', version)
    .help('help', 'show this help')
    .alias('help', 'h')
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    })
    .updateStrings({ 'Options:': 'Other:', 'Commands:': 'Commands (each has its own --help):' })
    .usage(
      '$0 <command> [<model>] [options]\n\nCompress ONNX networks about 16x with Trained Ternary Quantization: ' +
        'fine-tune, pack to 2 bits, verify, report.',
    )
    .epilogue(
      `${EXIT_CODES_TEXT}\n\nThe result goes to stdout, everything else to stderr. "-" as model or output is ` +
        'stdin or stdout.',
    )
  for (const command of commands) {
    const build = (own: Argv): Argv => buildCommand(own, command)
    parser.command(command.name, command.summary, build, (values) => {
      select(command, values)
    })
    parser.example(...command.example)
  }
  return parser
}

function buildCommand(parser: Argv, command: Command): Argv {
  const { operand } = command
  parser.usage(
    [
      `$0 ${command.name}${operand === undefined ? '' : ` <${operand.name}>${operand.several === true ? '...' : ''}`} [options]\n`,
      command.summary,
      ...(operand === undefined ? [] : [`<${operand.name}>: ${operand.describe}`]),
    ].join('\n'),
  )
  for (const [name, { group, describe, alias, flag, default: defaultValue }] of Object.entries(command.options)) {
    parser.option(name, {
      group,
      describe,
      ...(alias === undefined ? {} : { alias }),
      ...(flag === true ? { boolean: true } : { nargs: 1 }),
      ...(defaultValue === undefined ? {} : { defaultDescription: defaultValue }),
    })
  }
  for (const [example, meaning] of [command.example, ...command.examples]) parser.example(example, meaning)
  return parser.epilogue(EXIT_CODES_TEXT)
}

function checkedArguments(command: Command, given: Values, words: readonly string[]): Arguments {
  const operands = given._.slice(1).map(String)
  const operand = checkedOperand(command, operands)
  const { options } = command
  const checked = new Map<string, string | boolean | readonly string[]>()
  for (const [name, value] of optionsGiven(given)) {
    const spec = options[name]
    if (spec === undefined) throw unknownOption(name, command, options)
    checked.set(name, checkedValue(name, value, spec))
  }
  return { operand, operands, values: checked, words }
}

function checkedOperand(command: Command, [operand = '', extra]: readonly string[]): string {
  const found = (what: string): TtqError =>
    new TtqError('usage', `${command.name}: ${what}`, { hint: helpHint(command) })
  if (command.operand === undefined) {
    if (operand !== '') throw found(`found an argument "${operand}", expected none`)
    return ''
  }
  const { name } = command.operand
  if (operand === '') throw found(`no ${name} given, expected one: ${command.operand.describe}`)
  if (extra !== undefined && command.operand.several !== true)
    throw found(`found another argument "${extra}", expected one ${name}`)
  return operand
}

// yargs keeps words and the program's name among the options.
function optionsGiven(given: Values): [name: string, value: unknown][] {
  return Object.entries(given).filter(([name]) => name !== '_' && name !== '$0')
}

function checkedValue(
  name: string,
  value: unknown,
  { repeatable, flag }: OptionSpec,
): string | boolean | readonly string[] {
  const several: unknown[] = Array.isArray(value) ? value : [value]
  if (repeatable === true) return several.map(String)
  if (several.length > 1) throw new TtqError('usage', `--${name}: given ${several.length} times, expected once`)
  if (flag === true) return value === true
  if (typeof value === 'boolean')
    throw new TtqError('usage', `--no-${name}: --${name} is no switch, expected --${name} <value>`)
  return String(value)
}

function unknownOption(name: string, command: Command, options: Readonly<Record<string, OptionSpec>>): TtqError {
  const dashed = name.length === 1 ? `-${name}` : `--${name}`
  const known = [...Object.keys(options), 'help', 'version']
  const closest = OPTIONS_ELSEWHERE.get(name)?.find((own) => known.includes(own)) ?? closestName(name, known)
  const hint = closest === undefined ? helpHint(command) : `Did you mean --${closest}?`
  return new TtqError('usage', `${command.name}: unknown option ${dashed}`, { facts: { option: name }, hint })
}

function withoutCommand(given: Values, { commands, columns, version }: ParseContext): Parsed {
  const names = commands.map(({ name }) => name)
  const [word] = given._
  if (word !== undefined) {
    const closest = COMMANDS_ELSEWHERE.get(String(word).toLowerCase()) ?? closestName(String(word), names)
    if (word === 'version' || word === 'help')
      throw new TtqError('usage', `unknown command "${word}"`, { hint: `Did you mean ttq --${word}?` })
    const hint =
      closest === undefined
        ? `The commands are ${names.join(', ')}; ttq --help lists them.`
        : `Did you mean ttq ${closest}?`
    throw new TtqError('usage', `unknown command "${word}"`, { facts: { command: word }, hint })
  }
  const [option] = optionsGiven(given)
  if (option !== undefined) throw noCommand(`--${option[0]}`, { commands })
  const help = parseArguments(['--help'], { commands, columns, version })
  return { kind: 'nothing', help: help.kind === 'print' ? help.text : '' }
}

function noCommand(before: string, { commands }: Pick<ParseContext, 'commands'>): TtqError {
  const names = commands.map(({ name }) => name).join(', ')
  return new TtqError('usage', `no command before ${before}`, {
    hint: `The commands are ${names}; ttq --help lists them.`,
  })
}

// yargs' own complaints, recognised by its English texts.
function translated(complaint: string, command: Command | undefined): TtqError {
  const details = { hint: command === undefined ? 'ttq --help shows what there is.' : helpHint(command) }
  const [, option] = /^Not enough arguments following: (.+)$/.exec(complaint) ?? []
  if (option !== undefined)
    return new TtqError(
      'usage',
      `${option.length === 1 ? '-' : '--'}${option}: found nothing, expected a value`,
      details,
    )
  return new TtqError('usage', complaint, details)
}

function helpHint({ name }: Command): string {
  return `ttq ${name} --help lists the options.`
}
