// ttq data: what a dataset is, and what a network would get of it.
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const dataCommand: CommandBody = {
  operand: { name: 'dataset', describe: 'what --data of other commands takes', files: [] },
  options: commandOptions('data'),
  examples: [['$0 data photos --model model.onnx', 'and whether they fit the network']],
  run: runData,
}

async function runData(args: Arguments, terminal: Terminal): Promise<number> {
  const options = givenOptions(args, 'data')
  completeOptions('data', options, namesOf(args))
  const paths = checkResultPaths(args, {})
  const model = textOption(args, 'model')
  const network = model === undefined ? undefined : await readModelInput({ ...args, operand: model }, terminal.signal)
  const { surveyData } = await import('../../jobs/survey-data.js')
  const report = await surveyData(args.operand, {
    ...options,
    network: network && { bytes: network.bytes, name: network.name },
    ...(network && { externalData: network.externalData }),
    signal: terminal.signal,
    onProgress: terminal.progress,
    nameOptions: namesOf(args),
  })
  terminal.signal.throwIfAborted()
  const { renderDataReport } = await import('../../report/data-text.js')
  await writeReport(args, paths, report, renderDataReport(report, terminal.columns), terminal)
  const unreadable = report.train.unreadable.length + (report.test?.unreadable.length ?? 0)
  return unreadable > 0 || (report.network?.misfit ?? null) !== null ? EXIT.input : EXIT.done
}
