// ttq unpack: a .ttq file -> a plain ONNX file that any runtime opens, or another form of the network.
import { TtqError } from '../../errors/ttq-error.js'
import type { UnpackReport } from '../../report/unpack-text.js'
import type { Arguments, CommandBody } from '../command.js'
import type { UnpackedFormName } from '../../options/choices.js'
import { OPTIONS } from '../../options/option-table.js'
import { commandLineOption, commandOptions, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkResultPaths, outputPath, writeResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const unpackCommand: CommandBody = {
  operand: { name: 'model', describe: '.ttq file, - for stdin', files: ['ttq'], each: true },
  options: commandOptions('unpack'),
  examples: [
    ['$0 unpack - -o - < model.ttq > model.onnx', 'the same through pipes'],
    ['$0 unpack model.ttq --as packed -o small.onnx', 'ONNX that stays small'],
  ],
  run: runUnpack,
}

async function runUnpack(args: Arguments, terminal: Terminal): Promise<number> {
  const form = (commandLineOption(args, 'as') ?? OPTIONS.as.default.base) as UnpackedFormName
  const { FORMS } = await import('../../unpacking/unpacked-forms.js')
  const { extension, what, write } = FORMS[form]
  const output = outputPath(args, extension)
  const beside = `${output.slice(0, -extension.length)}.unpacked${extension}`
  const paths = checkResultPaths(args, {
    ...{ input: args.operand, output, what: 'the unpacked file' },
    // By default it is called as the network was that became the .ttq file.
    ...(textOption(args, 'output') === undefined && {
      existsHint: `It may be the original: --output ${beside} goes beside it, --force replaces it.`,
    }),
  })
  const { name, bytes } = await readModelInput(args, terminal.signal)
  const [{ isPacked, unpack }, { renderUnpackReport }] = await Promise.all([
    import('../../packed/index.js'),
    import('../../report/unpack-text.js'),
  ])
  if (!isPacked(bytes))
    throw new TtqError('packed', `${name}: does not begin like a .ttq file`, {
      hint: 'ttq inspect tells what a file is.',
    })
  const unpacked = write(unpack(bytes, { name }))
  const written = await writeResult(paths, unpacked, terminal)
  const report: UnpackReport = {
    schema: 'ttq-unpack/2',
    model: name,
    output: written,
    as: form,
    fileBytes: bytes.length,
    unpackedBytes: unpacked.length,
  }
  await writeReport(args, paths, report, renderUnpackReport(report, what), terminal)
  return EXIT.done
}
