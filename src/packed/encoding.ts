// What the format has to know of one way to store a tensor. The list of them is encodings.ts.
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import type { TernaryCounts, TernaryWeights } from '../tensor/ternary.js'
import type { CodeModel } from './code-model.js'
import type { StoredForm } from './stored-form.js'
import type { PoolWidth } from './value-pool.js'

/** What a table entry says of a tensor, beside its place. */
export interface StoredTensor {
  readonly type: DataType
  readonly dims: readonly number[]
  /** The encoding's parameters, as stored. */
  readonly parameters: Uint8Array
}

/**
 * One encoding of the format: docs/ttq-format.md, "Encodings". `where` and `place` begin messages; everything that
 * checks throws TtqError `packed`. `models` are those of the file, which entropy-coded tensors name by their index.
 * Law: decode of what encode wrote is the tensor and the form, bit for bit.
 */
export interface Encoding<Form extends StoredForm = StoredForm> {
  /** In the table entry; never given a second meaning. */
  readonly id: number
  readonly name: Form['encoding']
  /** Element types that can be stored so. */
  readonly types: readonly DataType[]
  /** Bits per element beside parameters and scales; undefined where they are the element type's own, or differ. */
  readonly bits: number | undefined
  /** How many bytes of parameters a table entry has. */
  readonly parameterBytes: number
  /** Whether its bytes are an array that can be used where it lies, and therefore start at a multiple of 64. */
  readonly isArray: boolean
  /** Bytes of an element, which are taken apart in the pool; 1 where there is nothing to gain. */
  readonly poolWidth: (type: DataType) => PoolWidth
  /** The parameters of a form, parameterBytes long. */
  readonly writeParameters: (form: Form) => Uint8Array
  /** Checks parameters of a file. */
  readonly checkParameters: (
    parameters: Uint8Array,
    dims: readonly number[],
    place: string,
    models: readonly CodeModel[],
  ) => void
  /** Bytes for a tensor whose parameters are checked; undefined where they depend on its values. */
  readonly byteLength: (tensor: StoredTensor) => number | undefined
  /** Checks before writing that the form holds the tensor, which is of one of `types`, without loss. */
  readonly check: (tensor: Tensor, form: Form, where: string) => void
  /** The bytes of a tensor that `check` let through. */
  readonly encode: (tensor: Tensor, form: Form, where: string, models: readonly CodeModel[]) => Uint8Array
  /** Reads what stands in a file, for a tensor of one of `types`; shares no memory with `bytes`. */
  readonly decode: (
    tensor: StoredTensor,
    bytes: Uint8Array,
    where: string,
    models: readonly CodeModel[],
  ) => { tensor: Tensor; form: Form }
  /** Scales and counts of a ternary tensor; undefined for encodings that are not ternary. */
  readonly summarize?: (
    tensor: StoredTensor,
    bytes: Uint8Array,
    where: string,
    models: readonly CodeModel[],
  ) => Omit<TernaryWeights, 'codes'> & TernaryCounts
}
