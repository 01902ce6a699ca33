// ttq verify: a packed file against its original and bounds; for gates in CI.
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const verifyCommand: CommandBody = {
  operand: { name: 'model', describe: '.ttq file, - for stdin', files: ['ttq'], each: true },
  options: commandOptions('verify'),
  examples: [
    ['$0 verify model.ttq --against model.onnx --data mnist --max-drop 0.5', 'exit code 4 where accuracy fell by more'],
    ['$0 verify model.ttq --against model.onnx --max-distance 20', 'on samples that are made up'],
  ],
  run: runVerify,
}

async function runVerify(args: Arguments, terminal: Terminal): Promise<number> {
  const options = givenOptions(args, 'verify')
  completeOptions('verify', options, namesOf(args))
  const against = textOption(args, 'against')
  const paths = checkResultPaths(args, { input: args.operand, also: against === undefined ? [] : [against] })
  const { bytes, ...source } = await readModelInput(args, terminal.signal)
  const original =
    against === undefined ? undefined : await readModelInput({ ...args, operand: against }, terminal.signal)
  const { verify } = await import('../../jobs/verify.js')
  const report = await verify(bytes, {
    ...source,
    ...options,
    original,
    signal: terminal.signal,
    onProgress: terminal.progress,
    nameOptions: namesOf(args),
  })
  terminal.signal.throwIfAborted()
  const { renderVerifyReport } = await import('../../report/verify-text.js')
  await writeReport(args, paths, report, renderVerifyReport(report, terminal.columns), terminal)
  if (report.broken.length === 0) return EXIT.done
  terminal.complain(`ttq: ${report.broken.join('; ')}`)
  return EXIT.accuracy
}
