// ttq inspect: what is in an .onnx or .ttq file.
import type { Arguments, Command } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, FORCE_OPTION, REPORT_OPTION, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Describe an .onnx or .ttq file: layers, shapes, Wp, Wn, shares of -/0/+, bits per weight, what cannot be trained.',
  operand: { name: 'model', describe: 'ONNX or .ttq file, - for stdin' },
  options: { report: REPORT_OPTION, force: FORCE_OPTION },
  examples: [
    ['$0 inspect model.onnx', 'what compress would do with each layer'],
    ['$0 inspect model.ttq --json', 'JSON on stdout'],
  ],
  run: runInspect,
}

async function runInspect(args: Arguments, terminal: Terminal): Promise<number> {
  const paths = checkResultPaths(args, { input: args.operand })
  const { bytes, ...source } = await readModelInput(args.operand, terminal.signal)
  const [{ inspectModel }, { renderInspectReport }] = await Promise.all([
    import('../../training/inspect-model.js'), import('../../report/inspect-report.js'),
  ])
  const report = await inspectModel(bytes, source)
  await writeReport(args, paths, report, renderInspectReport(report), terminal)
  return EXIT.done
}
