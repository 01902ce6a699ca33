// ttq unpack: a .ttq file -> a plain ONNX file that any runtime opens.
import { TtqError } from '../../errors/ttq-error.js'
import type { UnpackReport } from '../../report/unpack-text.js'
import type { Arguments, CommandBody } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { textOption } from '../option-values.js'
import { checkResultPaths, defaultOutput, FORCE_OPTION, writeModelResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const unpackCommand: CommandBody = {
  operand: { name: 'model', describe: '.ttq file, - for stdin' },
  options: {
    output: {
      group: 'Output:',
      describe: 'the ONNX file, - for stdout',
      alias: 'o',
      default: "the model's name with .onnx, in the working directory",
    },
    force: FORCE_OPTION,
  },
  examples: [['$0 unpack - -o - < model.ttq > model.onnx', 'the same through pipes']],
  run: runUnpack,
}

async function runUnpack(args: Arguments, terminal: Terminal): Promise<number> {
  const output = textOption(args, 'output') ?? defaultOutput(args.operand, '.onnx')
  const paths = checkResultPaths(args, { input: args.operand, output })
  const { name, bytes } = await readModelInput(args.operand, terminal.signal)
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
  await writeModelResult(paths, onnx, terminal)
  const report: UnpackReport = {
    schema: 'ttq-unpack/1',
    model: name,
    output: output === '-' ? null : output,
    fileBytes: bytes.length,
    onnxBytes: onnx.length,
  }
  await writeReport(args, paths, report, renderUnpackReport(report), terminal)
  return EXIT.done
}
