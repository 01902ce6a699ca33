// ttq new: the name of a known network -> an ONNX file with freshly initialised weights.
import { setImmediate } from 'node:timers/promises'
import { checkNetworkName, completeNetwork, parseInput } from '../../networks/complete-network.js'
import { NETWORKS } from '../../networks/networks.js'
import { TtqError } from '../../errors/ttq-error.js'
import type { NewReport } from '../../report/new-text.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { checkModulePath } from '../output-path.js'
import { checkResultPaths, writeResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

/** In the place of a network: a module that gives samples. */
const LOADER = 'loader'

export const newCommand: CommandBody = {
  operand: {
    name: 'network',
    describe: `${Object.keys(NETWORKS).join(', ')}, or ${LOADER}`,
    choices: [...Object.keys(NETWORKS), LOADER],
  },
  options: commandOptions('new'),
  examples: [
    ['$0 new loader --model model.onnx', 'a loader module for this network, to be filled in; writes loader.mjs'],
    ['$0 new mobilenetv2 --classes 100 --input 3x64x64 --seed 7', 'another task; writes mobilenetv2.onnx'],
  ],
  run: runNew,
}

async function runNew(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.operand === LOADER) return await writeLoader(args, terminal)
  const stray = ['model', 'external-data'].find((option) => args.values.has(option))
  if (stray !== undefined)
    throw new TtqError('usage', `--${stray}: given with ${args.operand}, expected it with ${LOADER} alone`)
  const name = checkNetworkName(args.operand)
  const size = textOption(args, 'input')
  const given = { ...givenOptions(args, 'new'), ...(size === undefined ? {} : { input: parseInput(size) }) }
  const options = completeNetwork(name, given, namesOf(args))
  const output = textOption(args, 'output') ?? `${name}.onnx`
  const paths = checkResultPaths(args, { output, what: 'the network' })
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
  const written = await writeResult(paths, onnx, terminal)
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

async function writeLoader(args: Arguments, terminal: Terminal): Promise<number> {
  const idle = ['classes', 'input', 'seed'].find((option) => args.values.has(option))
  if (idle !== undefined)
    throw new TtqError('usage', `--${idle}: given with ${LOADER}, expected it with a network to be made`)
  const model = textOption(args, 'model')
  if (model === undefined)
    throw new TtqError('usage', `new ${LOADER}: no network, expected --model model.onnx`, {
      hint: 'the module has its inputs by name, type and shape',
    })
  const output = textOption(args, 'output') ?? `${LOADER}.mjs`
  const paths = checkResultPaths(args, { input: model, output, what: 'the module' })
  checkModulePath(output)
  const { bytes, ...source } = await readModelInput({ ...args, operand: model }, terminal.signal)
  const { name } = source
  const [{ readAnyModel }, { loaderModule }] = await Promise.all([
    import('../../jobs/read-any-model.js'),
    import('../../jobs/loader-module.js'),
  ])
  const text = loaderModule(readAnyModel(bytes, source).model, name)
  const written = await writeResult(paths, new TextEncoder().encode(text), terminal)
  const report = { schema: 'ttq-new-loader/1', model: name, output: written }
  await writeReport(args, paths, report, `loader for ${name} -> ${written ?? 'stdout'}\n`, terminal)
  return EXIT.done
}
