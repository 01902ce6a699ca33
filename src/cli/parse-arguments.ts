// Command line -> command and its arguments, or a text to print. yargs takes the words apart and lays out the help;
// what is unknown, missing or given twice is said here, in this program's own words.
import { TtqError } from '../errors/ttq-error.js'
import { closestName } from '../errors/closest-name.js'
import { optionCalled, OPTIONS } from '../options/option-table.js'
import type { OptionRow } from '../options/option.js'
import type { Arguments, Command, Operand, OptionSpec } from './command.js'
import { COMMANDS_ELSEWHERE, OPTIONS_ELSEWHERE } from './names-elsewhere.js'
import { EXIT_CODES_TEXT } from './exit-codes.js'
import yargs, { type Argv } from './yargs.js'

/** What the program is, in a sentence. */
export const PROGRAM_SUMMARY =
  'Compress ONNX networks about 16x with Trained Ternary Quantization: fine-tune, pack to 2 bits, verify, report.'

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
export function parseArguments(given: readonly string[], context: ParseContext): Parsed {
  const argv = commandFirst(given, context)
  let selected: { command: Command; values: Values } | undefined
  let complaint: string | undefined
  let text = ''
  const parser = program(context, argv.some(asksForHelp), (command, values) => {
    selected = { command, values }
  })
  parser.fail((message) => {
    complaint ??= message
  })
  const command = argv.flatMap((word) => context.commands.find(({ name }) => name === word) ?? [])[0]
  refuseNamesOfObjects(argv, command, context)
  const words = command === undefined ? [...argv] : plainWords(argv, command)
  // yargs takes the word help at the end of a line for --help, and so the command of that name away.
  if (argv[0] === 'help' && words.slice(1).some((word) => word === '--help' || word === '-h')) words.push('help')
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

// Which words are values of options is known behind the command only: `ttq --json inspect net.onnx` begins with it.
function commandFirst(argv: readonly string[], { commands }: ParseContext): readonly string[] {
  const at = argv.findIndex((word) => !word.startsWith('-'))
  const word = argv[at]
  if (at < 1 || word === undefined || !commands.some(({ name }) => name === word)) return argv
  return [word, ...argv.slice(0, at), ...argv.slice(at + 1)]
}

// yargs looks names up in plain objects, which know these as well.
function refuseNamesOfObjects(argv: readonly string[], command: Command | undefined, context: ParseContext): void {
  for (const word of argv.slice(0, endOfOptions(argv))) {
    const [, name] = /^--(?:no-)?([^=]+)/.exec(word) ?? []
    if (name === undefined || !(name in Object.prototype)) continue
    throw command === undefined ? noCommand(`--${name}`, context) : unknownOption(name, command, command.options)
  }
}

/** Where options end: at --, or with the line. */
export function endOfOptions(argv: readonly string[]): number {
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

// -h, --help, letters of which one is h, and what yargs takes for it.
function asksForHelp(word: string): boolean {
  return /^(--help|-[a-z]*h|help$)/i.test(word)
}

function program(
  { commands, version, columns }: ParseContext,
  withHelp: boolean,
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
    .usage(`$0 <command> [<model>] [options]\n\n${PROGRAM_SUMMARY}`)
    .epilogue(
      `${EXIT_CODES_TEXT}\n\nThe result goes to stdout, everything else to stderr. "-" as model or output is ` +
        'stdin or stdout.',
    )
  for (const command of commands) {
    const build = (own: Argv): Argv => buildCommand(own, command, withHelp)
    parser.command(command.name, command.summary, build, (values) => {
      select(command, values)
    })
    parser.example(...command.example)
  }
  return parser
}

// yargs lays out a command's help whenever it runs one, for which nobody asks: of 110 options that is 60 to 100 ms. So
// it knows their texts only where they are shown.
function buildCommand(parser: Argv, command: Command, withHelp: boolean): Argv {
  const { operand } = command
  parser.usage(
    [
      `$0 ${command.name}${operand === undefined ? '' : ` ${operandWord(operand)}`} [options]\n`,
      command.summary,
      ...(operand === undefined ? [] : [`<${operand.name}>: ${operand.describe}`]),
    ].join('\n'),
  )
  for (const [name, { group, describe, alias, flag, default: defaultValue }] of Object.entries(command.options)) {
    parser.option(name, {
      ...(withHelp ? { group, describe } : { hidden: true }),
      ...(alias === undefined ? {} : { alias }),
      ...(flag === true ? { boolean: true } : { nargs: 1 }),
      ...(defaultValue === undefined ? {} : { defaultDescription: defaultValue }),
    })
  }
  for (const [example, meaning] of [command.example, ...command.examples]) parser.example(example, meaning)
  return parser.epilogue(EXIT_CODES_TEXT)
}

/** `<model>`, `[<topic>]`, `<model>...`: how usage lines show it. */
export function operandWord({ name, optional, several, each }: Operand): string {
  const word = `<${name}>${several === true || each === true ? '...' : ''}`
  return optional === true ? `[${word}]` : word
}

function checkedArguments(command: Command, given: Values, words: readonly string[]): Arguments {
  const operands = given._.slice(1).map(String)
  const { options } = command
  const checked = new Map<string, string | boolean | readonly string[]>()
  for (const [name, value] of optionsGiven(given)) {
    const spec = options[name]
    if (spec === undefined) throw unknownOption(name, command, options)
    checked.set(name, value === false && spec.off === true ? false : checkedValue(name, value, spec))
  }
  return { operand: operands[0] ?? '', operands, values: checked, words }
}

/**
 * Asked when the config file has been read, which may name a model.
 * @throws TtqError `usage` for words behind a command that it does not take, and for those that are missing
 */
export function checkOperands(command: Command, operands: readonly string[]): void {
  const [operand = '', extra] = operands
  const found = (what: string): TtqError =>
    new TtqError('usage', `${command.name}: ${what}`, { hint: helpHint(command) })
  if (command.operand === undefined) {
    if (operand !== '') throw found(`found an argument "${operand}", expected none`)
    return
  }
  const { name, describe, optional, several, each } = command.operand
  if (operand === '' && (operands.length > 0 || optional !== true))
    throw found(`no ${name} given, expected one: ${describe}`)
  if (extra !== undefined && several !== true && each !== true)
    throw found(`found another argument "${extra}", expected one ${name}`)
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
  const hint = closest === undefined ? (elsewhere(name) ?? helpHint(command)) : `Did you mean --${closest}?`
  return new TtqError('usage', `${command.name}: unknown option ${dashed}`, { facts: { option: name }, hint })
}

// An option that other commands have.
function elsewhere(long: string): string | undefined {
  const name = optionCalled(long)
  const row: OptionRow | undefined = name && OPTIONS[name]
  if (row === undefined || row.only === 'library') return undefined
  const jobs = row.jobs.map((job) => `ttq ${job}`).join(', ')
  return `--${long} is an option of ${jobs.replace(/, ([^,]*)$/, ' and $1')}.`
}

function withoutCommand(given: Values, { commands, columns, version }: ParseContext): Parsed {
  const names = commands.map(({ name }) => name)
  const [word] = given._
  if (word !== undefined) {
    const closest = COMMANDS_ELSEWHERE.get(String(word).toLowerCase()) ?? closestName(String(word), names)
    if (word === 'version')
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
