// ttq unpack: a .ttq file -> a plain ONNX file that any runtime opens.
import { TtqError } from '../../errors/ttq-error.js'
import type { UnpackReport } from '../../report/unpack-text.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, defaultOutput, writeModelResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const unpackCommand: CommandBody = {
  operand: { name: 'model', describe: '.ttq file, - for stdin' },
  options: commandOptions('unpack'),
  examples: [['$0 unpack - -o - < model.ttq > model.onnx', 'the same through pipes']],
  run: runUnpack,
}

async function runUnpack(args: Arguments, terminal: Terminal): Promise<number> {
  const output = textOption(args, 'output') ?? defaultOutput(args.operand, '.onnx')
  const paths = checkResultPaths(args, { input: args.operand, output })
  const { name, bytes } = await readModelInput(args, terminal.signal)
  const [{ isPacked, unpack }, { writeModel }, { renderUnpackReport }] = await Promise.all([
    import('../../packed/index.js'),
    import('../../onnx/write-model.js'),
    import('../../report/unpack-text.js'),
  ])
  if (!isPacked(bytes))
    throw new TtqError('packed', `${name}: does not begin like a .ttq file`, {
      hint: 'ttq inspect tells what a file is.',
    })
  const onnx = writeModel(unpack(bytes, { name }).model)
  const written = await writeModelResult(paths, onnx, terminal)
  const report: UnpackReport = {
    schema: 'ttq-unpack/1',
    model: name,
    output: written,
    fileBytes: bytes.length,
    onnxBytes: onnx.length,
  }
  await writeReport(args, paths, report, renderUnpackReport(report), terminal)
  return EXIT.done
}
