// ttq sweep: compress at several thresholds -> CSV, JSON, figure. Every finished point is written at once; several
// machines share the points (--shard), and another run puts them together (--merge).
import { join } from 'node:path'
import { TtqError } from '../../errors/ttq-error.js'
import type { SweepRequest } from '../../jobs/sweep.js'
import type { PointStore } from '../../jobs/sweep-points.js'
import type { ShardReport, SweepReport } from '../../jobs/sweep-report.js'
import { completeOptions } from '../../options/complete-options.js'
import { checkSweepValues, pointName, type SweepValues, valuesOf } from '../../options/sweep-values.js'
import { VERSION } from '../../version.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandLineOption, commandOptions, givenOptions, isSet, namesOf, textOption } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { TRAINING_GRACE_MS, unlessTooLate } from '../grace.js'
import { readModelInput, readTeachers } from '../model-input.js'
import { checkOutputPath, type OutputFile } from '../output-path.js'
import { PointFolder } from '../point-folder.js'
import { agreeOnCall } from '../ranks.js'
import { checkResultPaths, defaultOutput, type ResultPaths, writeReport } from '../results.js'
import { settingsNote } from '../settings-note.js'
import { type GivenShard, givenShard } from '../shard.js'
import type { Terminal } from '../terminal.js'

export const sweepCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin', files: ['onnx'] },
  options: commandOptions('sweep'),
  examples: [
    [
      '$0 sweep model.onnx --data cifar10 --sparsities 0.3,0.5,0.7 --keep-files out -o sweep.csv --report sweep.json',
      'by share of zeros; keep every file',
    ],
    [
      '$0 sweep model.onnx --data cifar10 --sparsities 0.3,0.5,0.7 --shard auto',
      "this task's part, in an array of jobs; then once the same with --merge",
    ],
  ],
  graceMs: TRAINING_GRACE_MS,
  run: runSweep,
}

interface SweepPaths extends ResultPaths {
  result: OutputFile
  figure: OutputFile
  /** One per value; empty where files are not kept. */
  files: readonly OutputFile[]
}

/** A sweep as its command line says it. */
interface Sweep {
  bytes: Uint8Array
  request: SweepRequest & { points: PointStore }
  values: SweepValues
  folder: PointFolder
}

async function runSweep(args: Arguments, terminal: Terminal): Promise<number> {
  const values = sweepValues(args)
  checkWays(args)
  const shard = givenShard(args)
  const teachers = await readTeachers(args, terminal.signal)
  const options = { ...givenOptions(args, 'sweep'), ...teachers.options }
  const { data } = completeOptions('sweep', options, namesOf(args))
  const output =
    textOption(args, 'output') ?? (args.operand === '-' ? 'sweep.csv' : defaultOutput(args.operand, '.csv'))
  checkTable(output)
  const folder = new PointFolder(output, terminal.complain)
  const { ranks } = terminal
  // A shard leaves table and figure to the one that merges, and ranks to the first.
  const paths =
    shard === undefined && ranks.rank === 0
      ? sweepPaths(args, { output, isOwn: folder.isThere }, values, teachers.files)
      : null
  const { bytes, ...source } = await readModelInput(args, terminal.signal)
  await agreeOnCall('sweep', args, bytes, ranks)
  const request = {
    ...options,
    ...source,
    data: data as string,
    signal: terminal.signal,
    onProgress: terminal.progress,
    nameOptions: namesOf(args),
    points: folder,
    ...(ranks.threads !== undefined && { threads: options.threads ?? ranks.threads }),
  }
  const work: Sweep = { bytes, request, values, folder }
  if (ranks.count > 1) return await sweepRanks(args, work, paths, terminal)
  if (paths === null || shard !== undefined) return await sweepShard(args, work, shard as GivenShard, terminal)
  return isSet(args, 'merge')
    ? await mergePoints(args, work, paths, terminal)
    : await sweepAll(args, work, paths, terminal)
}

async function sweepAll(args: Arguments, work: Sweep, paths: SweepPaths, terminal: Terminal): Promise<number> {
  const [{ renderSweepPoint, renderSweepReport }, tables] = await Promise.all([
    import('../../report/sweep-text.js'),
    tableWriter(paths, terminal),
  ])
  const { folder, values } = work
  let done = 0
  const report = await swept(args, work, terminal, (report, file) => {
    paths.files[done]?.write(file, terminal.complain)
    tables(report)
    done = report.points.length
    terminal.note(renderSweepPoint(report))
  }).catch((error: unknown) => {
    const kept = `${done} of ${values.values.length} points are in ${paths.result.name}`
    if (done > 0 && !terminal.signal.aborted) terminal.complain(`ttq: ${kept}`)
    throw explained(error, work, terminal, done > 0 ? kept : undefined)
  })
  await writeReport(args, paths, report, renderSweepReport(report), terminal)
  folder.remove(values)
  return EXIT.done
}

async function sweepShard(args: Arguments, work: Sweep, shard: GivenShard, terminal: Terminal): Promise<number> {
  const { values, folder } = work
  const { renderSweepPoint, renderShard } = await import('../../report/sweep-text.js')
  const own = valuesOf(values, shard)
  const report =
    own.length === 0
      ? undefined
      : await swept(args, { ...work, request: { ...work.request, shard } }, terminal, (sofar) => {
          terminal.note(renderSweepPoint(sofar))
        }).catch((error: unknown) => {
          throw explained(error, work, terminal)
        })
  const found: ShardReport = {
    schema: 'ttq-sweep-shard/1',
    ttq: VERSION,
    model: work.request.name,
    index: shard.index,
    count: shard.count,
    from: shard.from ?? null,
    folder: folder.name,
    points: report?.points ?? [],
    missing: values.values.filter((value) => folder.read(pointName(values.kind, value)) === undefined),
  }
  await writeReport(
    args,
    { result: undefined, what: 'the report', reports: [], taken: [] },
    found,
    renderShard(found),
    terminal,
  )
  return EXIT.done
}

// Each rank computes its part of the points, by itself and with all of its threads; the first puts them together.
async function sweepRanks(args: Arguments, work: Sweep, paths: SweepPaths | null, terminal: Terminal): Promise<number> {
  const { values, folder, request } = work
  const { rank, count } = terminal.ranks
  if (args.values.has('shard') || isSet(args, 'merge'))
    throw new TtqError(
      'usage',
      `--${isSet(args, 'merge') ? 'merge' : 'shard'}: given with ${count} ranks, which share the points by themselves`,
    )
  const shard = { index: rank + 1, count }
  const { renderSweepPoint } = await import('../../report/sweep-text.js')
  if (valuesOf(values, shard).length > 0)
    await swept(args, { ...work, request: { ...request, shard } }, terminal, (sofar) => {
      terminal.note(renderSweepPoint(sofar))
    }).catch((error: unknown) => {
      throw explained(error, work, terminal)
    })
  await terminal.ranks.gather('points', null)
  if (paths === null) return EXIT.done
  const code = await mergePoints(args, work, paths, terminal)
  folder.remove(values)
  return code
}

async function mergePoints(args: Arguments, work: Sweep, paths: SweepPaths, terminal: Terminal): Promise<number> {
  const { bytes, request, values } = work
  const [{ mergeSweep }, { renderSweepReport }, tables] = await Promise.all([
    import('../../jobs/merge-sweep.js'),
    import('../../report/sweep-text.js'),
    tableWriter(paths, terminal),
  ])
  const { report, files, missing } = await mergeSweep(bytes, request, values, { partial: isSet(args, 'partial') })
  const places = paths.files.filter((_place, i) => !missing.includes(values.values[i] as number))
  for (const [i, file] of files.entries()) places[i]?.write(file, terminal.complain)
  tables(report)
  if (missing.length > 0) terminal.complain(`warning: missing: ${values.kind} ${missing.join(', ')}`)
  await writeReport(args, paths, report, renderSweepReport(report), terminal)
  return EXIT.done
}

async function swept(
  args: Arguments,
  { bytes, request, values, folder }: Sweep,
  terminal: Terminal,
  onPoint: (report: SweepReport, file: Uint8Array) => void,
): Promise<SweepReport> {
  const { sweep } = await import('../../jobs/sweep.js')
  folder.make()
  terminal.progress({ kind: 'note', message: settingsNote(args, 'sweep') })
  return await unlessTooLate(sweep(bytes, request, values, onPoint), terminal.signal, TRAINING_GRACE_MS)
}

// Table and figure, as they are after each point.
async function tableWriter(paths: SweepPaths, terminal: Terminal): Promise<(report: SweepReport) => void> {
  const [{ sweepCsv }, { sweepFigure }] = await Promise.all([
    import('../../report/sweep-text.js'),
    import('../../report/sweep-figure.js'),
  ])
  return (report) => {
    paths.result.write(new TextEncoder().encode(sweepCsv(report)), terminal.complain)
    paths.figure.write(new TextEncoder().encode(sweepFigure(report)), terminal.complain)
  }
}

// What a sweep that ended early says, and that it goes on where there is something to go on from.
function explained(error: unknown, { folder, values }: Sweep, terminal: Terminal, tables?: string): unknown {
  folder.removeEmpty()
  const isKept = folder.has(values)
  if (!terminal.signal.aborted || (!isKept && tables === undefined)) return error
  const kept = tables ?? `what is done is kept in ${folder.name}`
  return new TtqError('interrupted', `interrupted: ${kept}`, {
    hint: 'The same command goes on from there',
    facts: { checkpoint: folder.name },
    cause: error,
  })
}

// Options of the command line alone that contradict one another.
function checkWays(args: Arguments): void {
  if (args.values.has('shard') && isSet(args, 'merge'))
    throw new TtqError('usage', '--shard: given together with --merge; points are merged when all parts are done')
  if (isSet(args, 'partial') && !isSet(args, 'merge'))
    throw new TtqError('usage', '--partial: given without --merge, of which it says that points may be missing')
}

function checkTable(output: string): void {
  if (output === '-')
    throw new TtqError('usage', '--output: found -, expected a file: the table is written anew after each point')
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
  table: { output: string; isOwn: boolean },
  { kind, values }: SweepValues,
  also: readonly string[],
): SweepPaths {
  const { output, isOwn } = table
  const paths = checkResultPaths(args, { input: args.operand, also, ...table })
  const force = isSet(args, 'force') || isOwn
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
