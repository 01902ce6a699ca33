// ttq compare: reports of several compressions side by side.
import { basename } from 'node:path'
import { printableJson } from '../../errors/printable.js'
import { TtqError } from '../../errors/ttq-error.js'
import type { CompressReport } from '../../jobs/compress-report.js'
import type { ComparisonReport, NamedReport } from '../../report/comparison.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { PAGE_FORMS, pageText, reportForm } from '../report-forms.js'
import { readReportText } from '../report-input.js'
import { checkResultPaths, writeReport, writeResult } from '../results.js'
import type { Terminal } from '../terminal.js'

export const compareCommand: CommandBody = {
  operand: { name: 'report', describe: 'JSON files of ttq compress, two or more', files: ['json'], several: true },
  options: commandOptions('compare'),
  examples: [['$0 compare a.json b.json c.json -o compare.html', 'as a page, too']],
  run: runCompare,
}

async function runCompare(args: Arguments, terminal: Terminal): Promise<number> {
  const { operands } = args
  if (operands.length < 2) throw new TtqError('usage', `compare: found ${operands.length} report, expected two or more`)
  const output = textOption(args, 'output')
  if (output === '-')
    throw new TtqError('usage', '--output: found -, expected a file', {
      hint: '--json prints the comparison on stdout',
    })
  const form = output === undefined ? undefined : reportForm(output, '--output', PAGE_FORMS)
  const paths = checkResultPaths(args, { also: operands, ...(output !== undefined && { output }) })
  const { readReport, withinReport } = await import('../../report/read-report.js')
  const named: NamedReport[] = []
  for (const path of operands) {
    const report = readReport(await readReportText(path, terminal.signal), path, ['ttq-report/1']) as CompressReport
    named.push({ name: shortName(path, operands), report })
  }
  const { compareReports, comparisonPage, renderComparison } = await import('../../report/comparison.js')
  const { comparison, text, page } = withinReport({ schema: 'ttq-report/1' }, 'compare', () => {
    const compared: ComparisonReport = compareReports(named)
    return {
      comparison: compared,
      text: renderComparison(compared, terminal.columns),
      page: comparisonPage(compared, named),
    }
  })
  let written = ''
  if (form !== undefined) {
    const content = form === 'json' ? printableJson(comparison) : await pageText(() => page, form)
    written = `\nwritten to ${await writeResult(paths, new TextEncoder().encode(content), terminal)}\n`
  }
  await writeReport(args, paths, comparison, `${text}${written}`, terminal)
  return EXIT.done
}

// Without folders and ending, where that tells them apart.
function shortName(path: string, all: readonly string[]): string {
  const short = (each: string): string => basename(each).replace(/\.json$/i, '')
  return all.filter((each) => short(each) === short(path)).length === 1 ? short(path) : path
}
