// Ternary codes <-> about as many bits as they are worth (encoding entropy): interleaved range asymmetric numeral
// systems (J. Duda, arXiv:1311.2540) with the probabilities of a CodeModel. Scales and values are entropy-encoding.ts.
//
// A state is a number from 2^15 to 2^31 - 1; each code takes its interval out of it, and 16 bits come in when it gets
// below 2^15. Large tensors have eight states, one per row of a group of eight, whose dependencies the processor works
// off side by side: on one core of an EPYC 9004 that others used as well, this loop reads 43, 50 and 75 million
// weights/s with 2, 4 and 8 states and no more with 16; an adaptive binary range coder with the same contexts 11 to 16
// million, for the sake of 0.3 % fewer bytes.
import { elementCount } from '../tensor/tensor.js'
import { type CodeModel, FREQUENCY_BITS, intervals, TABLE_STEP } from './code-model.js'
import { NONCONFORMING, packedError } from './packed-error.js'

/** Tensors of at least this many weights are read in groups of rows, if they have as many. */
const GROUPED_WEIGHTS = 2 ** 16
const GROUP = 8

/** States are at least this, and less than 2^16 times this. */
const LOWEST = 2 ** 15

const SLOTS = 2 ** FREQUENCY_BITS - 1

/** The two bits of a code that is not there. */
const NONE = 2

/** How a tensor is walked: rows of columns of kernels. */
interface Walk {
  rows: number
  columns: number
  /** Width of a kernel, and how many weights it has. */
  width: number
  kernel: number
  /** Weights of a row. */
  rowWeights: number
  /** States, and rows of a group. */
  lanes: number
}

function walkOf(dims: readonly number[]): Walk {
  const weights = elementCount(dims)
  const [rows, columns] = dims.length < 2 ? [1, weights] : (dims as [number, number])
  const kernel = elementCount(dims.slice(2))
  const width = elementCount(dims.slice(3))
  const lanes = weights >= GROUPED_WEIGHTS && rows >= GROUP ? GROUP : 1
  return { rows, columns, width, kernel, rowWeights: columns * kernel, lanes }
}

/** What was met in the rows so far: how many weights of each column are not zero. */
class Columns {
  private readonly counts: Int32Array
  /** 16 x how busy each column is. */
  readonly busy: Uint8Array
  private total = 0

  constructor(private readonly walk: Walk) {
    const needed = walk.rows > walk.lanes ? walk.columns : 0
    this.counts = new Int32Array(needed)
    this.busy = new Uint8Array(needed)
  }

  /** Takes in the rows from `first` on. */
  add(codes: Int8Array, first: number, rows: number): void {
    const { rows: all, rowWeights, kernel } = this.walk
    if (first + rows >= all) return
    for (let row = first; row < first + rows; row++) {
      let i = row * rowWeights
      for (let column = 0; column < this.counts.length; column++) {
        let count = 0
        for (const end = i + kernel; i < end; i++) count += (codes[i] as number) & 1
        this.counts[column]! += count
        this.total += count
      }
    }
    if ((first + rows) * kernel < FEWEST_SEEN) return
    for (let column = 0; column < this.counts.length; column++)
      this.busy[column] = 16 * busyOf(this.counts[column] as number, this.counts.length, this.total)
  }
}

/** Weights of a column below which nothing is said of it. */
const FEWEST_SEEN = 16

// 1 to 5: below 0.6, 0.85, 1.15, 1.35 times the mean of all columns, or above.
function busyOf(count: number, columns: number, total: number): number {
  const weighted = 20 * columns * count
  if (weighted < 12 * total) return 1
  if (weighted < 17 * total) return 2
  if (weighted < 23 * total) return 3
  return weighted < 27 * total ? 4 : 5
}

// Groups of rows that are read side by side, in order: `lanes` while there are as many, then one by one.
function* groupsOf({ rows, lanes }: Walk): Generator<{ first: number; count: number }> {
  for (let first = 0; first < rows;) {
    const count = first + lanes <= rows ? lanes : 1
    yield { first, count }
    first += count
  }
}

/** The context of each code. */
export function contextsOf(codes: Int8Array, dims: readonly number[]): Uint8Array {
  const walk = walkOf(dims)
  const contexts = new Uint8Array(codes.length)
  if (codes.length === 0) return contexts
  const { columns, kernel, width, rowWeights } = walk
  const seen = new Columns(walk)
  const isMatrix = kernel === 1
  for (const { first, count } of groupsOf(walk)) {
    let i = first * rowWeights
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < columns; column++) {
        const busy = seen.busy[column] ?? 0
        for (let at = 0, x = 0; at < kernel; at++, i++) {
          const left = isMatrix ? (column > 0 ? 1 : 0) : x > 0 ? 1 : 0
          const above = isMatrix ? (column > 1 ? 2 : 0) : at >= width ? width : 0
          contexts[i] =
            busy +
            4 * (left === 0 ? NONE : (codes[i - left] as number) & 3) +
            (above === 0 ? NONE : (codes[i - above] as number) & 3)
          x = x + 1 === width ? 0 : x + 1
        }
      }
    }
    seen.add(codes, first, count)
  }
  return contexts
}

/** Bytes that codes of so many bits take at least: with the states that they start from. */
export function leastEntropyBytes(dims: readonly number[], bits: number): number {
  return elementCount(dims) === 0 ? 0 : bits / 8 + 2 * walkOf(dims).lanes
}

/** Codes as a stream: the states, then 16 bits at a time. @param contexts those of contextsOf */
export function encodeEntropy(
  codes: Int8Array,
  dims: readonly number[],
  contexts: Uint8Array,
  model: CodeModel,
): Uint8Array {
  const walk = walkOf(dims)
  if (codes.length === 0) return new Uint8Array()
  const { lanes, rowWeights } = walk
  const table = intervals(model)
  // No code takes more than 12 bits. Words are written from the end, as the reader takes them from the start.
  const words = new Uint16Array(Math.ceil((codes.length * FREQUENCY_BITS) / 16) + 3 * lanes)
  let start = words.length
  const states = new Int32Array(lanes).fill(LOWEST)
  for (const { first, count } of [...groupsOf(walk)].reverse()) {
    for (let at = rowWeights - 1; at >= 0; at--) {
      for (let lane = count - 1; lane >= 0; lane--) {
        const i = (first + lane) * rowWeights + at
        const bits = (codes[i] as number) & 3
        const entry = TABLE_STEP * (contexts[i] as number) + bits - (bits >> 1)
        const length = table[entry + 4] as number
        let state = states[lane] as number
        // Else it would get beyond 2^31.
        if (state >>> (31 - FREQUENCY_BITS) >= length) {
          words[--start] = state & 0xffff
          state >>>= 16
        }
        const quotient = (state / length) | 0
        states[lane] = (quotient << FREQUENCY_BITS) + state - quotient * length + (table[entry] as number)
      }
    }
  }
  for (let lane = lanes - 1; lane >= 0; lane--) {
    words[--start] = (states[lane] as number) >>> 16
    words[--start] = (states[lane] as number) & 0xffff
  }
  return littleEndian(words.subarray(start))
}

function littleEndian(words: Uint16Array): Uint8Array {
  return new Uint8Array(words.slice().buffer)
}

/**
 * Reads the codes of a tensor. Law: decodeEntropy of what encodeEntropy wrote is the codes.
 * @throws TtqError `packed` for a stream that does not end where it should, in the states that writing starts from
 */
export function decodeEntropy(bytes: Uint8Array, dims: readonly number[], model: CodeModel, where: string): Int8Array {
  const walk = walkOf(dims)
  const codes = new Int8Array(elementCount(dims))
  if (codes.length === 0) {
    if (bytes.length > 0) throw packedError(where, `${bytes.length} bytes`, 'none for no weights', NONCONFORMING)
    return codes
  }
  const { lanes } = walk
  if (bytes.length < 4 * lanes || bytes.length % 2 !== 0)
    throw packedError(where, `${bytes.length} bytes`, `an even number, at least ${4 * lanes}`, NONCONFORMING)
  // Copied, for words lie at any place; not by slice, which of a Buffer is no copy.
  const reader = { words: new Uint16Array(new Uint8Array(bytes).buffer), at: 2 * lanes, states: new Int32Array(lanes) }
  for (let lane = 0; lane < lanes; lane++) {
    const state = ((reader.words[2 * lane] as number) | ((reader.words[2 * lane + 1] as number) << 16)) >>> 0
    if (state < LOWEST || state >= LOWEST * 2 ** 16)
      throw packedError(where, `state ${state}`, `${LOWEST} to ${LOWEST * 2 ** 16 - 1}`, NONCONFORMING)
    reader.states[lane] = state
  }
  const seen = new Columns(walk)
  const table = intervals(model)
  for (const { first, count } of groupsOf(walk)) {
    readGroup(reader, codes, first, count, walk, table, seen.busy)
    if (reader.at > reader.words.length) {
      const found = `${bytes.length} bytes that end before weight ${(first + count) * walk.rowWeights}`
      throw packedError(where, found, `${codes.length} weights in them`, NONCONFORMING)
    }
    seen.add(codes, first, count)
  }
  if (reader.at < reader.words.length) {
    const found = `${2 * (reader.words.length - reader.at)} bytes behind the last weight`
    throw packedError(where, found, 'none', NONCONFORMING)
  }
  const wrong = reader.states.find((state) => state !== LOWEST)
  if (wrong !== undefined) throw packedError(where, `state ${wrong} at the end`, `${LOWEST}`, NONCONFORMING)
  return codes
}

interface Reader {
  words: Uint16Array
  at: number
  states: Int32Array
}

// One weight of each row, then the next of each.
function readGroup(
  reader: Reader,
  codes: Int8Array,
  first: number,
  rows: number,
  { columns, kernel, width, rowWeights }: Walk,
  table: Int32Array,
  busy: Uint8Array,
): void {
  const { words, states } = reader
  const isMatrix = kernel === 1
  const hasBusy = busy.length > 0
  let at = reader.at
  let start = first * rowWeights
  for (let column = 0; column < columns; column++) {
    const ofColumn = hasBusy ? (busy[column] as number) : 0
    for (let inKernel = 0, x = 0; inKernel < kernel; inKernel++, start++) {
      const left = isMatrix ? (column > 0 ? 1 : 0) : x > 0 ? 1 : 0
      const above = isMatrix ? (column > 1 ? 2 : 0) : inKernel >= width ? width : 0
      x = x + 1 === width ? 0 : x + 1
      for (let row = 0, i = start; row < rows; row++, i += rowWeights) {
        const context =
          ofColumn +
          4 * (left === 0 ? NONE : (codes[i - left] as number) & 3) +
          (above === 0 ? NONE : (codes[i - above] as number) & 3)
        const entry = TABLE_STEP * context
        let state = states[row] as number
        const slot = state & SLOTS
        // 0, 1 or 2: how many of the other intervals' starts are not above the slot. Without a branch that is guessed
        // wrong every other time.
        const symbol =
          (((table[entry + 1] as number) - 1 - slot) >>> 31) + (((table[entry + 2] as number) - 1 - slot) >>> 31)
        state =
          Math.imul(table[entry + 4 + symbol] as number, state >> FREQUENCY_BITS) +
          slot -
          (table[entry + symbol] as number)
        if (state < LOWEST) state = (state << 16) | (words[at++] as number)
        states[row] = state
        codes[i] = (symbol & 1) - (symbol >> 1)
      }
    }
  }
  reader.at = at
}
