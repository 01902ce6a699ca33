// What came of several jobs, as one table. Its data is documented in docs/pipelines.md.
import type { CompressReport } from '../jobs/compress-report.js'
import type { EvaluateReport } from '../jobs/evaluate-report.js'
import { durationText, ratioText, sizeText, table } from './table.js'
import { measureText } from './training-text.js'

export interface BatchJob {
  readonly name: string
  readonly command: string
  readonly model: string
  /** 0: done; null: not begun, because the run was interrupted. */
  readonly exitCode: number | null
  /** With --resume: its result was there. */
  readonly doneBefore?: true
  readonly elapsedMs: number
  /** The command's own report (docs/report.md); null where there is none. */
  readonly report: object | null
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null
}

export interface BatchReport {
  readonly schema: 'ttq-batch/1'
  /** Of the whole run. */
  readonly exitCode: number
  readonly jobs: readonly BatchJob[]
}

const HEADER = ['job', 'result', 'before', 'after', 'smaller', 'measured', 'time']
const ALIGNMENTS = ['left', 'left', 'right', 'right', 'right', 'left', 'right'] as const

/**
 * One line per job, one for the reason of each that failed, and one that counts; ends with a newline.
 * @param columns width of the place where it is shown
 */
export function renderBatch(report: BatchReport, columns?: number): string {
  const reasons = reasonsOf(report)
  const parts = [table(HEADER, report.jobs.map(row), ALIGNMENTS, columns), reasons.join('\n'), countLine(report)]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** The same as a table of Markdown. */
export function batchMarkdown(report: BatchReport): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  const rule = ALIGNMENTS.map((alignment) => (alignment === 'right' ? '--:' : ':--'))
  const rows = [line(HEADER), line(rule), ...report.jobs.map((job) => line(row(job)))]
  const reasons = reasonsOf(report).map((reason) => `- ${reason}`)
  const parts = [rows.join('\n'), reasons.join('\n'), countLine(report)]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

// Why jobs failed, each under its name: messages begin with it most of the time.
function reasonsOf({ jobs }: BatchReport): string[] {
  return jobs.flatMap(({ name, exitCode, report, error }) => {
    if (exitCode === 0 || exitCode === null) return []
    const reason = error?.message ?? lastWarning(report)
    return [reason.startsWith(`${name}: `) ? reason : `${name}: ${reason}`]
  })
}

function countLine({ jobs }: BatchReport): string {
  const done = jobs.filter(({ exitCode }) => exitCode === 0).length
  const left = jobs.filter(({ exitCode }) => exitCode === null).length
  const failed = jobs.length - done - left
  return [
    `${done} of ${jobs.length} done`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(left === 0 ? [] : [`${left} not begun`]),
  ].join(', ')
}

function row({ name, exitCode, doneBefore, elapsedMs, report }: BatchJob): string[] {
  const { size } = (report ?? {}) as Partial<CompressReport>
  return [
    name,
    doneBefore ? 'done before' : exitCode === 0 ? 'done' : exitCode === null ? 'not begun' : `failed (${exitCode})`,
    size === undefined ? '-' : sizeText(size.onnxBytes),
    size === undefined ? '-' : sizeText(size.fileBytes),
    size === undefined ? '-' : ratioText(size.fileRatio),
    measured(report),
    exitCode === null || doneBefore ? '-' : durationText(elapsedMs),
  ]
}

// The main metric, before and after where there are both.
function measured(report: object | null): string {
  const { task, baseline, compressed, metrics } = (report ?? {}) as Partial<
    Omit<CompressReport, 'schema'> & Omit<EvaluateReport, 'schema'>
  >
  const main = task?.metrics[0]
  const after = main && (compressed ?? metrics)?.[main.key]
  if (main === undefined || after === undefined) return '-'
  const before = baseline?.[main.key]
  const text = measureText(main, after)
  return `${main.name} ${before === undefined ? text : `${measureText(main, before)} -> ${text}`}`
}

// Where a bound does not hold, the report says which, or ends with the warning that does.
function lastWarning(report: object | null): string {
  const { warnings, broken } = (report ?? {}) as { warnings?: readonly string[]; broken?: readonly string[] }
  return broken?.join('; ') ?? warnings?.at(-1) ?? '-'
}
