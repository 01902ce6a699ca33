// ttq predict: what a network says of pictures.
import { join } from 'node:path'
import { readFault } from '../../errors/errno-text.js'
import { hasErrno, TtqError } from '../../errors/ttq-error.js'
import { completeOptions } from '../../options/complete-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { readFileOrPipe } from '../read-regular.js'
import { checkResultPaths, writeResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const predictCommand: CommandBody = {
  operand: {
    name: 'model and pictures',
    describe: 'a .ttq or ONNX file, and one picture or several (.jpg, .png, .webp, .gif, .bmp)',
    several: true,
    files: ['ttq', 'onnx', 'jpg', 'jpeg', 'png', 'webp', 'gif', 'bmp'],
  },
  options: commandOptions('predict'),
  examples: [['$0 predict model.ttq photos/*.jpg -o outputs.npz', 'all outputs for NumPy, too']],
  run: runPredict,
}

async function runPredict(args: Arguments, terminal: Terminal): Promise<number> {
  const [model = '', ...files] = args.operands
  const options = givenOptions(args, 'predict')
  completeOptions('predict', options, namesOf(args))
  if (files.length === 0)
    throw new TtqError('usage', `predict: no picture behind ${model}, expected one or several`, {
      hint: 'ttq predict model.ttq picture.jpg',
    })
  const output = textOption(args, 'output')
  const paths = checkResultPaths(args, {
    also: [model, ...files],
    ...(output !== undefined && { output }),
    what: 'the outputs',
  })
  const { bytes, ...source } = await readModelInput({ ...args, operand: model }, terminal.signal)
  const pictures = await Promise.all(
    files.map(async (name) => ({ name, bytes: await readPicture(name, terminal.signal) })),
  )
  const { predict } = await import('../../jobs/predict.js')
  const { report, file } = await predict(bytes, {
    ...source,
    ...options,
    pictures,
    arrays: output !== undefined,
    signal: terminal.signal,
    onProgress: terminal.progress,
    nameOptions: namesOf(args),
  })
  terminal.signal.throwIfAborted()
  const arrays = file === undefined ? null : await writeResult(paths, file, terminal)
  const { renderPredictReport } = await import('../../report/predict-text.js')
  const written = { ...report, arrays }
  await writeReport(args, paths, written, renderPredictReport(written, terminal.columns), terminal)
  return EXIT.done
}

async function readPicture(file: string, signal: AbortSignal): Promise<Uint8Array> {
  return await readFileOrPipe(file, signal).catch((cause: unknown) => {
    signal.throwIfAborted()
    const folder = hasErrno(cause, 'EISDIR') ? { hint: `its pictures are ${join(file, '*')}` } : {}
    throw new TtqError('data', `${file}: ${readFault(cause)}, expected a picture`, {
      facts: { file },
      ...folder,
      cause,
    })
  })
}
