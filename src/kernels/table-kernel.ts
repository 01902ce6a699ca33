// The kernel: products of ternary matrices with rows of floats by tables of sums (the method of the four Russians:
// Arlazarov, Dinic, Kronrod, Faradzhev, 1970).
//
// Five codes make a byte (3^5 = 243), and there are only 243 sums that five inputs can give: a table of them is made
// once, and each output adds up what its bytes find there, one addition for five weights, no multiplication. With one
// row of inputs the tables hold floats; with four rows four floats, one per row, for which the same byte is looked up
// once: 4096x4096 on one thread of an AMD EPYC with AVX-512, Node 20, takes 1.0 ms for one row, 1.2 ms for four.
import { type Code, f32, f32x4, i32, local, loop, type WasmFunction, wasmModule } from './wasm-code.js'

/** Inputs whose codes make a byte. */
export const GROUP = 5

/**
 * Bytes of an output that lie together: as many tables as the first-level cache holds with four rows (32 kB). With 16,
 * one row takes 4 % less, and four rows 8 % more.
 */
export const BYTES = 8

/** Room for 243 sums, and for what a vector of four writes behind the last one. */
const TABLE_SUMS = 256

/** From here on, memory is the caller's. */
export const TABLES_END = 4 * 4 * TABLE_SUMS * BYTES

/** How many rows of inputs a product takes at once. */
export type Rows = 1 | 4

/**
 * Adds the product of one matrix and as many rows to the outputs; all places are bytes in the memory.
 * @param codes [blocks, outputs, BYTES] bytes: byte g is the sum of digit_j 3^j over its inputs GROUP g + j, a digit
 * being 0 for code 0, 1 for +1, 2 for -1
 * @param inputs [blocks, BYTES, GROUP, rows] floats
 * @param outputs [outputs, rows] floats
 * @param end behind the outputs
 */
export type Product = (
  codes: number,
  inputs: number,
  outputs: number,
  end: number,
  blocks: number,
  wp: number,
  minusWn: number,
) => void

/** The module's exports: `rows1` and `rows4`, each a Product. Imports `env.memory`. */
export function kernelModule(): Uint8Array<ArrayBuffer> {
  return wasmModule([product(1), product(4)])
}

const [CODES, INPUTS, OUTPUTS, END, BLOCKS, WP, MINUS_WN, TABLE, OUTPUT] = [0, 1, 2, 3, 4, 5, 6, 7, 8]
const [POSITIVE, NEGATIVE, FIRST_SUM] = [9, 10, 11]

function product(rows: Rows): WasmFunction {
  const bytes = 4 * rows
  const tableBytes = TABLE_SUMS * bytes
  const tables = loop(
    [...table(rows), step(INPUTS, GROUP * bytes), step(TABLE, tableBytes)],
    i32.lessUnsigned(local.get(TABLE), i32.const(BYTES * tableBytes)),
  )
  const outputs = loop(
    [...sums(rows), step(CODES, BYTES), step(OUTPUT, bytes)],
    i32.lessUnsigned(local.get(OUTPUT), local.get(END)),
  )
  const code = loop(
    [local.set(TABLE, i32.const(0)), tables, local.set(OUTPUT, local.get(OUTPUTS)), outputs, step(BLOCKS, -1)],
    local.get(BLOCKS),
  )
  const sum = rows === 1 ? 'f32' : 'v128'
  return {
    name: `rows${rows}`,
    parameters: ['i32', 'i32', 'i32', 'i32', 'i32', 'f32', 'f32'],
    locals: ['i32', 'i32', 'v128', 'v128', ...(Array.from({ length: SUMS }, () => sum) as ('f32' | 'v128')[])],
    code,
  }
}

function step(index: number, by: number): Code {
  return local.set(index, i32.add(local.get(index), i32.const(by)))
}

// The table of the group at INPUTS, at TABLE. Each input makes it three times as long: what is there (digit 0), the
// same and the input times wp (1), the same and the input times -wn (2). One row: four entries in a vector, which may
// write beyond a third; what it leaves there is overwritten by the next.
function table(rows: Rows): Code[] {
  const bytes = 4 * rows
  const perVector = 4 / rows
  const entry = local.get(TABLE)
  const code: Code[] = [f32x4.store(0, entry, f32x4.zero)]
  for (let input = 0, length = 1; input < GROUP; input++, length *= 3) {
    const value = (rows === 1 ? f32x4.loadSplat : f32x4.load)(input * bytes, local.get(INPUTS))
    code.push(local.set(POSITIVE, f32x4.mul(value, f32x4.splat(local.get(WP)))))
    code.push(local.set(NEGATIVE, f32x4.mul(value, f32x4.splat(local.get(MINUS_WN)))))
    for (const [third, weighed] of [POSITIVE, NEGATIVE].entries())
      for (let i = 0; i < length; i += perVector) {
        const sum = f32x4.add(f32x4.load(i * bytes, entry), local.get(weighed))
        code.push(f32x4.store(((third + 1) * length + i) * bytes, entry, sum))
      }
  }
  return code
}

/** Sums that do not wait for one another. */
const SUMS = 4

// What the bytes of one output find in the tables, added to it.
function sums(rows: Rows): Code[] {
  const { load, store, add } = rows === 1 ? f32 : f32x4
  const code: Code[] = []
  for (let byte = 0; byte < BYTES; byte++) {
    const sum = FIRST_SUM + (byte % SUMS)
    const index = i32.shl(i32.load8(byte, local.get(CODES)), i32.const(rows === 1 ? 2 : 4))
    const found = load(byte * TABLE_SUMS * 4 * rows, index)
    code.push(local.set(sum, byte < SUMS ? found : add(local.get(sum), found)))
  }
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => local.get(FIRST_SUM + i)) as [Code, Code, Code, Code]
  const all = add(add(a, b), add(c, d))
  return [...code, store(0, local.get(OUTPUT), add(load(0, local.get(OUTPUT)), all))]
}
