// The report of ttq new as text for people.
import { countText, shapeText, sizeText } from './table.js'

/** What `ttq new --json` prints. */
export interface NewReport {
  schema: 'ttq-new/1'
  network: string
  /** Path of the ONNX file; null when written to stdout. */
  output: string | null
  classes: number
  /** [channels, height, width]. */
  input: readonly number[]
  seed: number
  /** Elements of all floating-point constants, batch norm's running statistics included. */
  parameters: number
  onnxBytes: number
}

/** One line; ends with a newline. */
export function renderNewReport({ network, output, classes, input, seed, parameters, onnxBytes }: NewReport): string {
  const task = `${shapeText(input)} to ${countText(classes)} ${classes === 1 ? 'class' : 'classes'}`
  return (
    `${network} (${task}, ${countText(parameters)} parameters, seed ${seed}) -> ${output ?? 'stdout'} ` +
    `(${sizeText(onnxBytes)})\n`
  )
}
