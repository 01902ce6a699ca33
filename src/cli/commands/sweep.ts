// ttq sweep: compress at several thresholds -> CSV, JSON, figure. Every finished point is written at once.
import { join } from 'node:path'
import { TtqError } from '../../errors/ttq-error.js'
import type { SweepReport } from '../../jobs/sweep-report.js'
import { completeOptions } from '../../options/complete-options.js'
import { checkSweepValues, type SweepValues } from '../../options/sweep-values.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandLineOption, commandOptions, givenOptions, isSet, namesOf, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { readModelInput, readTeachers } from '../model-input.js'
import { settingsNote } from '../settings-note.js'
import { checkOutputPath, type OutputFile } from '../output-path.js'
import { checkResultPaths, defaultOutput, type ResultPaths, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

/** Time that an interrupted point has to stop by itself; below main.ts's. */
const GRACE_MS = 3000

export const sweepCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin', files: ['onnx'] },
  options: commandOptions('sweep'),
  examples: [
    [
      '$0 sweep model.onnx --data cifar10 --sparsities 0.3,0.5,0.7 --keep-files out -o sweep.csv --report sweep.json',
      'by share of zeros; keep every file',
    ],
  ],
  run: runSweep,
}

interface SweepPaths extends ResultPaths {
  result: OutputFile
  figure: OutputFile
  /** One per value; empty where files are not kept. */
  files: readonly OutputFile[]
}

async function runSweep(args: Arguments, terminal: Terminal): Promise<number> {
  const values = sweepValues(args)
  const teachers = readTeachers(args)
  const options = { ...givenOptions(args, 'sweep'), ...teachers.options }
  const { data } = completeOptions('sweep', options, namesOf(args))
  const output =
    textOption(args, 'output') ?? (args.operand === '-' ? 'sweep.csv' : defaultOutput(args.operand, '.csv'))
  const paths = sweepPaths(args, output, values, teachers.files)
  const { bytes, ...source } = await readModelInput(args, terminal.signal)
  const [{ sweep }, { renderSweepPoint, renderSweepReport, sweepCsv }, { sweepFigure }] = await Promise.all([
    import('../../jobs/sweep.js'),
    import('../../report/sweep-text.js'),
    import('../../report/sweep-figure.js'),
  ])
  terminal.progress({ kind: 'note', message: settingsNote(args, 'sweep') })
  let done = 0
  const onPoint = (report: SweepReport, file: Uint8Array): void => {
    paths.files[done]?.write(file, terminal.complain)
    paths.result.write(new TextEncoder().encode(sweepCsv(report)), terminal.complain)
    paths.figure.write(new TextEncoder().encode(sweepFigure(report)), terminal.complain)
    done = report.points.length
    terminal.note(renderSweepPoint(report))
  }
  try {
    const request = {
      ...options,
      ...source,
      data: data as string,
      signal: terminal.signal,
      onProgress: terminal.progress,
      nameOptions: namesOf(args),
    }
    const report = await Promise.race([sweep(bytes, request, values, onPoint), stopped(terminal.signal)])
    await writeReport(args, paths, report, renderSweepReport(report), terminal)
    return EXIT.done
  } catch (error) {
    if (done === 0) throw error
    const kept = `${done} of ${values.values.length} points are in ${paths.result.name}`
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
  const [thresholds, sparsities] = (['thresholds', 'sparsities'] as const).map((name) =>
    commandLineOption(args, name),
  ) as (number[] | undefined)[]
  if (thresholds !== undefined && sparsities !== undefined)
    throw new TtqError('usage', '--thresholds: given together with --sparsities; a sweep varies one of them')
  const values = thresholds ?? sparsities
  if (values === undefined)
    throw new TtqError('usage', 'sweep: no values given, expected --thresholds or --sparsities', {
      hint: '--thresholds 0.02,0.05,0.1',
    })
  return checkSweepValues({ kind: thresholds === undefined ? 'sparsity' : 'threshold', values }, namesOf(args))
}

function sweepPaths(
  args: Arguments,
  output: string,
  { kind, values }: SweepValues,
  also: readonly string[],
): SweepPaths {
  if (output === '-')
    throw new TtqError('usage', '--output: found -, expected a file: the table is written anew after each point')
  const paths = checkResultPaths(args, { input: args.operand, also, output })
  const force = isSet(args, 'force')
  const others = [...paths.taken]
  const check = (path: string, option: string): OutputFile => {
    const checked = checkOutputPath({ path, option, force, others })
    others.push(checked.path)
    return checked
  }
  if (textOption(args, 'figure') === '-')
    throw new TtqError('usage', '--figure: found -, expected a file: the figure is written anew after each point')
  const figure = check(textOption(args, 'figure') ?? `${output.replace(/\.csv$/i, '')}.svg`, '--figure')
  const folder = textOption(args, 'keepFiles')
  const name = args.operand === '-' ? 'sweep' : defaultOutput(args.operand, '')
  const files =
    folder === undefined
      ? []
      : values.map((value) => check(join(folder, `${name}-${kind}-${value}.ttq`), '--keep-files'))
  return { ...paths, result: paths.result as OutputFile, figure, files }
}
