// Rows of named values, as lines of JSON and parquet give them, as arrays by those names.
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { listTensor } from './list-tensor.js'
import { GIVE_LABELS, isMissing, shownMissing } from './missing-labels.js'

interface Column {
  dims: readonly number[]
  values: (number | string)[]
}

/**
 * Collects rows that all have the same names, and under one name values of the same shape. Names of labels of which no
 * row has one are left out.
 */
export class ArrayColumns {
  private readonly columns = new Map<string, Column>()
  /** Labels that are missing, by name: of the first row without, and what is wrong with it where others have one. */
  private readonly missing = new Map<string, TtqError>()
  private rows = 0

  /**
   * @param unit how error messages call a row
   * @param hint what they advise
   * @param isLabel whether a name is one of labels
   */
  constructor(
    private readonly unit: 'line' | 'row',
    private readonly hint: string,
    private readonly isLabel: (name: string) => boolean,
  ) {}

  /**
   * @param row by their names, each once: numbers, true and false, lists of them, or texts
   * @param where how error messages call the row
   * @throws TtqError `data`: which row and name, what was found
   */
  add(row: readonly (readonly [name: string, value: unknown])[], where: string): void {
    for (const [name, value] of row) {
      const place = `${where}, "${printable(name)}"`
      if (this.isUnlabelled(name, value, place)) continue
      const dims = shapeOf(value)
      const column = this.rows === 0 ? { dims, values: [] } : this.columns.get(name)
      if (column === undefined) throw this.fault(place, `a key that ${this.unit}s before do not have`, this.sameKeys())
      this.columns.set(name, column)
      const shape = (each: readonly number[]): string => `[${each.join(',')}]`
      if (shape(dims) !== shape(column.dims))
        throw this.fault(
          place,
          `shape ${shape(dims)}`,
          `${shape(column.dims)} as in the first ${this.unit} (pad lists to one length)`,
        )
      this.append(value, column.values, place)
    }
    this.rows++
    const missing = [...this.columns].find(([, { dims, values }]) => values.length !== this.rows * elementCount(dims))
    if (missing !== undefined) throw this.fault(where, `no "${printable(missing[0])}"`, this.sameKeys())
  }

  // Whether rows so far, and this one, have no label of this name. Throws where some have one.
  private isUnlabelled(name: string, value: unknown, place: string): boolean {
    if (!this.isLabel(name)) return false
    const [isNone, known] = [isMissing(value), this.missing.get(name)]
    if (!isNone && known !== undefined) throw known
    if (!isNone) return false
    const expected = `a label as other ${this.unit}s have`
    const fault = known ?? this.fault(place, shownMissing(value), expected, GIVE_LABELS)
    if (this.columns.has(name)) throw fault
    this.missing.set(name, fault)
    return true
  }

  /** Each with the rows along its first axis. */
  arrays(): Map<string, Tensor> {
    return new Map(
      [...this.columns].map(([name, { dims, values }]) => [name, listTensor(values, [this.rows, ...dims])]),
    )
  }

  private append(value: unknown, to: (number | string)[], where: string): void {
    if (isList(value)) {
      const shape = shapeOf(value[0]).join()
      for (const each of Array.from(value)) {
        if (shapeOf(each).join() !== shape) throw this.fault(where, 'lists of different lengths', 'lists of one length')
        this.append(each, to, where)
      }
    } else if (typeof value === 'number' || typeof value === 'string') to.push(value)
    else if (typeof value === 'boolean') to.push(Number(value))
    else if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) to.push(Number(value))
    else throw this.fault(where, shown(value), 'a number, a text, or lists of numbers')
  }

  private sameKeys(): string {
    return `the same keys in all ${this.unit}s`
  }

  private fault(where: string, found: string, expected: string, hint = this.hint): TtqError {
    return new TtqError('data', `${where}: found ${found}, expected ${expected}`, { facts: { where }, hint })
  }
}

// By the first elements; `append` sees whether all are alike.
function shapeOf(value: unknown): number[] {
  return isList(value) ? [value.length, ...(value.length === 0 ? [] : shapeOf(value[0]))] : []
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'bigint') return `${value}`
  if (value instanceof Date) return `the date ${value.toISOString()}`
  return printable(JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}` : each))).slice(
    0,
    40,
  )
}
