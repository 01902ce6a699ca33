// ttq diff: how two files of a network differ; with bounds, a gate for pipelines.
import { TtqError } from '../../errors/ttq-error.js'
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const diffCommand: CommandBody = {
  operand: {
    name: 'file',
    describe: 'two .ttq or ONNX files, the older one first',
    files: ['ttq', 'onnx'],
    several: true,
  },
  options: commandOptions('diff'),
  examples: [
    ['$0 diff released.ttq new.ttq --max-growth 2', 'exit code 4 where the file has grown by more than 2 %'],
    ['$0 diff a.ttq b.ttq --same', 'exit code 4 where they do not compute the same, bit for bit'],
  ],
  run: runDiff,
}

async function runDiff(args: Arguments, terminal: Terminal): Promise<number> {
  const { operands } = args
  const [first, second] = operands
  if (first === undefined || second === undefined || operands.length > 2)
    throw new TtqError('usage', `diff: found ${operands.length} file${operands.length === 1 ? '' : 's'}, expected two`)
  if (first === '-' && second === '-') throw new TtqError('usage', 'diff: found - twice, expected one file on stdin')
  const options = givenOptions(args, 'diff')
  completeOptions('diff', options, namesOf(args))
  const paths = checkResultPaths(args, { also: operands.filter((path) => path !== '-') })
  const before = await readModelInput({ ...args, operand: first }, terminal.signal)
  const after = await readModelInput({ ...args, operand: second }, terminal.signal)
  const [{ diff }, { renderDiffReport }] = await Promise.all([
    import('../../jobs/diff.js'),
    import('../../report/diff-text.js'),
  ])
  const { bytes, ...source } = before
  const report = diff(bytes, { ...source, ...options, after, nameOptions: namesOf(args) })
  await writeReport(args, paths, report, renderDiffReport(report, terminal.columns), terminal)
  if (report.broken.length === 0) return EXIT.done
  terminal.complain(`ttq: ${report.broken.join('; ')}`)
  return EXIT.accuracy
}
