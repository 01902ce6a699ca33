// Encoding `entropy` once more, written from docs/ttq-format.md alone and as plainly as it goes: every context counted
// anew, numbers without end. It shares nothing with src/packed.
import { join, u16, u32 } from './packed-files.js'

export interface ReferenceModel {
  zeros: readonly number[]
  signs: readonly number[]
}

interface Shape {
  rows: number
  columns: number
  height: number
  width: number
}

function shapeOf(dims: readonly number[]): Shape {
  const product = (values: readonly number[]): number => values.reduce((all, each) => all * each, 1)
  if (dims.length < 2) return { rows: 1, columns: product(dims), height: 1, width: 1 }
  return { rows: dims[0]!, columns: dims[1]!, height: dims[2] ?? 1, width: product(dims.slice(3)) }
}

/** The rows that are coded side by side, group by group. */
function groupsOf({ rows, columns, height, width }: Shape): number[][] {
  const lanes = lanesOf(rows, rows * columns * height * width)
  const groups: number[][] = []
  for (let row = 0; row < rows;) {
    const count = rows - row >= lanes ? lanes : 1
    groups.push(Array.from({ length: count }, (_, i) => row + i))
    row += count
  }
  return groups
}

function lanesOf(rows: number, weights: number): number {
  return weights >= 65536 && rows >= 8 ? 8 : 1
}

/** Context of each weight, in the order of the elements. */
export function referenceContexts(codes: Int8Array, dims: readonly number[]): number[] {
  const shape = shapeOf(dims)
  const { columns, height, width } = shape
  const at = (row: number, column: number, y: number, x: number): number =>
    ((row * columns + column) * height + y) * width + x
  const bits = (row: number, column: number, y: number, x: number): number =>
    column < 0 || y < 0 || x < 0 ? 0b10 : codes[at(row, column, y, x)]! & 0b11
  const contexts: number[] = []
  for (const group of groupsOf(shape)) {
    const before = group[0]!
    const ofColumn = Array.from({ length: columns }, (_, column) => {
      let count = 0
      for (let row = 0; row < before; row++)
        for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (codes[at(row, column, y, x)] !== 0) count++
      return count
    })
    const all = ofColumn.reduce((sum, count) => sum + count, 0)
    const busy = ofColumn.map((count) => {
      if (before * height * width < 16) return 0
      // How many times the mean: below 0.6, 0.85, 1.15, 1.35 or above, and 20 times that, so that nothing is rounded.
      return [12, 17, 23, 27].filter((bound) => columns * count * 20 >= bound * all).length + 1
    })
    for (const row of group) {
      for (let column = 0; column < columns; column++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const isMatrix = height * width === 1
            const left = isMatrix ? bits(row, column - 1, 0, 0) : bits(row, column, y, x - 1)
            const above = isMatrix ? bits(row, column - 2, 0, 0) : bits(row, column, y - 1, x)
            contexts[at(row, column, y, x)] = 16 * busy[column]! + 4 * left + above
          }
        }
      }
    }
  }
  return contexts
}

/** Start and length of a code's interval, out of 4096. */
function intervalOf(code: number, context: number, { zeros, signs }: ReferenceModel): [bigint, bigint] {
  const zero = 16 * zeros[context]!
  const plus = 1 + Math.floor(((4096 - zero - 2) * signs[context % 16]!) / 256)
  if (code === 0) return [0n, BigInt(zero)]
  return code === 1 ? [BigInt(zero), BigInt(plus)] : [BigInt(zero + plus), BigInt(4096 - zero - plus)]
}

/** The bytes of a tensor's codes. */
export function referenceStream(codes: Int8Array, dims: readonly number[], model: ReferenceModel): Uint8Array {
  if (codes.length === 0) return new Uint8Array()
  const shape = shapeOf(dims)
  const contexts = referenceContexts(codes, dims)
  const rowWeights = shape.columns * shape.height * shape.width
  const order = groupsOf(shape).flatMap((group) =>
    Array.from({ length: rowWeights }, (_, i) => i).flatMap((i) =>
      group.map((row, lane) => ({ lane, index: row * rowWeights + i })),
    ),
  )
  const states = Array.from({ length: lanesOf(shape.rows, codes.length) }, () => 2n ** 15n)
  const words: number[] = []
  for (const { lane, index } of order.reverse()) {
    const [start, length] = intervalOf(codes[index]!, contexts[index]!, model)
    let state = states[lane]!
    // The state after the code must stay below 2^31.
    if ((state / length) * 4096n + start + (state % length) >= 2n ** 31n) {
      words.unshift(Number(state % 65536n))
      state /= 65536n
    }
    states[lane] = (state / length) * 4096n + start + (state % length)
  }
  return join(...states.map((state) => u32(Number(state))), ...words.map(u16))
}
