// Ternary matrices in the memory of WebAssembly, and products with them.
import { BYTES, type Product, GROUP, kernelModule, TABLES_END } from './table-kernel.js'
import { blockCount, blockedBytes, type MatrixShape } from './block-codes.js'

// Neither Node's types nor the language's know it, and pages' types would claim that there is a document.
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer }
  instantiate: (
    module: Uint8Array<ArrayBuffer>,
    imports: object,
  ) => Promise<{ instance: { exports: Readonly<Record<'rows1' | 'rows4', Product>> } }>
}

const PAGE = 2 ** 16

/** Rows that the kernel takes at once. */
const MOST_ROWS = 4

export interface TernaryMatrix extends MatrixShape {
  /** As blockCodes gives them. */
  blocked: Uint8Array
  /** What codes 1 and -1 stand for: wp and -wn, times a factor where there is one. */
  levels: readonly [positive: number, negative: number]
}

/** Where a matrix lies, in bytes. */
interface Placed {
  matrix: Omit<TernaryMatrix, 'blocked'>
  at: number
}

export class TernaryMatrices {
  private constructor(
    private readonly buffer: ArrayBuffer,
    private readonly products: Readonly<Record<'rows1' | 'rows4', Product>>,
    private readonly placed: readonly Placed[],
  ) {}

  /** Copies the matrices into a memory that holds them and one product at a time. */
  static async load(matrices: readonly TernaryMatrix[]): Promise<TernaryMatrices> {
    const inputsEnd = TABLES_END + Math.max(0, ...matrices.map(({ inputs }) => inputBytes(inputs, MOST_ROWS)))
    let end = inputsEnd + Math.max(0, ...matrices.map(({ outputs }) => 4 * MOST_ROWS * outputs))
    const placed = matrices.map(({ blocked, ...matrix }) => {
      const at = end
      end += blockedBytes(matrix)
      return { matrix, at, blocked }
    })
    const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE) })
    const bytes = new Uint8Array(memory.buffer)
    for (const { at, blocked } of placed) bytes.set(blocked, at)
    const { instance } = await WebAssembly.instantiate(kernelModule(), { env: { memory } })
    return new TernaryMatrices(
      memory.buffer,
      instance.exports,
      placed.map(({ matrix, at }) => ({ matrix, at })),
    )
  }

  /** The bytes that codes take. */
  get codeBytes(): number {
    return this.placed.reduce((sum, { matrix }) => sum + blockedBytes(matrix), 0)
  }

  /**
   * The product of rows of inputs with a matrix. Four rows take about as long as one.
   * @param index of the matrix
   * @param x [rows, inputs]
   * @returns [rows, outputs]
   */
  multiply(index: number, x: Float32Array): Float32Array {
    const { matrix, at } = this.placed[index] as Placed
    const { inputs, outputs } = matrix
    const rows = x.length / inputs
    const result = new Float32Array(rows * outputs)
    for (let row = 0; row < rows; row += MOST_ROWS) {
      const some = Math.min(MOST_ROWS, rows - row)
      const from = x.subarray(row * inputs, (row + some) * inputs)
      this.multiplySome(matrix, at, from, result.subarray(row * outputs, (row + some) * outputs))
    }
    return result
  }

  // One to four rows; rows that are missing to four are zeros.
  private multiplySome(
    { inputs, outputs, levels }: Placed['matrix'],
    at: number,
    x: Float32Array,
    result: Float32Array,
  ): void {
    const lanes = x.length > inputs ? MOST_ROWS : 1
    const from = new Float32Array(this.buffer, TABLES_END, inputBytes(inputs, lanes) / 4)
    const to = new Float32Array(this.buffer, from.byteOffset + from.byteLength, lanes * outputs)
    interleave(x, inputs, from.fill(0), lanes)
    to.fill(0)
    const product = lanes === 1 ? this.products.rows1 : this.products.rows4
    product(at, from.byteOffset, to.byteOffset, to.byteOffset + to.byteLength, blockCount(inputs), ...levels)
    for (let row = 0; row * outputs < result.length; row++)
      for (let i = 0; i < outputs; i++) result[row * outputs + i] = to[i * lanes + row] as number
  }
}

function inputBytes(inputs: number, rows: number): number {
  return 4 * rows * BYTES * GROUP * blockCount(inputs)
}

// Row r of x, `length` values, to every value of `target` whose place is r from a multiple of `lanes`.
function interleave(x: Float32Array, length: number, target: Float32Array, lanes: number): void {
  for (let row = 0; row * length < x.length; row++)
    for (let i = 0; i < length; i++) target[i * lanes + row] = x[row * length + i] as number
}
