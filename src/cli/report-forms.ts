// What a report can be written as, by the ending of a file's name.
import { extname } from 'node:path'
import { TtqError } from '../errors/ttq-error.js'
import type { Page } from '../report/page.js'

export type ReportForm = 'json' | 'html' | 'markdown'

/** In the order in which messages list them. */
const ENDINGS: Readonly<Record<string, ReportForm>> = {
  '.html': 'html',
  '.md': 'markdown',
  '.json': 'json',
}

/** Of commands whose reports are pages as well. */
export const PAGE_FORMS: readonly ReportForm[] = ['html', 'markdown', 'json']

/** @throws TtqError `usage` for an ending that stands for none of them */
export function reportForm(path: string, option: string, forms: readonly ReportForm[]): ReportForm {
  const ending = extname(path).toLowerCase()
  const form = Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined
  if (form !== undefined && forms.includes(form)) return form
  const known = Object.keys(ENDINGS).filter((each) => forms.includes(ENDINGS[each] as ReportForm))
  const expected = known.join(', ').replace(/, ([^,]*)$/, ' or $1')
  throw new TtqError(
    'usage',
    `${option}: ${path} ${ending === '' ? 'has no ending' : `ends in ${ending}`}, expected ${expected}`,
    { facts: { option, path }, hint: 'The ending says what the report is written as.' },
  )
}

/** @param page undefined where the command has none */
export async function pageText(page: (() => Page) | undefined, form: Exclude<ReportForm, 'json'>): Promise<string> {
  if (page === undefined) throw new Error(`internal: no page for a report as ${form}`)
  if (form === 'html') return (await import('../report/html-page.js')).htmlPage(page())
  return (await import('../report/markdown-page.js')).markdownPage(page())
}
