// ttq inspect: what is in an .onnx or .ttq file.
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const inspectCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX or .ttq file, - for stdin', files: ['onnx', 'ttq'], each: true },
  options: commandOptions('inspect'),
  examples: [['$0 inspect model.ttq --json', 'JSON on stdout']],
  run: runInspect,
}

async function runInspect(args: Arguments, terminal: Terminal): Promise<number> {
  const paths = checkResultPaths(args, { input: args.operand })
  const { bytes, ...source } = await readModelInput(args, terminal.signal)
  const [{ inspectModel }, { renderInspectReport }] = await Promise.all([
    import('../../jobs/inspect.js'),
    import('../../report/inspect-text.js'),
  ])
  const report = await inspectModel(bytes, source)
  await writeReport(args, paths, report, renderInspectReport(report, terminal.columns), terminal)
  return EXIT.done
}
