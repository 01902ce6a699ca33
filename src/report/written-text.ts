// What ttq report says of the page that it wrote.
import { printable } from '../errors/printable.js'
import { sizeText } from './table.js'

/** What `ttq report --json` prints. */
export interface WrittenReport {
  schema: 'ttq-page/1'
  /** The report that it was made from. */
  report: string
  /** null for stdout. */
  output: string | null
  bytes: number
}

/** One line; ends with a newline. */
export function renderWrittenReport({ report, output, bytes }: WrittenReport): string {
  return `${printable(report)} -> ${output ?? 'stdout'} (${sizeText(bytes)})\n`
}
