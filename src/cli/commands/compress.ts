// ttq compress: options -> library call -> file and report.
import { DEVICES, DEVICES_TEXT } from '../../runtime/device.js'
import { COMPRESS_DEFAULTS as DEFAULTS } from '../../training/compress-defaults.js'
import type { CompressOptions } from '../../training/compress-options.js'
import type { CompressReport } from '../../training/records.js'
import { TtqError } from '../../errors/ttq-error.js'
import type { Arguments, Command } from '../command.js'
import { DATASET_OPTIONS, normalisationOf } from '../dataset-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput, type ModelInput } from '../model-input.js'
import { choiceOption, choicesOption, flagOption, numberOption, refuseTogether, textOption, textsOption } from '../option-values.js'
import { checkResultPaths, defaultOutput, FORCE_OPTION, REPORT_OPTION, writeModelResult, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

const WEIGHTS = 'Ternary weights:'
const TRAINING = 'Training:'

/** The options, of which sweep takes most. */
export const COMPRESS_OPTIONS = {
  ...DATASET_OPTIONS,
  method: { group: WEIGHTS, describe: 'ttq, twn, bwn or dorefa', default: DEFAULTS.method },
  compare: { group: WEIGHTS, describe: 'train these methods, too, and print them side by side: ttq, twn, bwn, dorefa, none (full precision)', repeatable: true },
  threshold: { group: WEIGHTS, describe: 'weights up to this share of the largest become 0, in every layer', default: 'best fit per layer' },
  sparsity: { group: WEIGHTS, describe: 'this share of the weights becomes 0, in every layer', default: 'best fit per layer' },
  keep: { group: WEIGHTS, describe: 'keep layers of this name (* and ? match) in full precision, besides the first and last', repeatable: true },
  ternary: { group: WEIGHTS, describe: 'make layers of this name ternary although they are first or last', repeatable: true },
  renormalize: { group: WEIGHTS, describe: 'put a batch norm behind ternary layers that have none: auto, on or off', default: DEFAULTS.renormalize },
  rest: { group: WEIGHTS, describe: 'store what is not ternary as fp32, fp16, or int8 (other layers; fp16 what is no layer)', default: DEFAULTS.rest },
  epochs: { group: TRAINING, describe: 'passes over the training data', default: DEFAULTS.epochs },
  batch: { group: TRAINING, describe: 'samples per step', default: DEFAULTS.batch },
  'learning-rate': { group: TRAINING, describe: 'highest learning rate of the weights', default: DEFAULTS.learningRate },
  'scale-learning-rate': { group: TRAINING, describe: 'highest learning rate of Wp and Wn', default: DEFAULTS.scaleLearningRate },
  'weight-decay': { group: TRAINING, describe: 'weight decay, never on Wp and Wn', default: DEFAULTS.weightDecay },
  warmup: { group: TRAINING, describe: 'steps over which the learning rate rises', default: DEFAULTS.warmup },
  distill: { group: TRAINING, describe: 'share of the loss that compares with the original network, 0 to 1', default: DEFAULTS.distill },
  temperature: { group: TRAINING, describe: 'softening of that comparison', default: DEFAULTS.temperature },
  augment: { group: TRAINING, describe: 'crop and mirror training images (--no-augment: not)', flag: true, default: 'on' },
  validation: { group: TRAINING, describe: 'samples held out to choose the best epoch, at most a tenth', default: DEFAULTS.validation },
  seed: { group: TRAINING, describe: 'seed of all chance; equal seeds and threads give equal files', default: DEFAULTS.seed },
  threads: { group: TRAINING, describe: 'worker threads, 0 = one per core (one in all for another device than cpu)', default: DEFAULTS.threads },
  device: { group: TRAINING, describe: DEVICES_TEXT, default: DEFAULTS.device },
  output: { group: 'Output:', describe: 'the .ttq file, - for stdout', alias: 'o', default: "the model's name with .ttq, in the working directory" },
  force: FORCE_OPTION,
  report: REPORT_OPTION,
  'max-drop': { group: 'Output:', describe: 'exit with code 4 when accuracy falls by more than this many points' },
} as const

/** Options that mean nothing where nothing is trained or measured. */
const NEED_DATA = [
  'mean', 'std', 'scale', 'compare', 'epochs', 'batch', 'learning-rate', 'scale-learning-rate', 'weight-decay', 'warmup', 'distill', 'temperature', 'augment',
  'validation', 'device', 'max-drop',
] as const satisfies readonly (keyof typeof COMPRESS_OPTIONS)[]

export const compressCommand: Command = {
  name: 'compress',
  summary: 'Fine-tune an ONNX network to ternary weights and pack it into a .ttq file, verified and reported.',
  operand: { name: 'model', describe: 'ONNX file, - for stdin' },
  options: COMPRESS_OPTIONS,
  examples: [
    ['$0 compress model.onnx --data mnist', 'train on MNIST, write model.ttq'],
    ['$0 compress model.onnx --data cifar10:./cifar --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225', 'say how pixels are normalised'],
    ['$0 compress model.onnx --data ./loader.mjs --epochs 12 --max-drop 1', 'own data; exit code 4 if accuracy falls by more than 1 point'],
    ['$0 compress model.onnx --keep "*downsample*" -o small.ttq', 'without data: fit only, accuracy is not measured'],
  ],
  run: runCompress,
}

async function runCompress(args: Arguments, terminal: Terminal): Promise<number> {
  const options = compressOptions(args)
  const maxDrop = numberOption(args, 'max-drop', { from: 0, to: 100 })
  const output = textOption(args, 'output') ?? defaultOutput(args.operand, '.ttq')
  const paths = checkResultPaths(args, { input: args.operand, output })
  const input = await readModelInput(args.operand, terminal.signal)
  const { compress } = await import('../../training/compress.js')
  const result = await compress(input.bytes, { ...options, ...source(input), signal: terminal.signal, onProgress: terminal.progress })
  terminal.signal.throwIfAborted()
  const drop = accuracyDrop(result.report, maxDrop)
  const warnings = drop === undefined ? result.report.warnings : [...result.report.warnings, drop]
  const report: CompressReport = { ...result.report, output: output === '-' ? null : output, warnings }
  await writeModelResult(paths, result.file, terminal)
  const { renderCompressReport } = await import('../../report/compress-report.js')
  await writeReport(args, paths, report, renderCompressReport(report), terminal)
  if (drop === undefined) return EXIT.done
  terminal.complain(`ttq: ${drop}`)
  return EXIT.accuracy
}

function source({ name, overwrite, externalData }: ModelInput): Pick<CompressOptions, 'name' | 'overwrite' | 'externalData'> {
  return { name, overwrite, ...(externalData === undefined ? {} : { externalData }) }
}

/** What the options ask for; --output, --report and --max-drop are the command's own. @throws TtqError `usage` */
export function compressOptions(args: Arguments): Omit<CompressOptions, 'name'> {
  const data = textOption(args, 'data')
  refuseTogether(args, 'threshold', 'sparsity', 'each of them decides which weights become 0')
  const idle = data === undefined ? NEED_DATA.find((name) => args.values.has(name)) : undefined
  if (idle !== undefined) throw new TtqError('usage', `--${idle}: given without --data, expected a dataset to train on`)
  const method = choiceOption(args, 'method', ['ttq', 'twn', 'bwn', 'dorefa']) ?? DEFAULTS.method
  const threshold = numberOption(args, 'threshold', { from: 0, below: 1 })
  const sparsity = numberOption(args, 'sparsity', { from: 0, below: 1 })
  if (method !== 'ttq' && (threshold ?? sparsity) !== undefined) {
    throw new TtqError('usage', `--${threshold === undefined ? 'sparsity' : 'threshold'}: given with --method ${method}, which chooses the zeros itself`)
  }
  return {
    method,
    ...(data === undefined ? {} : { data }),
    ...normalisationOf(args),
    ...(threshold === undefined ? {} : { threshold }),
    ...(sparsity === undefined ? {} : { sparsity }),
    keep: textsOption(args, 'keep'),
    ternary: textsOption(args, 'ternary'),
    compare: choicesOption(args, 'compare', ['ttq', 'twn', 'bwn', 'dorefa', 'none']),
    rest: choiceOption(args, 'rest', ['fp32', 'fp16', 'int8']) ?? DEFAULTS.rest,
    renormalize: choiceOption(args, 'renormalize', ['auto', 'on', 'off']) ?? DEFAULTS.renormalize,
    epochs: numberOption(args, 'epochs', { from: 1, to: 100_000, whole: true }) ?? DEFAULTS.epochs,
    batch: numberOption(args, 'batch', { from: 1, to: 65_536, whole: true }) ?? DEFAULTS.batch,
    learningRate: numberOption(args, 'learning-rate', { above: 0, to: 10 }) ?? DEFAULTS.learningRate,
    scaleLearningRate: numberOption(args, 'scale-learning-rate', { from: 0, to: 10 }) ?? DEFAULTS.scaleLearningRate,
    weightDecay: numberOption(args, 'weight-decay', { from: 0, to: 1 }) ?? DEFAULTS.weightDecay,
    warmup: numberOption(args, 'warmup', { from: 0, whole: true }) ?? DEFAULTS.warmup,
    distill: numberOption(args, 'distill', { from: 0, to: 1 }) ?? DEFAULTS.distill,
    temperature: numberOption(args, 'temperature', { above: 0, to: 1000 }) ?? DEFAULTS.temperature,
    augment: flagOption(args, 'augment') ?? DEFAULTS.augment,
    validation: numberOption(args, 'validation', { from: 1, whole: true }) ?? DEFAULTS.validation,
    seed: numberOption(args, 'seed', { from: 0, to: 4_294_967_295, whole: true }) ?? DEFAULTS.seed,
    threads: numberOption(args, 'threads', { from: 0, to: 1024, whole: true }) ?? DEFAULTS.threads,
    device: choiceOption(args, 'device', DEVICES) ?? DEFAULTS.device,
  }
}

// What to say when accuracy fell too far.
function accuracyDrop({ baseline, compressed }: CompressReport, maxDrop: number | undefined): string | undefined {
  if (maxDrop === undefined || baseline === null || compressed === null) return undefined
  const drop = baseline.top1 - compressed.top1
  if (drop <= maxDrop) return undefined
  return `accuracy fell by ${drop.toFixed(2)} points (${baseline.top1.toFixed(2)} % -> ${compressed.top1.toFixed(2)} %), more than --max-drop ${maxDrop}`
}
