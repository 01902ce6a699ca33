// ttq evaluate: top-1 accuracy of an .onnx or .ttq file on a dataset's test set.
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { agreeOnCall } from '../ranks.js'
import { asksForFiles, checkResultPaths, writeReport } from '../results.js'
import { describeRun } from '../describe-run.js'
import { PAGE_FORMS } from '../report-forms.js'
import type { Terminal } from '../terminal.js'

export const evaluateCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX or .ttq file, - for stdin', files: ['onnx', 'ttq'], each: true },
  options: commandOptions('evaluate'),
  examples: [['$0 evaluate model.onnx --data ./loader.mjs --json', 'own data; JSON on stdout']],
  run: runEvaluate,
}

async function runEvaluate(args: Arguments, terminal: Terminal): Promise<number> {
  const options = givenOptions(args, 'evaluate')
  const { data } = completeOptions('evaluate', options, namesOf(args))
  const { ranks } = terminal
  const paths = ranks.rank === 0 ? checkResultPaths(args, { input: args.operand, forms: PAGE_FORMS }) : undefined
  const { bytes, ...source } = await readModelInput(args, terminal.signal)
  await agreeOnCall('evaluate', args, bytes, ranks)
  const { evaluateModel } = await import('../../jobs/evaluate.js')
  const found = await evaluateModel(bytes, {
    ...source,
    ...options,
    data: data as string,
    details: asksForFiles(args),
    ranks,
    signal: terminal.signal,
    onProgress: terminal.progress,
    nameOptions: namesOf(args),
  })
  terminal.signal.throwIfAborted()
  if (paths === undefined) return EXIT.done
  const report = { ...found, run: await describeRun(args, 'evaluate') }
  const [{ renderEvaluateReport }, { evaluatePage }] = await Promise.all([
    import('../../report/evaluate-text.js'),
    import('../../report/evaluate-page.js'),
  ])
  await writeReport(args, paths, report, renderEvaluateReport(report, terminal.columns), terminal, () =>
    evaluatePage(report),
  )
  return EXIT.done
}
