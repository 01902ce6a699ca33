// ttq new: the name of a known network -> an ONNX file with freshly initialised weights.
import { setImmediate } from 'node:timers/promises'
import { checkNetworkName, completeNetwork, parseInput } from '../../networks/complete-network.js'
import { NETWORKS } from '../../networks/networks.js'
import type { NewReport } from '../../report/new-text.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { checkResultPaths, writeModelResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const newCommand: CommandBody = {
  operand: { name: 'network', describe: Object.keys(NETWORKS).join(', '), choices: Object.keys(NETWORKS) },
  options: commandOptions('new'),
  examples: [['$0 new mobilenetv2 --classes 100 --input 3x64x64 --seed 7', 'another task; writes mobilenetv2.onnx']],
  run: runNew,
}

async function runNew(args: Arguments, terminal: Terminal): Promise<number> {
  const name = checkNetworkName(args.operand)
  const size = textOption(args, 'input')
  const given = { ...givenOptions(args, 'new'), ...(size === undefined ? {} : { input: parseInput(size) }) }
  const options = completeNetwork(name, given, namesOf(args))
  const output = textOption(args, 'output') ?? `${name}.onnx`
  const paths = checkResultPaths(args, { output })
  const [{ newNetwork }, { writeModel }, { countParameters }, { renderNewReport }] = await Promise.all([
    import('../../networks/new-network.js'),
    import('../../onnx/write-model.js'),
    import('../../onnx/count-parameters.js'),
    import('../../report/new-text.js'),
  ])
  const model = newNetwork(name, options)
  const onnx = writeModel(model)
  // Making a network takes seconds and answers nobody: a signal that came meanwhile is heard here.
  await setImmediate()
  terminal.signal.throwIfAborted()
  const written = await writeModelResult(paths, onnx, terminal)
  const report: NewReport = {
    schema: 'ttq-new/1',
    network: name,
    output: written,
    ...options,
    parameters: countParameters(model.graph),
    onnxBytes: onnx.length,
  }
  await writeReport(args, paths, report, renderNewReport(report), terminal)
  return EXIT.done
}
