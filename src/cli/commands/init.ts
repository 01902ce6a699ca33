// ttq init: a look at model and data, few questions where somebody can answer -> a config file with comments.
import { existsSync } from 'node:fs'
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path'
import { wantedImages } from '../../binding/dataset-inputs.js'
import { chooseFraming, usualShortSide } from '../../data/choose-framing.js'
import type { Size } from '../../data/framing.js'
import { printable } from '../../errors/printable.js'
import { TtqError } from '../../errors/ttq-error.js'
import type { InspectReport } from '../../jobs/inspect.js'
import { type OptionName, OPTIONS } from '../../options/option-table.js'
import type { OptionRow } from '../../options/option.js'
import { parseValue } from '../../options/option-values.js'
import { type ConfigDraft, type ConfigFormat, type ConfigLine, configText } from '../../report/config-text.js'
import { countText, shapeText } from '../../report/table.js'
import { openQuestions, type Questions } from '../ask.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, isSet, textOption } from '../command-options.js'
import { CONFIG_ENDINGS, CONFIG_NAME } from '../config-file.js'
import { EXIT } from '../exit-codes.js'
import { datasetsHere, type FoundDataset, lookAtDataset, modelsHere } from '../find-material.js'
import { noSuchModel, readModelInput } from '../model-input.js'
import { checkModulePath, checkOutputPath } from '../output-path.js'
import { writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

const DEFAULT_OUTPUT = 'ttq.config.yaml'
const PACKAGE = 'ttq-onnx'

export const initCommand: CommandBody = {
  operand: {
    name: 'model',
    describe: 'ONNX file; none: the one in the working directory',
    optional: true,
    files: ['onnx'],
  },
  options: commandOptions('init'),
  examples: [
    ['$0 init net.onnx --data photos', 'for a network and a folder of pictures'],
    ['$0 init -o ttq.config.mjs', 'a module whose types editors check'],
  ],
  run: runInit,
}

/** What is known of the project. */
interface Found {
  model: string
  report: InspectReport
  data: FoundDataset | undefined
  /** What brings pictures to the network's size, where somebody says it. */
  resize: string | undefined
  /** Of the pixels in training, per channel. */
  values: { mean: readonly number[]; std: readonly number[] } | undefined
  maxDrop: number | undefined
}

async function runInit(args: Arguments, terminal: Terminal): Promise<number> {
  const output = textOption(args, 'output') ?? DEFAULT_OUTPUT
  const format = formatOf(output)
  const file = checkOutputPath({ path: output, option: '--output', force: isSet(args, 'force'), others: [] })
  if (format === 'mjs' || format === 'ts') checkModulePath(output)
  const questions = isSet(args, 'quiet') || isSet(args, 'json') ? undefined : openQuestions(terminal)
  try {
    const found = await lookAround(args, terminal, questions)
    const seen = { ...found, ...seenFrom(dirname(output), found) }
    const draft = draftOf(seen, inputSize(found.report), schemaFrom(dirname(output)))
    file.write(new TextEncoder().encode(configText(draft, format)), terminal.complain)
    const { model, data } = found
    const report = { schema: 'ttq-init/1', output: file.name, model, data: data?.spec ?? null }
    const call = `ttq compress${isFoundByItself(output, model) ? '' : ` --config ${output}`}`
    const next = [`${call} --print-config`, call]
    const text =
      `${file.name}: ${model}${data === undefined ? ', no data' : `, ${data.spec}`}\n\nnext: ` +
      `${next.join(', then ')}\n`
    await writeReport(args, { result: undefined, what: '', reports: [], taken: [] }, report, text, terminal)
    return EXIT.done
  } finally {
    questions?.close()
  }
}

// Paths in a config file are relative to the file.
function seenFrom(folder: string, { model, data }: Found): Pick<Found, 'model' | 'data'> {
  const relativeTo = (path: string): string =>
    isAbsolute(path) || !existsSync(path) ? path : relative(folder, path).replaceAll('\\', '/')
  return { model: relativeTo(model), data: data && { ...data, spec: relativeTo(data.spec) } }
}

/** What is written by the file's ending. */
const FORMATS: Readonly<Record<string, ConfigFormat>> = {
  '.yml': 'yaml',
  '.yaml': 'yaml',
  '.json': 'json',
  '.mjs': 'mjs',
  '.js': 'mjs',
  '.ts': 'ts',
  '.mts': 'ts',
}

function formatOf(output: string): ConfigFormat {
  const format = FORMATS[extname(output).toLowerCase()]
  if (format === 'ts' && !(process.features as { typescript?: unknown }).typescript)
    throw new TtqError(
      'usage',
      `--output: found "${output}", which Node ${process.versions.node} does not read, expected 22.18 or later ` +
        'for TypeScript',
      { hint: `ttq init -o ${output.replace(/\.m?ts$/i, '.mjs')} writes a module whose types editors check as well` },
    )
  if (format !== undefined) return format
  throw new TtqError('usage', `--output: found "${output}", expected a name that ends in ${CONFIG_ENDINGS.join(', ')}`)
}

// As config-file.ts looks for it.
function isFoundByItself(output: string, model: string): boolean {
  const folder = resolve(dirname(output))
  const isNamed = basename(output) === `${CONFIG_NAME}${extname(output)}`
  return isNamed && (folder === resolve('.') || folder === resolve(dirname(model)))
}

// The schema of the package that is installed for a folder, seen from there: as Node looks for packages.
function schemaFrom(folder: string): string | undefined {
  const place = join('node_modules', PACKAGE, 'dist', 'config.schema.json')
  for (let above = resolve(folder); ; above = dirname(above)) {
    const path = relative(resolve(folder), join(above, place)).replaceAll('\\', '/')
    if (existsSync(join(above, place))) return path.startsWith('.') ? path : `./${path}`
    if (above === dirname(above)) return undefined
  }
}

async function lookAround(args: Arguments, terminal: Terminal, questions: Questions | undefined): Promise<Found> {
  const model = args.operand === '' ? await chooseModel(questions) : args.operand
  const { bytes, ...source } = await readModelInput({ ...args, operand: model }, terminal.signal)
  const { inspectModel } = await import('../../jobs/inspect.js')
  const report = await inspectModel(bytes, source)
  const data = await chooseData(args, terminal, questions)
  if (data === undefined || questions === undefined)
    return { model, report, data, resize: undefined, values: undefined, maxDrop: undefined }
  const resize = await askResize(data, inputSize(report), questions)
  const values = await askValues(data, questions)
  return { model, report, data, resize, values, maxDrop: await askDrop(questions) }
}

async function chooseModel(questions: Questions | undefined): Promise<string> {
  const models = modelsHere()
  const [only] = models
  if (only !== undefined && (models.length === 1 || questions !== undefined))
    return models.length === 1 || questions === undefined
      ? only
      : await questions.ask(`Model (${models.join(', ')})`, only, (answer) => {
          if (existsSync(answer)) return answer
          throw noSuchModel(answer)
        })
  throw new TtqError(
    'usage',
    `init: found ${models.length === 0 ? 'no' : String(models.length)} .onnx files here, expected one`,
    {
      hint: 'name it: ttq init net.onnx',
    },
  )
}

async function chooseData(
  args: Arguments,
  { signal }: Terminal,
  questions: Questions | undefined,
): Promise<Found['data']> {
  const given = textOption(args, 'data')
  if (given === 'none') return undefined
  if (given !== undefined) return await lookAtDataset(given, signal)
  const here = await datasetsHere(signal)
  if (questions === undefined) return here.length === 1 ? here[0] : undefined
  const names = here.map(({ spec }) => spec)
  const asked = `Data (${[...names, 'mnist', 'cifar10', 'a path', 'none'].join(', ')})`
  return await questions.ask(asked, names[0] ?? 'none', async (spec) =>
    spec === 'none' ? undefined : (here.find((each) => each.spec === spec) ?? (await lookAtDataset(spec, signal))),
  )
}

// Which part of a picture a network was trained on is written nowhere; of pictures of its size there is only one.
async function askResize(
  { sizes }: FoundDataset,
  wanted: Size | undefined,
  questions: Questions,
): Promise<string | undefined> {
  if (wanted === undefined || sizes.every(({ height, width }) => height === wanted.height && width === wanted.width))
    return undefined
  const sides = sizes.flatMap(({ height, width }) => [height, width])
  const [input, short] = [sizeText(wanted), usualShortSide(Math.min(wanted.height, wanted.width))]
  const asked =
    `Pictures of ${Math.min(...sides)} to ${Math.max(...sides)} pixels a side, for a network of ${input}. In ` +
    `training:\nshort side before the middle is taken (${short}), or size squeezed to (${input}); empty: found ` +
    'by trial'
  return await questions.ask(asked, '', (resize) => {
    if (resize !== '') chooseFraming({ resize }, wanted, sizes)
    return resize === '' ? undefined : resize
  })
}

// Nor is how pixels became values. Arrays, MNIST and CIFAR have usual ways, which are told apart by trial.
async function askValues({ kind }: FoundDataset, questions: Questions): Promise<Found['values']> {
  if (kind !== 'pictures') return undefined
  const asked =
    'Mean and std of the pixels in training, as in 0.485,0.456,0.406 0.229,0.224,0.225; empty: found by trial'
  return await questions.ask(asked, '', (answer) => {
    if (answer === '') return undefined
    const [mean = '', std = '', ...more] = answer.split(/ +/)
    if (std === '' || more.length > 0)
      throw new TtqError('usage', `found "${printable(answer)}", expected two lists with a space between them`)
    const numbers = (option: 'mean' | 'std', list: string): number[] =>
      parseValue(option, OPTIONS[option].kind, list) as number[]
    return { mean: numbers('mean', mean), std: numbers('std', std) }
  })
}

async function askDrop(questions: Questions): Promise<number | undefined> {
  const { kind } = OPTIONS.maxDrop
  return await questions.ask('Points of accuracy that it may cost (empty: no bound)', '', (answer) =>
    answer === '' ? undefined : (parseValue('points', kind, answer) as number),
  )
}

// Of the images that a network takes; undefined where it takes any, or other things.
function inputSize({ inputs }: InspectReport): Size | undefined {
  const [input] = inputs
  const dims = inputs.length === 1 ? input?.shape : undefined
  return dims ? wantedImages({ dims }).size : undefined
}

function draftOf(
  { model, report, data, resize, values, maxDrop }: Found,
  size: Size = { height: 224, width: 224 },
  schema: string | undefined,
): ConfigDraft {
  const short = usualShortSide(Math.min(size.height, size.width))
  return {
    about: ['Settings of ttq (docs/config.md, ttq help config). Flags on the command line go before them.'],
    packageName: PACKAGE,
    schema,
    shared: [
      { key: 'model', value: model, about: describeModel(report) },
      data === undefined ? example('data', './photos') : { key: 'data', value: data.spec, about: data.about },
      ...(data?.kind === 'pictures'
        ? [
            resize === undefined ? example('resize', short) : setting('resize', resize),
            example('crop', size.height === size.width ? size.height : sizeText(size)),
          ]
        : []),
      ...(data?.kind === 'samples'
        ? []
        : values === undefined
          ? [example('mean', [0.485, 0.456, 0.406]), example('std', [0.229, 0.224, 0.225])]
          : [setting('mean', values.mean), setting('std', values.std)]),
    ],
    compress: [
      example('epochs', OPTIONS.epochs.default.base),
      maxDrop === undefined ? example('maxDrop', 0.5) : setting('maxDrop', maxDrop),
      example('rest', OPTIONS.rest.default.base),
      example('keep', ['*head*']),
      example('ternary', ['*']),
      example('outDir', 'packed'),
    ],
  }
}

function sizeText({ height, width }: Size): string {
  return `${height}x${width}`
}

function describeModel({ inputs, outputs, parameters, layers }: InspectReport): string {
  const shapes = (values: InspectReport['inputs']): string =>
    values
      .map(({ name, shape }) => printable(`${name} ${shape === null ? 'of any shape' : shapeText(shape)}`))
      .join(', ')
  const ternary = layers.filter(({ reason }) => reason === undefined).length
  return (
    `${shapes(inputs)} -> ${shapes(outputs)}; ${countText(parameters)} parameters; ${ternary} of ` +
    `${layers.length} layers become ternary`
  )
}

function setting(key: OptionName, value: unknown): ConfigLine {
  const row: OptionRow = OPTIONS[key]
  return { key, value, about: row.at?.compress?.help ?? row.help }
}

function example(key: OptionName, value: unknown): ConfigLine {
  return { ...setting(key, value), isExample: true }
}
