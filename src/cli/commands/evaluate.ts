// ttq evaluate: top-1 accuracy of an .onnx or .ttq file on a dataset's test set.
import { TtqError } from '../../errors/ttq-error.js'
import { DEVICES, DEVICES_TEXT } from '../../runtime/device.js'
import { COMPRESS_DEFAULTS as DEFAULTS } from '../../options/compress-defaults.js'
import type { Arguments, CommandBody } from '../command.js'
import { DATASET_OPTIONS, normalisationOf } from '../dataset-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { choiceOption, numberOption, textOption } from '../option-values.js'
import { checkResultPaths, FORCE_OPTION, REPORT_OPTION, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const evaluateCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX or .ttq file, - for stdin' },
  options: {
    ...DATASET_OPTIONS,
    threads: {
      group: 'Dataset:',
      describe: 'worker threads, 0 = one per core (one in all for another device than cpu)',
      default: DEFAULTS.threads,
    },
    device: { group: 'Dataset:', describe: DEVICES_TEXT, default: DEFAULTS.device },
    report: REPORT_OPTION,
    force: FORCE_OPTION,
  },
  examples: [['$0 evaluate model.onnx --data ./loader.mjs --json', 'own data; JSON on stdout']],
  run: runEvaluate,
}

async function runEvaluate(args: Arguments, terminal: Terminal): Promise<number> {
  const data = textOption(args, 'data')
  if (data === undefined)
    throw new TtqError('usage', 'evaluate: no dataset given, expected --data <dataset>', {
      hint: 'ttq evaluate model.onnx --data mnist',
    })
  const normalisation = normalisationOf(args)
  const threads = numberOption(args, 'threads', { from: 0, to: 1024, whole: true }) ?? DEFAULTS.threads
  const device = choiceOption(args, 'device', DEVICES) ?? DEFAULTS.device
  const paths = checkResultPaths(args, { input: args.operand })
  const { bytes, ...source } = await readModelInput(args.operand, terminal.signal)
  const { evaluateModel } = await import('../../jobs/evaluate.js')
  const report = await evaluateModel(bytes, {
    ...source,
    ...normalisation,
    data,
    threads,
    device,
    signal: terminal.signal,
    onProgress: terminal.progress,
  })
  terminal.signal.throwIfAborted()
  const { renderEvaluateReport } = await import('../../report/evaluate-text.js')
  await writeReport(args, paths, report, renderEvaluateReport(report), terminal)
  return EXIT.done
}
