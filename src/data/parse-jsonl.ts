// Lines of JSON, one object per sample: bytes in, arrays by the objects' keys out. No files here.
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { listTensor } from './list-tensor.js'

interface Column {
  dims: readonly number[]
  values: (number | string)[]
}

/**
 * Each key is an array: of numbers, true and false, lists of them, or texts. All lines have the same keys, and what
 * stands under one has the same shape in all.
 * @param file how error messages name the source
 * @throws TtqError `data`: which line and key, what was found
 */
export function parseJsonl(bytes: Uint8Array, file: string): Map<string, Tensor> {
  const columns = new Map<string, Column>()
  let samples = 0
  new TextDecoder()
    .decode(bytes)
    .split('\n')
    .forEach((line, i) => {
      if (line.trim() === '') return
      const where = `line ${i + 1}`
      const entries = Object.entries(objectOf(line, `${file}: ${where}`))
      for (const [key, value] of entries) {
        const dims = shapeOf(value)
        const place = `${file}: ${where}, "${printable(key)}"`
        const column = samples === 0 ? { dims, values: [] } : columns.get(key)
        if (column === undefined)
          throw fault(place, 'a key that lines before do not have', 'the same keys in all lines')
        columns.set(key, column)
        const shape = (each: readonly number[]): string => `[${each.join(',')}]`
        if (shape(dims) !== shape(column.dims))
          throw fault(
            place,
            `shape ${shape(dims)}`,
            `${shape(column.dims)} as in the first line (pad lists to one length)`,
          )
        append(value, column.values, place)
      }
      samples++
      const missing = [...columns].find(([, { dims, values }]) => values.length !== samples * elementCount(dims))
      if (missing !== undefined)
        throw fault(`${file}: ${where}`, `no "${printable(missing[0])}"`, 'the same keys in all lines')
    })
  return new Map([...columns].map(([key, { dims, values }]) => [key, listTensor(values, [samples, ...dims])]))
}

function objectOf(line: string, where: string): object {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Said below.
  }
  throw fault(where, `"${printable(line.slice(0, 40))}"`, 'a JSON object')
}

// By the first elements; `append` sees whether all are alike.
function shapeOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...(value.length === 0 ? [] : shapeOf(value[0]))] : []
}

function append(value: unknown, to: (number | string)[], where: string): void {
  if (Array.isArray(value)) {
    const shape = shapeOf(value[0]).join()
    for (const each of value) {
      if (shapeOf(each).join() !== shape) throw fault(where, 'lists of different lengths', 'lists of one length')
      append(each, to, where)
    }
  } else if (typeof value === 'number' || typeof value === 'string') to.push(value)
  else if (typeof value === 'boolean') to.push(Number(value))
  else throw fault(where, JSON.stringify(value).slice(0, 40), 'a number, a text, or lists of numbers')
}

function fault(where: string, found: string, expected: string): TtqError {
  return new TtqError('data', `${where}: found ${found}, expected ${expected}`, {
    facts: { where },
    hint: 'each line is one sample: {"input_ids": [101, 7, 102], "label": 1} (docs/datasets.md#tables-and-lines-of-json)',
  })
}
