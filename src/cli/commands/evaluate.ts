// ttq evaluate: top-1 accuracy of an .onnx or .ttq file on a dataset's test set.
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, writeReport } from '../results.js'
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
  const paths = checkResultPaths(args, { input: args.operand })
  const { bytes, ...source } = await readModelInput(args, terminal.signal)
  const { evaluateModel } = await import('../../jobs/evaluate.js')
  const report = await evaluateModel(bytes, {
    ...source,
    ...options,
    data: data as string,
    signal: terminal.signal,
    onProgress: terminal.progress,
    nameOptions: namesOf(args),
  })
  terminal.signal.throwIfAborted()
  const { renderEvaluateReport } = await import('../../report/evaluate-text.js')
  await writeReport(args, paths, report, renderEvaluateReport(report), terminal)
  return EXIT.done
}
