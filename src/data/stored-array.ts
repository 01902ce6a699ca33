// An array as it stands in a file.
import type { Tensor } from '../tensor/tensor.js'

export interface StoredArray extends Tensor {
  /** Its file, where messages can say more than the name of the data. */
  readonly file?: string
  /** What it is called in each line of its file, whose own name stands before it; absent where names have no lines. */
  readonly key?: string
  /** What the columns of a table are called, side by side along the last axis; absent where they have no names. */
  readonly columns?: readonly string[]
}
