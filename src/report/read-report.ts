// A report that a command printed as JSON, read again. What it holds was not checked by anyone since: it is a file.
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import type { AnalyzeReport } from '../jobs/analyze-report.js'
import type { CompressReport } from '../jobs/compress-report.js'
import type { EvaluateReport } from '../jobs/evaluate-report.js'
import type { TrainReport } from '../jobs/train-report.js'
import { analyzePage } from './analyze-page.js'
import { compressPage } from './compress-page.js'
import { evaluatePage } from './evaluate-page.js'
import type { Page } from './page.js'
import { trainPage } from './train-page.js'

/** Reports that are pages as well. */
export type PageReport = CompressReport | TrainReport | AnalyzeReport | EvaluateReport

interface Kind {
  /** Keys that every such report has, of the kind that its page cannot do without. */
  keys: Readonly<Record<string, 'text' | 'number' | 'object' | 'list'>>
  page: (report: never) => Page
}

const KINDS: Readonly<Record<PageReport['schema'], Kind>> = {
  'ttq-report/1': {
    keys: { ttq: 'text', model: 'text', size: 'object', layers: 'list', verified: 'object', warnings: 'list' },
    page: compressPage,
  },
  'ttq-train/1': {
    keys: { ttq: 'text', model: 'text', task: 'object', training: 'object', warnings: 'list' },
    page: trainPage,
  },
  'ttq-analyze/1': { keys: { ttq: 'text', model: 'text', layers: 'list', warnings: 'list' }, page: analyzePage },
  'ttq-evaluate/1': { keys: { model: 'text', task: 'object', metrics: 'object' }, page: evaluatePage },
}

/**
 * @param name how messages call it
 * @param expected schemas that will do. Default: all that have a page
 * @throws TtqError `data` for what is no such report, or of another version
 */
export function readReport(
  text: string,
  name: string,
  expected: readonly PageReport['schema'][] = Object.keys(KINDS) as PageReport['schema'][],
): PageReport {
  const found = parsed(text, name)
  const schema = isObject(found) ? found['schema'] : undefined
  if (!isObject(found) || typeof schema !== 'string' || !schema.startsWith('ttq-'))
    throw noReport(name, 'found JSON that is no report of ttq', expected)
  const known = expected.find((each) => each === schema)
  if (known === undefined) {
    const [kind = ''] = schema.split('/')
    const other = expected.find((each) => each.startsWith(`${kind}/`))
    const error = isObject(found['error']) ? found['error']['message'] : undefined
    const failed = typeof error === 'string' ? ` of a command that failed (${printable(error)})` : ''
    if (other === undefined) throw noReport(name, `found ${printable(schema)}${failed}`, expected)
    throw new TtqError('data', `${name}: found ${printable(schema)}, expected ${other}`, {
      hint: 'Another version of ttq wrote it: make the page with that one.',
    })
  }
  const missing = Object.entries(KINDS[known].keys).find(([key, kind]) => !isOf(kind, found[key]))
  if (missing !== undefined) throw incomplete(name, known, `"${missing[0]}" is not there, or of another kind`)
  return found as unknown as PageReport
}

/** @throws TtqError `data` where something in it is not what such a report has */
export function pageOf(report: PageReport, name: string): Page {
  return withinReport(report, name, () => KINDS[report.schema].page(report as never))
}

/** Does something with a report that was read. @throws TtqError `data` where what is in it does not let it */
export function withinReport<T>({ schema }: Pick<PageReport, 'schema'>, name: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof TtqError) throw cause
    throw incomplete(name, schema, 'something in it is missing or of another kind', cause)
  }
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TtqError('data', `${name}: found no whole JSON document, expected a report as --json prints it`, {
      hint: 'It may be cut, or hold more than the one document.',
      cause,
    })
  }
}

function noReport(name: string, found: string, expected: readonly string[]): TtqError {
  return new TtqError('data', `${name}: ${found}, expected ${expected.join(', ').replace(/, ([^,]*)$/, ' or $1')}`, {
    hint: 'ttq compress --json prints one.',
  })
}

function incomplete(name: string, schema: string, problem: string, cause?: unknown): TtqError {
  return new TtqError('data', `${name}: is no whole ${schema} report: ${printable(problem)}`, { cause })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOf(kind: Kind['keys'][string], value: unknown): boolean {
  if (kind === 'list') return Array.isArray(value)
  if (kind === 'object') return isObject(value)
  return typeof value === (kind === 'text' ? 'string' : 'number')
}
