// ttq train: an ONNX network and a dataset -> the network trained in full precision, and a report.
import type { TrainReport } from '../../jobs/train-report.js'
import type { TrainNetworkResult, TrainRequest } from '../../jobs/train.js'
import { completeOptions } from '../../options/complete-options.js'
import { checkpointFile, onEveryRank } from '../checkpoint-file.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { TRAINING_GRACE_MS, unlessTooLate } from '../grace.js'
import { readModelInput, type ModelInput } from '../model-input.js'
import { agreeOnCall } from '../ranks.js'
import { asksForFiles, checkResultPaths, outputPath, writeResult, writeReport } from '../results.js'
import { describeRun } from '../describe-run.js'
import { settingsNote } from '../settings-note.js'
import { PAGE_FORMS } from '../report-forms.js'
import type { Terminal } from '../terminal.js'

export const trainCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin', files: ['onnx'], each: true },
  options: commandOptions('train'),
  examples: [
    [
      '$0 train model.onnx --data cifar10 --from-scratch --epochs 164',
      'forget the weights of the file, train for long',
    ],
  ],
  graceMs: TRAINING_GRACE_MS,
  output: outputOf,
  run: runTrain,
}

function outputOf(args: Arguments): string {
  return outputPath(args, '.trained.onnx')
}

async function runTrain(args: Arguments, terminal: Terminal): Promise<number> {
  const options = givenOptions(args, 'train')
  const { data } = completeOptions('train', options, namesOf(args))
  const output = outputOf(args)
  const { ranks } = terminal
  const what = 'the trained network'
  const paths =
    ranks.rank === 0 ? checkResultPaths(args, { input: args.operand, output, what, forms: PAGE_FORMS }) : undefined
  const checkpoint = paths && checkpointFile(args, output, paths.taken, terminal.complain)
  const input = await readModelInput(args, terminal.signal)
  await agreeOnCall('train', args, input.bytes, ranks)
  const kept = await onEveryRank(checkpoint?.options, ranks)
  terminal.progress({ kind: 'note', message: settingsNote(args, 'train') })
  const result = await trained(
    input,
    {
      ...options,
      nameOptions: namesOf(args),
      data: data as string,
      details: asksForFiles(args),
      ...(kept && { checkpoint: kept }),
    },
    terminal,
  ).catch((error: unknown) => {
    throw checkpoint?.explain(error) ?? error
  })
  if (paths === undefined) return EXIT.done
  const written = await writeResult(paths, result.file, terminal)
  const report: TrainReport = { ...result.report, output: written, run: await describeRun(args, 'train') }
  checkpoint?.remove()
  const [{ renderTrainReport }, { trainPage }] = await Promise.all([
    import('../../report/train-text.js'),
    import('../../report/train-page.js'),
  ])
  await writeReport(args, paths, report, renderTrainReport(report, terminal.columns), terminal, () => trainPage(report))
  return EXIT.done
}

async function trained(
  { bytes, ...source }: ModelInput,
  options: Omit<TrainRequest, 'name'>,
  { signal, progress, ranks }: Terminal,
): Promise<TrainNetworkResult> {
  const { trainNetwork } = await import('../../jobs/train.js')
  const work = trainNetwork(bytes, { ...source, ...options, signal, onProgress: progress, ranks })
  const result = await unlessTooLate(work, signal, TRAINING_GRACE_MS)
  signal.throwIfAborted()
  return result
}
