// ttq compress: options -> library call -> file and report.
import { isBeyond } from '../../ternary/accuracy-drop.js'
import { COMPRESS_DEFAULTS as DEFAULTS, FINE_TUNING_RATES } from '../../options/compress-defaults.js'
import type { CompressResult } from '../../jobs/compress.js'
import type { CompressOptions } from '../../options/compress-options.js'
import { FROM_SCRATCH, FROM_SCRATCH_RATES } from '../../options/recipes.js'
import type { CompressReport } from '../../jobs/compress-report.js'
import { TtqError } from '../../errors/ttq-error.js'
import { checkpointFile, checkpointOptions, TRAINING_GRACE_MS } from '../checkpoint-options.js'
import type { Arguments, CommandBody } from '../command.js'
import { DATASET_OPTIONS, normalisationOf } from '../dataset-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput, type ModelInput } from '../model-input.js'
import {
  choiceOption,
  choicesOption,
  flagOption,
  given,
  numberOption,
  refuseTogether,
  textOption,
  textsOption,
} from '../option-values.js'
import {
  checkResultPaths,
  defaultOutput,
  FORCE_OPTION,
  REPORT_OPTION,
  writeModelResult,
  writeReport,
} from '../results.js'
import type { Terminal } from '../terminal.js'
import { rateText, readTrainingOptions, TRAINING_GROUP, trainingOptions } from '../training-options.js'

const WEIGHTS = 'Ternary weights:'
const ACCURACY = 'Accuracy:'

/** The options, of which sweep takes most. */
export const COMPRESS_OPTIONS = {
  ...DATASET_OPTIONS,
  method: { group: WEIGHTS, describe: 'ttq, twn, bwn or dorefa', default: DEFAULTS.method },
  compare: {
    group: WEIGHTS,
    describe: 'train these methods, too, and print them side by side: ttq, twn, bwn, dorefa, none (full precision)',
    repeatable: true,
  },
  threshold: {
    group: WEIGHTS,
    describe: 'weights up to this share of the largest become 0, in every layer',
    default: 'best fit per layer',
  },
  sparsity: {
    group: WEIGHTS,
    describe: 'this share of the weights becomes 0, in every layer',
    default: 'best fit per layer',
  },
  keep: {
    group: WEIGHTS,
    describe: 'keep layers of this name (* and ? match) in full precision, besides the first and last',
    repeatable: true,
  },
  ternary: {
    group: WEIGHTS,
    describe: 'make layers of this name ternary although they are first or last',
    repeatable: true,
  },
  renormalize: {
    group: WEIGHTS,
    describe: 'put a batch norm behind ternary layers that have none: auto, on or off',
    default: DEFAULTS.renormalize,
  },
  rest: {
    group: WEIGHTS,
    describe: 'store what is not ternary as fp32, fp16, or int8 (other layers; fp16 what is no layer)',
    default: DEFAULTS.rest,
  },
  recipe: {
    group: TRAINING_GROUP,
    describe: 'where options not given come from: default, or paper (as Zhu et al. trained, 400 epochs)',
    default: DEFAULTS.recipe,
  },
  'from-scratch': {
    group: TRAINING_GROUP,
    describe: `start from fresh random weights instead of the file's: ${FROM_SCRATCH.epochs} epochs of ${FROM_SCRATCH.optimizer} without distillation, learning rate ${FROM_SCRATCH_RATES.sgd.learningRate}, with adam ${FROM_SCRATCH_RATES.adam.learningRate}, weight decay ${FROM_SCRATCH.weightDecay}`,
    flag: true,
  },
  unlabelled: { group: TRAINING_GROUP, describe: 'use no labels: learn from the original network alone', flag: true },
  ...trainingOptions(
    DEFAULTS,
    FINE_TUNING_RATES,
    'highest learning rate; that of latent weights is a multiple, layer by layer',
  ),
  'scale-learning-rate': {
    group: TRAINING_GROUP,
    describe: 'highest learning rate of Wp and Wn',
    default: rateText('scaleLearningRate', FINE_TUNING_RATES, DEFAULTS),
  },
  distill: {
    group: TRAINING_GROUP,
    describe: 'share of the loss that compares with the original network, 0 to 1',
    default: DEFAULTS.distill,
  },
  temperature: { group: TRAINING_GROUP, describe: 'softening of that comparison', default: DEFAULTS.temperature },
  ...checkpointOptions(TRAINING_GROUP),
  output: {
    group: 'Output:',
    describe: 'the .ttq file, - for stdout',
    alias: 'o',
    default: "the model's name with .ttq, in the working directory",
  },
  force: FORCE_OPTION,
  report: REPORT_OPTION,
  'max-drop': { group: ACCURACY, describe: 'points that accuracy may fall by; exit code 4 when it falls by more' },
  'max-drop-action': {
    group: ACCURACY,
    describe: 'restore: return the most harmful layers to 8 bits until --max-drop holds; fail: only check',
    default: DEFAULTS.maxDropAction,
  },
} as const

/** Options that mean nothing where nothing is trained or measured. */
const NEED_DATA: readonly string[] = [
  'mean',
  'std',
  'scale',
  'compare',
  'recipe',
  'from-scratch',
  'unlabelled',
  'scale-learning-rate',
  'distill',
  'temperature',
  'checkpoint',
  'resume',
  'max-drop',
  'max-drop-action',
  ...Object.keys(trainingOptions(DEFAULTS, FINE_TUNING_RATES)).filter((name) => name !== 'seed' && name !== 'threads'),
]

export const compressCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin' },
  options: COMPRESS_OPTIONS,
  examples: [
    [
      '$0 compress model.onnx --data cifar10:./cifar --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225',
      'say how pixels are normalised',
    ],
    [
      '$0 compress model.onnx --data ./loader.mjs --epochs 12 --max-drop 1',
      'own data; as many ternary layers as 1 point of accuracy pays for',
    ],
    ['$0 compress model.onnx --keep "*downsample*" -o small.ttq', 'without data: fit only, accuracy is not measured'],
  ],
  graceMs: TRAINING_GRACE_MS,
  run: runCompress,
}

async function runCompress(args: Arguments, terminal: Terminal): Promise<number> {
  const options = compressOptions(args)
  const output = textOption(args, 'output') ?? defaultOutput(args.operand, '.ttq')
  const paths = checkResultPaths(args, { input: args.operand, output })
  const places = [args.operand, paths.model, paths.report].filter((path) => path !== undefined)
  const checkpoint = options.data === undefined ? undefined : checkpointFile(args, output, places, terminal.complain)
  const input = await readModelInput(args.operand, terminal.signal)
  const result = await compressed(
    input,
    { ...options, ...(checkpoint?.options && { checkpoint: checkpoint.options }) },
    terminal,
  ).catch((error: unknown) => {
    throw checkpoint?.explain(error) ?? error
  })
  const drop = accuracyDrop(result.report, options.maxDrop)
  const warnings = drop === undefined ? result.report.warnings : [...result.report.warnings, drop]
  const report: CompressReport = { ...result.report, output: output === '-' ? null : output, warnings }
  await writeModelResult(paths, result.file, terminal)
  checkpoint?.remove()
  const { renderCompressReport } = await import('../../report/compress-text.js')
  await writeReport(args, paths, report, renderCompressReport(report), terminal)
  if (drop === undefined) return EXIT.done
  terminal.complain(`ttq: ${drop}`)
  return EXIT.accuracy
}

async function compressed(
  input: ModelInput,
  options: Partial<CompressOptions>,
  { signal, progress }: Terminal,
): Promise<CompressResult> {
  const { compress } = await import('../../jobs/compress.js')
  const result = await compress(input.bytes, { ...options, ...source(input), signal, onProgress: progress })
  signal.throwIfAborted()
  return result
}

function source({
  name,
  overwrite,
  externalData,
}: ModelInput): Pick<CompressOptions, 'name' | 'overwrite' | 'externalData'> {
  return { name, overwrite, ...(externalData === undefined ? {} : { externalData }) }
}

/** What the options ask for; --output, --report and --checkpoint are the command's own. @throws TtqError `usage` */
export function compressOptions(args: Arguments): Partial<CompressOptions> {
  const data = textOption(args, 'data')
  refuseTogether(args, 'threshold', 'sparsity', 'each of them decides which weights become 0')
  refuseTogether(args, 'max-drop', 'from-scratch', 'random weights have no accuracy to fall from')
  const idle = data === undefined ? NEED_DATA.find((name) => args.values.has(name)) : undefined
  if (idle !== undefined) throw new TtqError('usage', `--${idle}: given without --data, expected a dataset to train on`)
  const method = choiceOption(args, 'method', ['ttq', 'twn', 'bwn', 'dorefa'])
  const threshold = numberOption(args, 'threshold', { from: 0, below: 1 })
  const sparsity = numberOption(args, 'sparsity', { from: 0, below: 1 })
  if ((method ?? 'ttq') !== 'ttq' && (threshold ?? sparsity) !== undefined) {
    throw new TtqError(
      'usage',
      `--${threshold === undefined ? 'sparsity' : 'threshold'}: given with --method ${method}, which chooses the zeros itself`,
    )
  }
  const maxDrop = numberOption(args, 'max-drop', { from: 0, to: 100 })
  const maxDropAction = choiceOption(args, 'max-drop-action', ['restore', 'fail'])
  if (maxDrop === undefined && args.values.has('max-drop-action'))
    throw new TtqError('usage', '--max-drop-action: given without --max-drop, expected both')
  return {
    ...normalisationOf(args),
    ...readTrainingOptions(args),
    ...given({
      data,
      method,
      threshold,
      sparsity,
      maxDrop,
      maxDropAction,
      keep: textsOption(args, 'keep'),
      ternary: textsOption(args, 'ternary'),
      compare: choicesOption(args, 'compare', ['ttq', 'twn', 'bwn', 'dorefa', 'none']),
      rest: choiceOption(args, 'rest', ['fp32', 'fp16', 'int8']),
      renormalize: choiceOption(args, 'renormalize', ['auto', 'on', 'off']),
      recipe: choiceOption(args, 'recipe', ['default', 'paper']),
      fromScratch: flagOption(args, 'from-scratch'),
      unlabelled: flagOption(args, 'unlabelled'),
      scaleLearningRate: numberOption(args, 'scale-learning-rate', { from: 0, to: 10 }),
      distill: numberOption(args, 'distill', { from: 0, to: 1 }),
      temperature: numberOption(args, 'temperature', { above: 0, to: 1000 }),
    }),
  }
}

// What to say when accuracy fell too far.
function accuracyDrop(
  { baseline, compressed, agreement, restoration }: CompressReport,
  maxDrop: number | undefined,
): string | undefined {
  if (maxDrop === undefined) return undefined
  const tried = triedText(restoration)
  if (baseline === null || compressed === null) {
    // Without labels: accuracy cannot have fallen by more than the share of decisions that changed.
    if (agreement === null || !isBeyond(100 - agreement, maxDrop)) return undefined
    return `${(100 - agreement).toFixed(2)} % of the decisions changed, more than --max-drop ${maxDrop}${tried}`
  }
  const drop = baseline.top1 - compressed.top1
  if (!isBeyond(drop, maxDrop)) return undefined
  return `accuracy fell by ${drop.toFixed(2)} points (${baseline.top1.toFixed(2)} % -> ${compressed.top1.toFixed(2)} %), more than --max-drop ${maxDrop}${tried}`
}

function triedText(restoration: CompressReport['restoration']): string {
  if (restoration === null) return ''
  const { ranking, rounds } = restoration
  if (rounds.length === 0) return '; the only ternary layer cannot be given up'
  const most = Math.max(...rounds.map(({ restored }) => restored.length))
  return `, also with up to ${most} of ${ranking.length} layers with 8 bits (${rounds.length} rounds); this is the smallest fall`
}
