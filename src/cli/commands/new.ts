// ttq new: the name of a known network -> an ONNX file with freshly initialised weights.
import { TtqError } from '../../errors/ttq-error.js'
import { NETWORKS, type NetworkName } from '../../networks/networks.js'
import { completeOptions } from '../../options/complete-options.js'
import { onCommandLine } from '../../options/option-table.js'
import type { NewReport } from '../../report/new-text.js'
import { closestName } from '../../errors/closest-name.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandLineOption, commandOptions, givenOptions, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { checkResultPaths, writeModelResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

const NAMES = Object.keys(NETWORKS)
const LARGEST_EXTENT = 65_536

export const newCommand: CommandBody = {
  operand: { name: 'network', describe: NAMES.join(', ') },
  options: commandOptions('new'),
  examples: [['$0 new mobilenetv2 --classes 100 --input 3x64x64 --seed 7', 'another task; writes mobilenetv2.onnx']],
  run: runNew,
}

async function runNew(args: Arguments, terminal: Terminal): Promise<number> {
  const name = networkName(args.operand)
  const input = inputSize(args) ?? NETWORKS[name].input
  const classes = (commandLineOption(args, 'classes') as number | undefined) ?? NETWORKS[name].classes
  const { seed } = completeOptions('new', givenOptions(args, 'new'), onCommandLine)
  const output = textOption(args, 'output') ?? `${name}.onnx`
  const paths = checkResultPaths(args, { output })
  const [{ newNetwork }, { writeModel }, { countParameters }, { renderNewReport }] = await Promise.all([
    import('../../networks/new-network.js'),
    import('../../onnx/write-model.js'),
    import('../../onnx/count-parameters.js'),
    import('../../report/new-text.js'),
  ])
  const model = newNetwork(name, { classes, input, seed })
  const onnx = writeModel(model)
  terminal.signal.throwIfAborted()
  await writeModelResult(paths, onnx, terminal)
  const report: NewReport = {
    schema: 'ttq-new/1',
    network: name,
    output: output === '-' ? null : output,
    classes,
    input,
    seed,
    parameters: countParameters(model.graph),
    onnxBytes: onnx.length,
  }
  await writeReport(args, paths, report, renderNewReport(report), terminal)
  return EXIT.done
}

function networkName(word: string): NetworkName {
  if (Object.hasOwn(NETWORKS, word)) return word as NetworkName
  const closest = closestName(word, NAMES)
  const hint = closest === undefined ? `The networks are ${NAMES.join(', ')}.` : `Did you mean ${closest}?`
  throw new TtqError('usage', `new: unknown network "${word}"`, { facts: { network: word, known: NAMES }, hint })
}

function inputSize(args: Arguments): [number, number, number] | undefined {
  const text = textOption(args, 'input')
  if (text === undefined) return undefined
  const extents = /^\d+x\d+x\d+$/i.test(text) ? text.split(/x/i).map(Number) : []
  if (extents.length === 3 && extents.every((extent) => extent >= 1 && extent <= LARGEST_EXTENT))
    return extents as [number, number, number]
  throw new TtqError(
    'usage',
    `--input: found "${text}", expected <channels>x<height>x<width> with numbers from 1 to ${LARGEST_EXTENT}`,
    { hint: 'For example --input 3x32x32.' },
  )
}
