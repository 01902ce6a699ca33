// What the format has to know of one way to store a tensor in order to write it and to tell of it. The list of them is
// encodings.ts.
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import type { TernaryCounts, TernaryWeights } from '../tensor/ternary.js'
import type { CodeModel } from './code-model.js'
import type { Decoding, StoredTensor } from './decoding.js'
import type { StoredForm } from './stored-form.js'
import type { PoolWidth } from './value-pool.js'

/**
 * One encoding of the format, both ways. Messages and models are as in Decoding. Law: decode of what encode wrote is
 * the tensor and the form, bit for bit.
 */
export interface Encoding<Form extends StoredForm = StoredForm> {
  /** How it is read. */
  readonly decoding: Decoding<Form>
  /** Bits per element beside parameters and scales; undefined where they are the element type's own, or differ. */
  readonly bits: number | undefined
  /** Whether its bytes are an array that can be used where it lies, and therefore start at a multiple of 64. */
  readonly isArray: boolean
  /** Bytes of an element, which are taken apart in the pool; 1 where there is nothing to gain. */
  readonly poolWidth: (type: DataType) => PoolWidth
  /** The parameters of a form, as many bytes as the decoding says. */
  readonly writeParameters: (form: Form) => Uint8Array
  /** Checks before writing that the form holds the tensor, which is of one of the types, without loss. */
  readonly check: (tensor: Tensor, form: Form, where: string) => void
  /** The bytes of a tensor that `check` let through. */
  readonly encode: (tensor: Tensor, form: Form, where: string, models: readonly CodeModel[]) => Uint8Array
  /** Scales and counts of a ternary tensor; undefined for encodings that are not ternary. */
  readonly summarize?: (
    tensor: StoredTensor,
    bytes: Uint8Array,
    where: string,
    models: readonly CodeModel[],
  ) => Omit<TernaryWeights, 'codes'> & TernaryCounts
}
