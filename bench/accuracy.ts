// `npm run results -- --models <folder> [run ...]`: the long runs of docs/experiments.md, one after the other, each as
// `ttq` on the command line. A run whose report is there is not repeated, and one that was interrupted goes on from its
// checkpoint. Appends to bench/accuracy.csv.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { CompressReport } from '../src/jobs/compress-report.js'
import type { TrainReport } from '../src/jobs/train-report.js'
import { ACCURACY_RUNS } from './accuracy-runs.js'

const ROOT = resolve(import.meta.dirname, '../..')
const TABLE = join(ROOT, 'bench/accuracy.csv')
const PROGRAM = join(ROOT, 'dist/bin/ttq.js')
/** Exit codes of a run that has a result: done, and done with --max-drop not held. */
const RESULT = [0, 4]
const COLUMNS = [
  'date',
  'run',
  'command',
  'cpu',
  'cores',
  'ttq',
  'onnxruntime',
  'seed',
  'replicas',
  'epochs',
  'best_epoch',
  'training_minutes',
  'top1_before',
  'top1',
  'agreement',
  'zeros',
  'onnx_bytes',
  'file_bytes',
  'layers_restored',
]

const {
  values: { models, out },
  positionals,
} = parseArgs({
  allowPositionals: true,
  options: { models: { type: 'string', default: 'models' }, out: { type: 'string', default: join(ROOT, 'results') } },
})
const names = positionals.length > 0 ? positionals : Object.keys(ACCURACY_RUNS)
const unknown = names.find((name) => !Object.hasOwn(ACCURACY_RUNS, name))
if (unknown !== undefined)
  throw new Error(`results: no run "${unknown}", expected one of ${Object.keys(ACCURACY_RUNS).join(', ')}`)
mkdirSync(out, { recursive: true })
if (!existsSync(TABLE)) writeFileSync(TABLE, `${COLUMNS.join(',')}\n`)

for (const name of names) {
  const report = join(out, `${name}.json`)
  if (!existsSync(report)) execute(name, report)
  console.log(`${name}: ${summary(readReport(report))}`)
}

function execute(name: string, report: string): void {
  const { command, prepare, minutes: expected } = ACCURACY_RUNS[name] as (typeof ACCURACY_RUNS)[string]
  if (prepare !== undefined && !existsSync(words(prepare).at(-1) as string)) ttq(words(prepare))
  const output = join(out, `${name}${command.startsWith('train') ? '.onnx' : '.ttq'}`)
  const resumed = existsSync(`${output}.checkpoint`)
  console.log(`${name}: ttq ${command}${resumed ? ' --resume' : ''}, about ${expected} min`)
  ttq([...words(command), '-o', output, '--report', report, ...(resumed ? ['--resume'] : [])])
  appendFileSync(TABLE, `${row(name, command, readReport(report)).join(',')}\n`)
}

function ttq(args: readonly string[]): void {
  const { status, signal } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status === null || !RESULT.includes(status))
    throw new Error(`results: ttq ${args.join(' ')} ended with ${status ?? signal}`)
}

function words(command: string): string[] {
  return command.split(' ').map(filled)
}

function filled(word: string): string {
  return word.replace('{models}', resolve(models)).replace('{out}', resolve(out))
}

function readReport(path: string): CompressReport | TrainReport {
  return JSON.parse(readFileSync(path, 'utf8')) as CompressReport | TrainReport
}

/** Percent of the test set before and after; what a run from random weights had before says nothing. */
function accuracies(report: CompressReport | TrainReport): [before: number | null, after: number | null] {
  if (report.schema === 'ttq-train/1') return [null, report.after['top1'] ?? null]
  return [report.baseline?.['top1'] ?? null, report.compressed?.['top1'] ?? null]
}

function summary(report: CompressReport | TrainReport): string {
  const [before, after] = accuracies(report)
  const { training } = report
  const losses = training?.history.map(({ loss }) => loss.toFixed(2)).join(' ')
  return (
    `top-1 ${before?.toFixed(2) ?? '-'} -> ${after?.toFixed(2) ?? '-'} %, loss by epoch ${losses}, ` +
    `${minutes(training?.elapsedMs)} min of training`
  )
}

function row(name: string, command: string, report: CompressReport | TrainReport): (string | number)[] {
  const versionOf = (folder: string): string =>
    (JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as { version: string }).version
  const { training } = report
  const machine = [cpus()[0]?.model.trim() ?? '', cpus().length, report.ttq, versionOf('node_modules/onnxruntime-node')]
  const run = [
    training?.seed ?? '',
    training?.replicas ?? '',
    training?.epochs ?? '',
    training?.bestEpoch ?? '',
    minutes(training?.elapsedMs),
  ]
  const tops = accuracies(report).map((top1) => top1?.toFixed(2) ?? '')
  const stored = report.schema === 'ttq-train/1' ? ['', '', report.onnxBytes, '', ''] : storedCells(report)
  return [new Date().toISOString(), name, `"${command}"`, ...machine, ...run, ...tops, ...stored]
}

function storedCells({ agreement, layers, size, restoration }: CompressReport): (string | number)[] {
  const zeros = layers.reduce((sum, layer) => sum + (layer.zeros ?? 0), 0) / size.ternaryWeights
  return [
    agreement?.toFixed(2) ?? '',
    zeros.toFixed(3),
    size.onnxBytes,
    size.fileBytes,
    restoration?.rounds.at(-1)?.restored.length ?? 0,
  ]
}

function minutes(milliseconds = 0): string {
  return (milliseconds / 60_000).toFixed(1)
}
