// Comma-separated tables: bytes in, arrays out: the features of each row as `x`, and its label, where a column is
// called so, as `y`. No files here.
import { CsvError, parse } from 'csv-parse/sync'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { float32 } from '../tensor/tensor.js'
import { isLabelWord } from './array-words.js'
import { decodeText, NO_TEXT } from './decode-text.js'
import { listTensor } from './list-tensor.js'
import { GIVE_LABELS, labelsGiven, shownMissing } from './missing-labels.js'
import { FILE_COLUMNS, laidOutPictures, namesPicture } from './picture-tables.js'
import type { StoredArray } from './stored-array.js'

const DELIMITERS = [',', ';', '\t', '|'] as const

/**
 * Reads a table with a header or without one. A first column that only counts the rows (pandas' index) is none, and so
 * is one of labels in which there is nothing.
 * @param file how error messages name the source
 * @throws TtqError `data`: which row and column, what was found
 */
export function parseCsv(bytes: Uint8Array, file: string): Map<string, StoredArray> {
  const rows = cellsOf(bytes, file)
  const [first = []] = rows
  const hasHeader = first.some((cell) => !isNumber(cell)) || onlyCounts(first)
  const names = hasHeader ? first : first.map((_, column) => `column ${column + 1}`)
  const body = hasHeader ? rows.slice(1) : rows
  if (body.length === 0) throw fault(file, `${rows.length} rows, expected a header and rows of numbers`)
  const labels = names.flatMap((name, column) => (hasHeader && isLabelWord(name.trim()) ? [column] : []))
  if (labels.length > 1)
    throw fault(
      file,
      `columns ${labels.map((column) => `"${printable(names[column] ?? '')}"`).join(', ')}, expected one of labels`,
    )
  const [label] = labels
  const isIndex = (column: number): boolean =>
    column === 0 && /^(unnamed: 0)?$/i.test(names[0] ?? '') && body.every((row, i) => Number(row[0]) === i)
  const features = names.flatMap((_, column) => (column === label || isIndex(column) ? [] : [column]))
  if (features.length === 0) throw fault(file, 'no columns of features, expected some beside the labels')
  const placeOf = (row: number, column: number): string =>
    `row ${row + 1 + Number(hasHeader)}, column "${printable(names[column] ?? '')}"`
  const values = new Float32Array(body.length * features.length)
  body.forEach((row, i) => {
    features.forEach((column, at) => {
      const cell = row[column] ?? ''
      if (!isNumber(cell)) {
        const found = cell.trim() === '' ? 'nothing' : `"${printable(cell)}"`
        const name = names[column] ?? ''
        const isPicture = namesPicture(cell) || (cell.trim() !== '' && FILE_COLUMNS.includes(name.trim().toLowerCase()))
        throw fault(
          file,
          `${found} in ${placeOf(i, column)}, expected a number`,
          isPicture ? laidOutPictures(file) : undefined,
        )
      }
      values[i * features.length + at] = Number(cell)
    })
  })
  const columns = hasHeader && { columns: features.map((column) => (names[column] ?? '').trim()) }
  const x: [string, StoredArray] = ['x', { ...float32([body.length, features.length], values), ...columns }]
  const cells = label === undefined ? [] : body.map((row) => row[label] ?? '')
  const given = labelsGiven(cells, (i) =>
    fault(
      file,
      `${shownMissing(cells[i])} in ${placeOf(i, label ?? 0)}, expected a label as other rows have`,
      GIVE_LABELS,
    ),
  )
  return new Map(label === undefined || given === undefined ? [x] : [x, ['y', listTensor(given.map(labelOf))]])
}

function cellsOf(bytes: Uint8Array, file: string): string[][] {
  const text = decodeText(bytes)
  if (text === undefined) throw fault(file, NO_TEXT)
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? ''
  const count = (delimiter: string): number => line.split(delimiter).length
  const delimiter = DELIMITERS.reduce(
    (most, each) => (count(each) > count(most) ? each : most),
    DELIMITERS[0] as string,
  )
  try {
    return parse(text, { delimiter, bom: true, skip_empty_lines: true })
  } catch (cause) {
    if (cause instanceof CsvError) throw fault(file, `no table: ${printable(cause.message)}`, undefined, cause)
    throw cause
  }
}

// What pandas writes over columns that have no names: 0,1,2,... Two numbers may be a sample's.
function onlyCounts(cells: readonly string[]): boolean {
  return cells.length > 2 && cells.every((cell, column) => cell === `${column}`)
}

function isNumber(cell: string): boolean {
  return cell.trim() !== '' && Number.isFinite(Number(cell))
}

function labelOf(cell: string): number | string {
  return isNumber(cell) ? Number(cell) : cell.trim()
}

const HINT =
  'a table has one row per sample: numbers, and a column called label (docs/datasets.md#tables-and-lines-of-json)'

function fault(file: string, problem: string, hint = HINT, cause?: unknown): TtqError {
  return new TtqError('data', `${file}: found ${problem}`, {
    facts: { file },
    hint,
    cause,
  })
}
