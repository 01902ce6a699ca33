// ttq compress: options -> library call -> file and report.
import type { CompressReport } from '../../jobs/compress-report.js'
import type { CompressRequest } from '../../jobs/compress-job.js'
import type { CompressResult } from '../../jobs/compress.js'
import { TtqError } from '../../errors/ttq-error.js'
import { completeOptions } from '../../options/complete-options.js'
import { isLayerwise } from '../../options/layerwise.js'
import { sizeInBytes } from '../../options/size.js'
import { plural } from '../../report/table.js'
import { isBeyond } from '../../ternary/accuracy-drop.js'
import { checkpointFile, onEveryRank } from '../checkpoint-file.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions, givenOptions, namesOf } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { TRAINING_GRACE_MS, unlessTooLate } from '../grace.js'
import { readModelInput, readTeachers, type ModelInput } from '../model-input.js'
import { agreeOnCall } from '../ranks.js'
import { asksForFiles, checkResultPaths, outputPath, writeResult, writeReport } from '../results.js'
import { describeRun } from '../describe-run.js'
import { settingsNote } from '../settings-note.js'
import { PAGE_FORMS } from '../report-forms.js'
import type { Terminal } from '../terminal.js'

export const compressCommand: CommandBody = {
  operand: { name: 'model', describe: 'ONNX file, - for stdin', files: ['onnx'], each: true },
  options: commandOptions('compress'),
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
  output: outputOf,
  run: runCompress,
}

function outputOf(args: Arguments): string {
  return outputPath(args, '.ttq')
}

async function runCompress(args: Arguments, terminal: Terminal): Promise<number> {
  if (args.values.has('dry-run')) return await (await import('./plan.js')).runPlan(args, terminal)
  const teachers = await readTeachers(args, terminal.signal)
  const options = { ...givenOptions(args, 'compress'), ...teachers.options }
  const complete = completeOptions('compress', options, namesOf(args))
  const takesLong = (complete.data !== undefined && complete.epochs > 0) || isLayerwise(options, complete)
  if (!takesLong) checkIdle(args)
  const output = outputOf(args)
  const also = teachers.files
  const what = 'the packed network'
  const { ranks } = terminal
  const isFirst = ranks.rank === 0
  const paths = isFirst
    ? checkResultPaths(args, { input: args.operand, also, output, what, forms: PAGE_FORMS })
    : undefined
  const checkpoint = takesLong && paths ? checkpointFile(args, output, paths.taken, terminal.complain) : undefined
  const input = await readModelInput(args, terminal.signal)
  await agreeOnCall('compress', args, input.bytes, ranks)
  const kept = await onEveryRank(checkpoint?.options, ranks)
  if (complete.data !== undefined && complete.epochs > 0)
    terminal.progress({ kind: 'note', message: settingsNote(args, 'compress') })
  const result = await compressed(
    input,
    {
      ...options,
      details: asksForFiles(args),
      nameOptions: namesOf(args),
      ...(kept && { checkpoint: kept }),
    },
    terminal,
  ).catch((error: unknown) => {
    throw checkpoint?.explain(error) ?? error
  })
  const drop =
    accuracyDrop(result.report, complete.maxDrop) ??
    distanceBeyond(result.report, options.maxDistance) ??
    sizeBeyond(result.report, options.maxSize)
  if (paths === undefined) return drop === undefined ? EXIT.done : EXIT.accuracy
  const warnings = drop === undefined ? result.report.warnings : [...result.report.warnings, drop]
  const written = await writeResult(paths, result.file, terminal)
  const run = await describeRun(args, 'compress')
  const report: CompressReport = { ...result.report, output: written, warnings, run }
  checkpoint?.remove()
  const [{ renderCompressReport }, { compressPage }] = await Promise.all([
    import('../../report/compress-text.js'),
    import('../../report/compress-page.js'),
  ])
  const text = renderCompressReport(report, terminal.columns)
  await writeReport(args, paths, report, text, terminal, () => compressPage(report))
  if (drop === undefined) return EXIT.done
  terminal.complain(`ttq: ${drop}`)
  return EXIT.accuracy
}

// Options of the command line alone that mean nothing where there is nothing to keep.
function checkIdle(args: Arguments): void {
  const idle = ['checkpoint', 'resume'].find((name) => args.values.has(name))
  if (idle === undefined) return
  throw new TtqError('usage', `--${idle}: given where nothing is trained and no layer fitted to its outputs`, {
    hint: 'That takes no time that would be lost.',
  })
}

async function compressed(
  input: ModelInput,
  options: Omit<CompressRequest, 'name'>,
  { signal, progress, ranks }: Terminal,
): Promise<CompressResult> {
  const { bytes, ...source } = input
  const { compress } = await import('../../jobs/compress.js')
  const work = compress(bytes, { ...options, ...source, signal, onProgress: progress, ranks })
  const result = await unlessTooLate(work, signal, TRAINING_GRACE_MS)
  signal.throwIfAborted()
  return result
}

// What to say when accuracy fell too far.
function accuracyDrop(
  { task, baseline, compressed, agreement, likeness, restoration }: CompressReport,
  maxDrop: number | undefined,
): string | undefined {
  if (maxDrop === undefined) return undefined
  const tried = triedText(restoration)
  const [main] = task?.metrics ?? []
  if (main === undefined || baseline === null || compressed === null) {
    // Without labels: accuracy cannot have fallen by more than the share of decisions that changed.
    const error = task?.likeness[0]?.key === 'relativeError' ? (likeness?.['relativeError'] ?? null) : null
    const changed = error ?? (agreement === null ? 0 : 100 - agreement)
    if (!isBeyond(changed, maxDrop)) return undefined
    return error === null
      ? `${changed.toFixed(2)} % of the decisions changed, more than --max-drop ${maxDrop}${tried}`
      : `the outputs differ by ${changed.toFixed(2)} %, more than --max-drop ${maxDrop}${tried}`
  }
  const [before, after] = [baseline[main.key] as number, compressed[main.key] as number]
  const drop = before - after
  if (!isBeyond(drop, maxDrop)) return undefined
  return (
    `${main.key === 'top1' ? 'accuracy' : main.name} fell by ${drop.toFixed(2)} points (${before.toFixed(2)} % -> ` +
    `${after.toFixed(2)} %), more than --max-drop ${maxDrop}${tried}`
  )
}

// What to say when the outputs are too far away, or nobody knows how far.
function distanceBeyond({ reconstruction }: CompressReport, maxDistance: number | undefined): string | undefined {
  if (maxDistance === undefined) return undefined
  const distance = reconstruction?.distance ?? null
  if (distance === null) return `how far the outputs are away could not be measured for --max-distance ${maxDistance}`
  if (distance <= maxDistance) return undefined
  const most = Math.max(0, ...(reconstruction?.bound?.rounds.map(({ restored }) => restored) ?? []))
  const tried =
    most === 0
      ? '; the only ternary layer stays one'
      : `, also with up to ${plural(most, 'layer')} not ternary (one stays)`
  return `the outputs differ by ${distance.toFixed(1)} %, more than --max-distance ${maxDistance}${tried}`
}

// What to say when the file is too large.
function sizeBeyond(
  { size, rest, layers, smaller }: CompressReport,
  maxSize: number | string | undefined,
): string | undefined {
  if (maxSize === undefined) return undefined
  const most = sizeInBytes(maxSize, size.onnxBytes)
  if (size.fileBytes <= most) return undefined
  const asked = typeof maxSize === 'string' ? `${maxSize} (${most} bytes)` : `${most} bytes`
  // Of networks too large to pack once more, nobody knows.
  const helps = rest !== 'int8' && (smaller?.int8 ?? 0) < size.fileBytes
  const hint = helps ? `; --rest ${rest === 'fp32' ? 'fp16 or int8' : 'int8'} makes the rest smaller` : ''
  const isAll = !layers.some(({ reason }) => reason?.startsWith('--max-size') === true)
  const how = isAll ? ' with every layer ternary that may be' : ''
  return `the file has ${size.fileBytes} bytes${how}, more than --max-size ${asked}${hint}`
}

function triedText(restoration: CompressReport['restoration']): string {
  if (restoration === null) return ''
  const { ranking, rounds } = restoration
  if (rounds.length === 0) return '; the only ternary layer cannot be given up'
  const most = Math.max(...rounds.map(({ restored }) => restored.length))
  return (
    `, also with up to ${most} of ${ranking.length} layers with 8 bits (${plural(rounds.length, 'round')}); this is ` +
    'the smallest fall'
  )
}
