// ttq analyze: which layers suffer from ternary weights, measured one at a time.
import { TtqError } from '../../errors/ttq-error.js'
import { ANALYZE_DEFAULTS as DEFAULTS } from '../../options/analyze-defaults.js'
import type { Arguments, CommandBody } from '../command.js'
import { DATASET_OPTIONS, normalisationOf } from '../dataset-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { choiceOption, numberOption, refuseTogether, textOption, textsOption } from '../option-values.js'
import { checkResultPaths, FORCE_OPTION, REPORT_OPTION, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

const WEIGHTS = 'Ternary weights:'
const MEASURING = 'Measuring:'

export const analyzeCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin' },
  options: {
    ...DATASET_OPTIONS,
    method: { group: WEIGHTS, describe: 'ttq, twn, bwn or dorefa', default: DEFAULTS.method },
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
      describe: 'leave layers of this name (* and ? match) out, besides the first and last',
      repeatable: true,
    },
    ternary: {
      group: WEIGHTS,
      describe: 'measure layers of this name although they are first or last',
      repeatable: true,
    },
    renormalize: {
      group: WEIGHTS,
      describe: 'divide output channels out of layers without batch norm: auto, on or off',
      default: DEFAULTS.renormalize,
    },
    samples: { group: MEASURING, describe: 'held-out training samples to measure on', default: DEFAULTS.samples },
    seed: {
      group: MEASURING,
      describe: 'seed of the choice of samples; that of compress holds out the same',
      default: DEFAULTS.seed,
    },
    threads: { group: MEASURING, describe: 'worker threads, 0 = one per core', default: DEFAULTS.threads },
    report: REPORT_OPTION,
    force: FORCE_OPTION,
  },
  examples: [['$0 analyze model.onnx --data ./loader.mjs --samples 256 --json', 'own data; JSON on stdout']],
  run: runAnalyze,
}

async function runAnalyze(args: Arguments, terminal: Terminal): Promise<number> {
  const data = textOption(args, 'data')
  if (data === undefined)
    throw new TtqError('usage', 'analyze: no dataset given, expected --data <dataset>', {
      hint: 'ttq analyze model.onnx --data mnist',
    })
  const options = analyzeOptions(args)
  const paths = checkResultPaths(args, { input: args.operand })
  const { bytes, ...source } = await readModelInput(args.operand, terminal.signal)
  const { analyze } = await import('../../jobs/analyze.js')
  const report = await analyze(bytes, {
    ...source,
    ...options,
    data,
    signal: terminal.signal,
    onProgress: terminal.progress,
  })
  terminal.signal.throwIfAborted()
  const { renderAnalyzeReport } = await import('../../report/analyze-text.js')
  await writeReport(args, paths, report, renderAnalyzeReport(report), terminal)
  return EXIT.done
}

function analyzeOptions(args: Arguments) {
  refuseTogether(args, 'threshold', 'sparsity', 'each of them decides which weights become 0')
  const method = choiceOption(args, 'method', ['ttq', 'twn', 'bwn', 'dorefa']) ?? DEFAULTS.method
  const threshold = numberOption(args, 'threshold', { from: 0, below: 1 })
  const sparsity = numberOption(args, 'sparsity', { from: 0, below: 1 })
  if (method !== 'ttq' && (threshold ?? sparsity) !== undefined) {
    throw new TtqError(
      'usage',
      `--${threshold === undefined ? 'sparsity' : 'threshold'}: given with --method ${method}, which chooses the zeros itself`,
    )
  }
  return {
    method,
    ...normalisationOf(args),
    ...(threshold === undefined ? {} : { threshold }),
    ...(sparsity === undefined ? {} : { sparsity }),
    keep: textsOption(args, 'keep'),
    ternary: textsOption(args, 'ternary'),
    renormalize: choiceOption(args, 'renormalize', ['auto', 'on', 'off']) ?? DEFAULTS.renormalize,
    samples: numberOption(args, 'samples', { from: 1, whole: true }) ?? DEFAULTS.samples,
    seed: numberOption(args, 'seed', { from: 0, to: 4_294_967_295, whole: true }) ?? DEFAULTS.seed,
    threads: numberOption(args, 'threads', { from: 0, to: 1024, whole: true }) ?? DEFAULTS.threads,
  }
}
