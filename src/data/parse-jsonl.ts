// Lines of JSON, one object per sample: bytes in, arrays by the objects' keys out. No files here.
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { ArrayColumns } from './array-columns.js'
import { isLabelName } from './array-words.js'
import { decodeText, NO_TEXT } from './decode-text.js'
import { entriesOf } from './json-keys.js'
import type { StoredArray } from './stored-array.js'

const HINT =
  'each line is one sample: {"input_ids": [101, 7, 102], "label": 1} (docs/datasets.md#tables-and-lines-of-json)'

/**
 * Each key is an array: of numbers, true and false, lists of them, or texts. All lines have the same keys, and what
 * stands under one has the same shape in all; labels may be missing in all of them.
 * @param file how error messages name the source
 * @throws TtqError `data`: which line and key, what was found
 */
export function parseJsonl(bytes: Uint8Array, file: string): Map<string, StoredArray> {
  const columns = new ArrayColumns('line', HINT, isLabelName)
  const text = decodeText(bytes)
  if (text === undefined)
    throw new TtqError('data', `${file}: found ${NO_TEXT}`, { facts: { where: file }, hint: HINT })
  text.split('\n').forEach((line, i) => {
    const where = `${file}: line ${i + 1}`
    if (line.trim() !== '') columns.add(entriesOf(line, objectOf(line, where)), where)
  })
  return new Map([...columns.arrays()].map(([key, array]) => [key, { ...array, key }]))
}

function objectOf(line: string, where: string): object {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Said below.
  }
  const found = printable(line.slice(0, 40))
  throw new TtqError('data', `${where}: found "${found}", expected a JSON object`, { facts: { where }, hint: HINT })
}
