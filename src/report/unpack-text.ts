// The report of ttq unpack as text for people.
import { printable } from '../errors/printable.js'
import { sizeText } from './table.js'

/** What `ttq unpack --json` prints. */
export interface UnpackReport {
  schema: 'ttq-unpack/1'
  model: string
  /** Path of the ONNX file; null when written to stdout. */
  output: string | null
  fileBytes: number
  onnxBytes: number
}

/** One line; ends with a newline. */
export function renderUnpackReport({ model, output, fileBytes, onnxBytes }: UnpackReport): string {
  return `${printable(model)} (${sizeText(fileBytes)}) -> ${output ?? 'stdout'} (${sizeText(onnxBytes)}, plain ONNX)\n`
}
