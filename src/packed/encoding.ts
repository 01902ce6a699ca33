// What the format has to know of one way to store a tensor. The list of them is encodings.ts.
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { StoredForm } from './stored-form.js'
import type { TernaryCounts } from './ternary-codec.js'

/** What a table entry says of a tensor, beside its place. */
export interface StoredTensor {
  readonly type: DataType
  readonly dims: readonly number[]
  /** The encoding's parameters, as stored. */
  readonly parameters: Uint8Array
}

/**
 * One encoding of the format: docs/ttq-format.md, "Encodings". `where` and `place` begin messages; everything that
 * checks throws TtqError `packed`.
 * Law: decode of what encode wrote is the tensor and the form, bit for bit.
 */
export interface Encoding<Form extends StoredForm = StoredForm> {
  /** In the table entry; never given a second meaning. */
  readonly id: number
  readonly name: Form['encoding']
  /** Element types that can be stored so. */
  readonly types: readonly DataType[]
  /** Bits per element beside parameters and scales; undefined where they are the element type's own. */
  readonly bits: number | undefined
  /** How many bytes of parameters a table entry has. */
  readonly parameterBytes: number
  /** The parameters of a form, parameterBytes long. */
  readonly writeParameters: (form: Form) => Uint8Array
  /** Checks parameters of a file. */
  readonly checkParameters: (parameters: Uint8Array, dims: readonly number[], place: string) => void
  /** Bytes in the data section, for a tensor whose parameters are checked. */
  readonly byteLength: (tensor: StoredTensor) => number
  /** Checks before writing that the form holds the tensor, which is of one of `types`, without loss. */
  readonly check: (tensor: Tensor, form: Form, where: string) => void
  /** Writes a tensor that `check` let through; `target` is byteLength long and all zero. */
  readonly encode: (tensor: Tensor, form: Form, target: Uint8Array, where: string) => void
  /** Reads what stands in a file, for a tensor of one of `types`; shares no memory with `bytes`. */
  readonly decode: (tensor: StoredTensor, bytes: Uint8Array, where: string) => { tensor: Tensor; form: Form }
  /** Scales and counts of a ternary tensor, without decoding it; undefined for encodings that are not ternary. */
  readonly summarize?: (
    tensor: StoredTensor,
    bytes: Uint8Array,
    where: string,
  ) => Omit<TernaryWeights, 'codes'> & TernaryCounts
}
