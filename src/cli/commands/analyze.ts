// ttq analyze: which layers suffer from ternary weights, measured one at a time.
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, writeReport } from '../results.js'
import { describeRun } from '../describe-run.js'
import { PAGE_FORMS } from '../report-forms.js'
import type { Terminal } from '../terminal.js'

export const analyzeCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin', files: ['onnx'], each: true },
  options: commandOptions('analyze'),
  examples: [
    ['$0 analyze model.onnx', 'without data: on synthetic samples'],
    ['$0 analyze model.onnx --data ./loader.mjs --samples 256 --json', 'own data; JSON on stdout'],
  ],
  run: runAnalyze,
}

async function runAnalyze(args: Arguments, terminal: Terminal): Promise<number> {
  const options = givenOptions(args, 'analyze')
  completeOptions('analyze', options, namesOf(args))
  const paths = checkResultPaths(args, { input: args.operand, forms: PAGE_FORMS })
  const { bytes, ...source } = await readModelInput(args, terminal.signal)
  const { analyze } = await import('../../jobs/analyze.js')
  const found = await analyze(bytes, {
    ...source,
    ...options,
    signal: terminal.signal,
    onProgress: terminal.progress,
    nameOptions: namesOf(args),
  })
  terminal.signal.throwIfAborted()
  const report = { ...found, run: await describeRun(args, 'analyze') }
  const [{ renderAnalyzeReport }, { analyzePage }] = await Promise.all([
    import('../../report/analyze-text.js'),
    import('../../report/analyze-page.js'),
  ])
  await writeReport(args, paths, report, renderAnalyzeReport(report, terminal.columns), terminal, () =>
    analyzePage(report),
  )
  return EXIT.done
}
