// Tables that come in several files (train-0.csv, train-1.csv), as one.
import { TtqError } from '../errors/ttq-error.js'
import { elementCount } from '../tensor/tensor.js'
import { isLabelName, partNamed } from './array-words.js'
import { listTensor } from './list-tensor.js'
import { columnsOf, pairColumns } from './pair-columns.js'
import type { StoredArray } from './stored-array.js'

/** `train` of `train-00000-of-00002` or `train_1`; other names are what they are. */
export function withoutNumber(stem: string): string {
  const part = /^([a-z]+)[-_.]?\d+(?:-of-\d+)?$/i.exec(stem)?.[1]
  return part !== undefined && partNamed(part) !== undefined ? part : stem
}

/**
 * The rows of tables, one behind the other, their columns as the first one has them.
 * @param tables at least one, by the names of their arrays, which know their files
 * @throws TtqError `data` where they have not the same columns
 */
export function joinTables(tables: readonly ReadonlyMap<string, StoredArray>[]): ReadonlyMap<string, StoredArray> {
  const [first, ...others] = tables
  if (first === undefined) throw new Error('internal: no tables to join')
  if (others.length === 0) return first
  for (const table of others) checkLabels(table, first)
  for (const table of others) pairColumns([...table.keys()], [...first.keys()], fileOf(table), `in ${fileOf(first)}`)
  return new Map(
    [...first].map(([name, array]) => [
      name,
      joined(
        array,
        others.map((table) => table.get(name)),
      ),
    ]),
  )
}

// Whether there are labels is a matter of all files of a part.
function checkLabels(table: ReadonlyMap<string, StoredArray>, first: ReadonlyMap<string, StoredArray>): void {
  const [has, wanted] = [table, first].map((each) => [...each.keys()].some(isLabelName))
  if (has !== wanted)
    throw new TtqError(
      'data',
      `${fileOf(table)}: found ${has ? 'labels' : 'no labels'}, expected ${wanted ? 'some' : 'none'} as in ${fileOf(first)}`,
      { facts: { file: fileOf(table) }, hint: 'give all files of a part labels, or none' },
    )
}

function fileOf(table: ReadonlyMap<string, StoredArray>): string {
  return [...table.values()][0]?.file ?? ''
}

function joined(first: StoredArray, others: readonly (StoredArray | undefined)[]): StoredArray {
  const all = [first, ...others.flatMap((other) => (other === undefined ? [] : [alike(other, first)]))]
  const dims = [all.reduce((sum, each) => sum + (each.dims[0] ?? 0), 0), ...first.dims.slice(1)]
  if (first.type !== 'float32')
    return {
      ...first,
      ...listTensor(
        all.flatMap(({ data }) => Array.from(data as ArrayLike<number | string>)),
        dims,
      ),
    }
  const data = new Float32Array(elementCount(dims))
  let done = 0
  for (const each of all) {
    data.set(each.data as Float32Array, done)
    done += each.data.length
  }
  return { ...first, dims, data }
}

function alike(other: StoredArray, first: StoredArray): StoredArray {
  const [file, where] = [other.file ?? '', `in ${first.file ?? ''}`]
  const places = other.columns && first.columns && pairColumns(other.columns, first.columns, file, where)
  const shape = ({ dims }: StoredArray): string => `[${['N', ...dims.slice(1)].join(',')}]`
  if (shape(other) !== shape(first))
    throw new TtqError('data', `${file}: found shape ${shape(other)}, expected ${shape(first)} as ${where}`, {
      facts: { file },
      hint: 'files of one part have the same columns',
    })
  return places === undefined ? other : columnsOf(other, places)
}
