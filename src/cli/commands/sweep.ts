// ttq sweep: compress at several thresholds -> CSV, JSON, figure. Every finished point is written at once.
import { join } from 'node:path'
import { TtqError } from '../../errors/ttq-error.js'
import type { SweepReport } from '../../jobs/sweep-report.js'
import type { SweepValues } from '../../jobs/sweep.js'
import type { Arguments, CommandBody, OptionSpec } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput } from '../model-input.js'
import { flagOption, numbersOption, refuseTogether, textOption } from '../option-values.js'
import { checkOutputPath } from '../output-path.js'
import { checkResultPaths, defaultOutput, type ResultPaths, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'
import { writeAtomically } from '../write-atomically.js'
import { COMPRESS_OPTIONS, compressOptions } from './compress.js'

/** Options of compress that a sweep sets itself, or that are about one file. */
const NOT_SWEPT: readonly string[] = [
  'method',
  'compare',
  'threshold',
  'sparsity',
  'output',
  'checkpoint',
  'resume',
  'max-drop',
  'max-drop-action',
  'from-scratch',
]

/** Time that an interrupted point has to stop by itself; below main.ts's. */
const GRACE_MS = 3000

const VALUES = 'Values (one of them):'

const OPTIONS: Readonly<Record<string, OptionSpec>> = {
  thresholds: { group: VALUES, describe: 'weights up to this share of the largest become 0: 0.02,0.05,0.1' },
  sparsities: { group: VALUES, describe: 'this share of the weights becomes 0: 0.3,0.4,0.5' },
  ...Object.fromEntries(Object.entries(COMPRESS_OPTIONS).filter(([name]) => !NOT_SWEPT.includes(name))),
  output: {
    group: 'Output:',
    describe: 'the table as CSV, written anew after each point',
    alias: 'o',
    default: "the model's name with .csv, in the working directory",
  },
  figure: {
    group: 'Output:',
    describe: 'the figure as SVG, written anew after each point',
    default: "the table's name with .svg",
  },
  'keep-files': { group: 'Output:', describe: 'keep the .ttq file of each point in this folder' },
}

export const sweepCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin' },
  options: OPTIONS,
  examples: [
    [
      '$0 sweep model.onnx --data cifar10 --sparsities 0.3,0.5,0.7 --keep-files out -o sweep.csv --report sweep.json',
      'by share of zeros; keep every file',
    ],
  ],
  run: runSweep,
}

interface SweepPaths extends ResultPaths {
  figure: string
  /** One per value; empty where files are not kept. */
  files: readonly string[]
}

async function runSweep(args: Arguments, terminal: Terminal): Promise<number> {
  const values = sweepValues(args)
  const { data, ...options } = compressOptions(args)
  if (data === undefined)
    throw new TtqError('usage', 'sweep: no dataset given, expected --data <dataset>', {
      hint: 'ttq sweep model.onnx --data mnist --thresholds 0.05,0.1',
    })
  const output =
    textOption(args, 'output') ?? (args.operand === '-' ? 'sweep.csv' : defaultOutput(args.operand, '.csv'))
  const paths = sweepPaths(args, output, values)
  const { bytes, ...source } = await readModelInput(args.operand, terminal.signal)
  const [{ sweep }, { renderSweepPoint, renderSweepReport, sweepCsv }, { sweepFigure }] = await Promise.all([
    import('../../jobs/sweep.js'),
    import('../../report/sweep-text.js'),
    import('../../report/sweep-figure.js'),
  ])
  let done = 0
  const onPoint = (report: SweepReport, file: Uint8Array): void => {
    const kept = paths.files[done]
    if (kept !== undefined) writeAtomically(kept, file)
    writeText(paths.model as string, sweepCsv(report))
    writeText(paths.figure, sweepFigure(report))
    done = report.points.length
    terminal.note(renderSweepPoint(report.points[done - 1] as SweepReport['points'][number]))
  }
  try {
    const request = { ...options, ...source, data, signal: terminal.signal, onProgress: terminal.progress }
    const report = await Promise.race([sweep(bytes, request, values, onPoint), stopped(terminal.signal)])
    await writeReport(args, paths, report, renderSweepReport(report), terminal)
    return EXIT.done
  } catch (error) {
    if (done === 0) throw error
    const kept = `${done} of ${values.values.length} points are in ${output}`
    if (terminal.signal.aborted)
      throw new TtqError('interrupted', `interrupted: ${kept}`, { facts: { finished: done }, cause: error })
    terminal.complain(`ttq: ${kept}`)
    throw error
  }
}

// Rejects shortly after an interruption, before the program itself gives up waiting and says that nothing was written.
function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () =>
      setTimeout(() => {
        reject(signal.reason as TtqError)
      }, GRACE_MS).unref(),
    )
  })
}

function sweepValues(args: Arguments): SweepValues {
  refuseTogether(args, 'thresholds', 'sparsities', 'a sweep varies one of them')
  const range = { from: 0, below: 1 }
  const thresholds = numbersOption(args, 'thresholds', range)
  const values = thresholds ?? numbersOption(args, 'sparsities', range)
  if (values === undefined)
    throw new TtqError('usage', 'sweep: no values given, expected --thresholds or --sparsities', {
      hint: '--thresholds 0.02,0.05,0.1',
    })
  const twice = values.find((value, i) => values.indexOf(value) < i)
  const kind = thresholds === undefined ? 'sparsity' : 'threshold'
  if (twice !== undefined)
    throw new TtqError(
      'usage',
      `--${kind === 'threshold' ? 'thresholds' : 'sparsities'}: found ${twice} a second time, expected each value once`,
    )
  return { kind, values }
}

function sweepPaths(args: Arguments, output: string, { kind, values }: SweepValues): SweepPaths {
  if (output === '-')
    throw new TtqError('usage', '--output: found -, expected a file: the table is written anew after each point')
  const paths = checkResultPaths(args, { input: args.operand, output })
  const force = flagOption(args, 'force') ?? false
  const others = [args.operand, paths.model, paths.report].filter(
    (path) => path !== undefined && path !== '-',
  ) as string[]
  const check = (path: string, option: string): string => {
    const checked = checkOutputPath({ path, option, force, others })
    others.push(checked)
    return checked
  }
  const figure = check(textOption(args, 'figure') ?? `${output.replace(/\.csv$/i, '')}.svg`, '--figure')
  const folder = textOption(args, 'keep-files')
  const name = args.operand === '-' ? 'sweep' : defaultOutput(args.operand, '')
  const files =
    folder === undefined
      ? []
      : values.map((value) => check(join(folder, `${name}-${kind}-${value}.ttq`), '--keep-files'))
  return { ...paths, figure, files }
}

function writeText(path: string, content: string): void {
  writeAtomically(path, new TextEncoder().encode(content))
}
