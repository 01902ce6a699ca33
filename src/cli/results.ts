// Where the results of a command go: checked before the work, written after it.
import { existsSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Page } from '../report/page.js'
import { printableJson, printableLines } from '../errors/printable.js'
import { hasErrno, TtqError } from '../errors/ttq-error.js'
import type { Arguments } from './command.js'
import { commandLineOption, isSet, textOption } from './command-options.js'
import { asCode } from './environment.js'
import { checkOutputPath, type OutputFile } from './output-path.js'
import { pageText, type ReportForm, reportForm } from './report-forms.js'
import type { Terminal } from './terminal.js'

export interface ResultPaths {
  /** Where the result goes: a file, '-' for stdout, or undefined where the command makes none. */
  result: OutputFile | '-' | undefined
  /** What the result is, for messages. */
  what: string
  /** Where the report goes besides, and as what. */
  reports: readonly ReportFile[]
  /** All files of the run so far, those it reads and those it writes: what else is written must differ from them. */
  taken: readonly string[]
}

export interface ReportFile {
  file: OutputFile
  form: ReportForm
}

/** The files that a command reads and writes, besides its report: as given or by default. */
interface CommandFiles {
  input?: string
  /** Further ones that it reads. */
  also?: readonly string[]
  output?: string
  /** What goes there, which may be stdout; absent: it may not. */
  what?: string
  /** What is there may be replaced, being the command's own from before. */
  isOwn?: boolean
  /** What to do where there is something that may not. */
  existsHint?: string
  /** What its report can be written as. Default: JSON */
  forms?: readonly ReportForm[]
}

/**
 * Checks all places before any long work.
 * @throws TtqError `usage`
 */
export function checkResultPaths(
  args: Arguments,
  { input: read, also = [], output, what, isOwn = false, existsHint, forms = ['json'] }: CommandFiles,
): ResultPaths {
  const force = isSet(args, 'force')
  const input = [...(read === undefined || read === '-' ? [] : [read]), ...also, ...dataPaths(args)]
  if (output === '-') checkStdout(args, what)
  const deviceHint = what === undefined ? undefined : 'Use - to write to stdout.'
  const result =
    output === undefined || output === '-'
      ? output
      : checkOutputPath({
          ...{ path: output, option: '--output', force: force || isOwn, others: input, deviceHint },
          ...(existsHint !== undefined && { existsHint }),
        })
  const taken = [...input, ...(result === undefined || result === '-' ? [] : [result.path])]
  const reports = reportFiles(args).map((path): ReportFile => {
    if (path === '-') throw new TtqError('usage', '--report: found -, expected a file', { hint: REPORT_ON_STDOUT })
    const file = checkOutputPath({ path, option: '--report', force, others: taken, deviceHint: REPORT_ON_STDOUT })
    taken.push(file.path)
    return { file, form: reportForm(path, '--report', forms) }
  })
  return { result, what: what ?? 'the result', reports, taken }
}

/** Whether a report is to be written, of which pages show more than what is printed. */
export function asksForFiles(args: Arguments): boolean {
  return reportFiles(args).length > 0
}

function reportFiles(args: Arguments): readonly string[] {
  return (commandLineOption(args, 'report') ?? []) as readonly string[]
}

const REPORT_ON_STDOUT = '--json prints the report on stdout.'

// The file or folder of a dataset, of a kind or not.
function dataPaths(args: Arguments): string[] {
  const data = textOption(args, 'data')
  return data === undefined ? [] : [data, data.replace(/^\w{2,}:/, '')].filter((path) => existsSync(path))
}

function checkStdout(args: Arguments, what: string | undefined): void {
  if (what === undefined) throw new Error('internal: nothing that goes to stdout')
  const hint = 'Name a file with --output.'
  if (isSet(args, 'json'))
    throw new TtqError('usage', `--json: given while stdout is for ${what}; only one of them fits there`, { hint })
  if (process.stdout.isTTY)
    throw new TtqError('usage', `--output: stdout is a terminal, expected a pipe or a file for ${what}`, { hint })
}

/**
 * Writes the result; to stdout as a whole.
 * @returns where it is, as reports say it; null for stdout
 * @throws TtqError `output`
 */
export async function writeResult(
  { result, what }: ResultPaths,
  bytes: Uint8Array,
  terminal: Terminal,
): Promise<string | null> {
  if (result === undefined) throw new Error(`internal: no place for ${what}`)
  if (result !== '-') {
    result.write(bytes, terminal.complain)
    return result.name
  }
  if (!(await terminal.write(bytes))) throw new TtqError('output', `stdout: closed before the end of ${what}`)
  return null
}

/**
 * Prints a report as text or JSON (on stderr while the result is on stdout), and writes it where --report says.
 * @param page the report as a page; absent for commands that write it as JSON only
 */
export async function writeReport(
  args: Arguments,
  paths: ResultPaths,
  report: object,
  text: string,
  terminal: Terminal,
  page?: () => Page,
): Promise<void> {
  const json = printableJson(report)
  for (const { file, form } of paths.reports)
    file.write(new TextEncoder().encode(form === 'json' ? json : await pageText(page, form)), terminal.complain)
  if (terminal.onReport !== undefined) await terminal.onReport(report, printableLines(text))
  else if (paths.result === '-') terminal.note(text.trimEnd())
  else await terminal.write(isSet(args, 'json') ? json : printableLines(text))
  terminal.summarize('ttq', asCode(text))
}

/**
 * The file of a command's result: as given, else by the model's name and `ending` in the folder for results. That is
 * made where it is not there.
 * @throws TtqError `usage`
 */
export function outputPath(args: Arguments, ending: string): string {
  const given = textOption(args, 'output')
  const folder = textOption(args, 'outDir')
  if (folder === undefined) return given ?? defaultOutput(args.operand, ending)
  if (given !== undefined)
    throw new TtqError('usage', '--output: given together with --out-dir; each of them says where the result goes')
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    const isFile = hasErrno(cause, 'EEXIST') || hasErrno(cause, 'ENOTDIR')
    const found = isFile ? 'there is a file in its place, or in that of a folder above' : (cause as Error).message
    throw new TtqError('usage', `--out-dir: ${folder} cannot be made: ${found}, expected a folder`, { cause })
  }
  return join(folder, args.operand === '-' ? `stdin${ending}` : defaultOutput(args.operand, ending))
}

/**
 * Default output: the input's name with another ending, in the working directory. stdin goes to stdout.
 * @throws TtqError `usage` where the input has that ending already
 */
export function defaultOutput(model: string, ending: string): string {
  if (model === '-') return '-'
  const name = basename(model)
  if (ending !== '' && name.toLowerCase().endsWith(ending))
    throw new TtqError('usage', `${model}: found a file that ends in ${ending}, as the result does`, {
      hint: `ttq inspect tells what it is; if it is no ${ending} file all the same, name the result with --output`,
    })
  return `${name.replace(/\.[^.]+$/, '')}${ending}`
}
