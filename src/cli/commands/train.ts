// ttq train: an ONNX network and a dataset -> the network trained in full precision, and a report.
import { TtqError } from '../../errors/ttq-error.js'
import { TRAIN_DEFAULTS as DEFAULTS, TRAIN_RATES } from '../../options/train-defaults.js'
import type { TrainReport } from '../../jobs/train-report.js'
import type { TrainNetworkResult, TrainRequest } from '../../jobs/train.js'
import { checkpointFile, checkpointOptions, TRAINING_GRACE_MS } from '../checkpoint-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { DATASET_OPTIONS, normalisationOf } from '../dataset-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput, type ModelInput } from '../model-input.js'
import { flagOption, given, textOption } from '../option-values.js'
import {
  checkResultPaths,
  defaultOutput,
  FORCE_OPTION,
  REPORT_OPTION,
  writeModelResult,
  writeReport,
} from '../results.js'
import type { Terminal } from '../terminal.js'
import { readTrainingOptions, TRAINING_GROUP, trainingOptions } from '../training-options.js'

const OWN = "the dataset's own"

export const trainCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin' },
  options: {
    ...DATASET_OPTIONS,
    mean: { ...DATASET_OPTIONS.mean, default: OWN },
    std: { ...DATASET_OPTIONS.std, default: OWN },
    scale: { ...DATASET_OPTIONS.scale, default: 1 },
    'from-scratch': {
      group: TRAINING_GROUP,
      describe: "start from fresh random weights instead of the file's",
      flag: true,
    },
    ...trainingOptions(DEFAULTS, TRAIN_RATES),
    ...checkpointOptions(TRAINING_GROUP),
    output: {
      group: 'Output:',
      describe: 'the trained ONNX file, - for stdout',
      alias: 'o',
      default: "the model's name with .trained.onnx, in the working directory",
    },
    force: FORCE_OPTION,
    report: REPORT_OPTION,
  },
  examples: [
    [
      '$0 train model.onnx --data cifar10 --from-scratch --epochs 164',
      'forget the weights of the file, train for long',
    ],
  ],
  graceMs: TRAINING_GRACE_MS,
  run: runTrain,
}

async function runTrain(args: Arguments, terminal: Terminal): Promise<number> {
  const data = textOption(args, 'data')
  if (data === undefined)
    throw new TtqError('usage', 'train: no dataset given, expected --data <dataset>', {
      hint: 'ttq train model.onnx --data mnist',
    })
  const options = {
    ...normalisationOf(args),
    ...readTrainingOptions(args),
    ...given({ fromScratch: flagOption(args, 'from-scratch') }),
  }
  const output = textOption(args, 'output') ?? defaultOutput(args.operand, '.trained.onnx')
  const paths = checkResultPaths(args, { input: args.operand, output })
  const checkpoint = checkpointFile(
    args,
    output,
    [args.operand, paths.model, paths.report].filter((path) => path !== undefined),
    terminal.complain,
  )
  const input = await readModelInput(args.operand, terminal.signal)
  const result = await trained(
    input,
    { ...options, data, ...(checkpoint.options && { checkpoint: checkpoint.options }) },
    terminal,
  ).catch((error: unknown) => {
    throw checkpoint.explain(error)
  })
  const report: TrainReport = { ...result.report, output: output === '-' ? null : output }
  await writeModelResult(paths, result.file, terminal)
  checkpoint.remove()
  const { renderTrainReport } = await import('../../report/train-text.js')
  await writeReport(args, paths, report, renderTrainReport(report), terminal)
  return EXIT.done
}

async function trained(
  { bytes, ...source }: ModelInput,
  options: Omit<TrainRequest, 'name'>,
  { signal, progress }: Terminal,
): Promise<TrainNetworkResult> {
  const { trainNetwork } = await import('../../jobs/train.js')
  const result = await trainNetwork(bytes, { ...source, ...options, signal, onProgress: progress })
  signal.throwIfAborted()
  return result
}
