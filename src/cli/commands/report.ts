// ttq report: what a command printed with --json -> a page.
import { TtqError } from '../../errors/ttq-error.js'
import type { PageReport } from '../../report/read-report.js'
import type { WrittenReport } from '../../report/written-text.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { pageText, type ReportForm, reportForm } from '../report-forms.js'
import { readReportText } from '../report-input.js'
import { checkResultPaths, defaultOutput, writeResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const reportCommand: CommandBody = {
  operand: {
    name: 'report',
    describe: 'JSON file of compress, train, analyze or evaluate, - for stdin',
    files: ['json'],
  },
  options: commandOptions('report'),
  examples: [
    ['$0 report result.json --model model.ttq', 'with the kernels that the file holds'],
    ['$0 compress model.onnx --json | $0 report - -o report.html', 'from a pipe'],
  ],
  run: runReport,
}

async function runReport(args: Arguments, terminal: Terminal): Promise<number> {
  const output = textOption(args, 'output') ?? defaultOutput(args.operand, '.html')
  const form: Exclude<ReportForm, 'json'> =
    output === '-' || reportForm(output, '--output', ['html', 'markdown']) === 'html' ? 'html' : 'markdown'
  const model = textOption(args, 'model')
  const paths = checkResultPaths(args, {
    input: args.operand,
    also: model === undefined ? [] : [model],
    output,
    what: 'the page',
  })
  const name = args.operand === '-' ? 'stdin' : args.operand
  const { readReport, pageOf, withinReport } = await import('../../report/read-report.js')
  const read = readReport(await readReportText(args.operand, terminal.signal), name)
  const report = model === undefined ? read : withinReport(read, name, await drawn(read, model, args, terminal))
  // A null in the place of a text is only seen where it is written.
  const page = await pageText(() => pageOf(report, name), form).catch((cause: unknown) =>
    withinReport(report, name, (): string => {
      throw cause
    }),
  )
  const text = new TextEncoder().encode(page)
  const written: WrittenReport = {
    schema: 'ttq-page/1',
    report: name,
    output: await writeResult(paths, text, terminal),
    bytes: text.length,
  }
  const { renderWrittenReport } = await import('../../report/written-text.js')
  await writeReport(args, paths, written, renderWrittenReport(written), terminal)
  return EXIT.done
}

// The report with what its .ttq file shows.
async function drawn(
  report: PageReport,
  model: string,
  args: Arguments,
  { signal }: Terminal,
): Promise<() => PageReport> {
  if (report.schema !== 'ttq-report/1')
    throw new TtqError('usage', `--model: given with a ${report.schema} report, expected one of ttq compress`)
  const { name, bytes } = await readModelInput({ ...args, operand: model }, signal)
  const { drawPacked } = await import('../../jobs/draw-packed.js')
  return () => drawPacked(report, bytes, name)
}
