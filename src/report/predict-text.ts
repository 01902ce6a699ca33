// What a network says of pictures, as text for people.
import { printable } from '../errors/printable.js'
import type { PicturePrediction, PredictReport } from '../jobs/predict-report.js'
import { shapeText, table } from './table.js'

/** @param columns width of the place where it is shown */
export function renderPredictReport({ pictures, arrays, output }: PredictReport, columns?: number): string {
  const text = output === null ? outputTable(pictures, columns) : classTable(pictures, columns)
  return `${text}\n${arrays === null ? '' : `\nall outputs: ${printable(arrays)}\n`}`
}

/** Classes that are told of each picture: the likeliest, and others that come near. */
const TOLD = 3
const NEAR = 0.01

function classTable(pictures: readonly PicturePrediction[], columns: number | undefined): string {
  const rows = pictures.flatMap(({ picture, classes }) =>
    classes
      .slice(0, TOLD)
      .filter(({ probability }, i) => i === 0 || probability >= NEAR)
      .map(({ class: place, name, probability }, i) => [
        i === 0 ? picture : '',
        `${(100 * probability).toFixed(1)} %`,
        name ?? `class ${place}`,
      ]),
  )
  return table(['picture', 'probability', 'class'], rows, ['left', 'right', 'left'], columns)
}

function outputTable(pictures: readonly PicturePrediction[], columns: number | undefined): string {
  const rows = pictures.flatMap(({ picture, outputs }) =>
    outputs.map(({ name, type, shape, least, largest }, i) => [
      i === 0 ? picture : '',
      name,
      type,
      shapeText(shape),
      least.toPrecision(4),
      largest.toPrecision(4),
    ]),
  )
  const header = ['picture', 'output', 'type', 'shape', 'least', 'largest']
  return table(header, rows, ['left', 'left', 'left', 'left', 'right', 'right'], columns)
}
