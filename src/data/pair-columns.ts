// Tables that belong together: their columns are paired by name, for files may have them in another order.
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Tensor } from '../tensor/tensor.js'

/** Names that a message lists. */
const LISTED = 5

/**
 * Where a table has the columns of another one; undefined where they stand in the same order.
 * @param file of the table, for messages
 * @param wanted the columns of the other one
 * @param who has those, for messages: `the training samples have`
 * @throws TtqError `data` where the tables have not the same columns
 */
export function pairColumns(
  columns: readonly string[],
  wanted: readonly string[],
  file: string,
  who: string,
): readonly number[] | undefined {
  if (columns.length === wanted.length && columns.every((column, place) => column === wanted[place])) return undefined
  const places = new Map(columns.map((column, place) => [column, place]))
  const known = new Set(wanted)
  const others = columns.filter((column) => !known.has(column))
  const missing = wanted.filter((column) => !places.has(column))
  const twice = [...columns.filter((column, place) => places.get(column) !== place), ...repeated(wanted)]
  if (others.length + missing.length + twice.length === 0) return wanted.map((column) => places.get(column) as number)
  const [found, expected] =
    others.length > 0
      ? [`columns ${listed(others)}`, missing.length > 0 ? listed(missing) : 'the same columns']
      : missing.length > 0
        ? [`no columns ${listed(missing)}`, 'the same columns']
        : [`columns ${listed(twice)} more than once, in another order`, 'the same columns']
  throw new TtqError('data', `${file}: found ${found}, expected ${expected} as ${who}`, {
    facts: { file, others, missing },
    hint: 'give all of them the same columns; their order does not matter',
  })
}

/** The columns of a table that are at these places, in this order. */
export function columnsOf({ type, dims, data }: Tensor, places: readonly number[]): Tensor {
  const rows = dims[0] ?? 0
  const target = data.slice() as unknown as { [index: number]: number | bigint }
  for (let row = 0, to = 0; row < rows; row++)
    for (const place of places)
      target[to++] = (data as unknown as ArrayLike<number | bigint>)[row * places.length + place] as number
  return { type, dims, data: target as unknown as Tensor['data'] }
}

function repeated(columns: readonly string[]): string[] {
  return columns.length === new Set(columns).size ? [] : columns.filter((each, at) => columns.indexOf(each) !== at)
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED).map((each) => `"${printable(each)}"`)
  return `${shown.join(', ')}${names.length > LISTED ? ' and so on' : ''}`
}
