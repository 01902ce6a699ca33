// The report of ttq unpack as text for people.
import { printable } from '../errors/printable.js'
import type { UnpackedFormName } from '../options/choices.js'
import { sizeText } from './table.js'

/** What `ttq unpack --json` prints. */
export interface UnpackReport {
  schema: 'ttq-unpack/2'
  model: string
  /** Path of the unpacked file; null when written to stdout. */
  output: string | null
  as: UnpackedFormName
  fileBytes: number
  unpackedBytes: number
}

/** One line; ends with a newline. @param what the unpacked file is */
export function renderUnpackReport({ model, output, fileBytes, unpackedBytes }: UnpackReport, what: string): string {
  return `${printable(model)} (${sizeText(fileBytes)}) -> ${output ?? 'stdout'} (${sizeText(unpackedBytes)}, ${what})\n`
}
