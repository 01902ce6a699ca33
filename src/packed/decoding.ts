// What the format has to know of one way to store a tensor in order to read it. The list of them is decodings.ts; how
// it is written is encoding.ts, which readers in browsers need not load.
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import type { CodeModel } from './code-model.js'
import type { StoredForm } from './stored-form.js'

/** What a table entry says of a tensor, beside its place. */
export interface StoredTensor {
  readonly type: DataType
  readonly dims: readonly number[]
  /** The encoding's parameters, as stored. */
  readonly parameters: Uint8Array
}

export interface Decoded<Form extends StoredForm = StoredForm> {
  /** Of ternary encodings made anew whenever it is asked for. */
  readonly tensor: Tensor
  readonly form: Form
}

/**
 * One encoding of the format: docs/ttq-format.md, "Encodings". `where` and `place` begin messages; everything that
 * checks throws TtqError `packed`. `models` are those of the file, which entropy-coded tensors name by their index.
 */
export interface Decoding<Form extends StoredForm = StoredForm> {
  /** In the table entry; never given a second meaning. */
  readonly id: number
  readonly name: Form['encoding']
  /** Element types that can be stored so. */
  readonly types: readonly DataType[]
  /** How many bytes of parameters a table entry has. */
  readonly parameterBytes: number
  /** Checks parameters of a file. */
  readonly checkParameters: (
    parameters: Uint8Array,
    dims: readonly number[],
    place: string,
    models: readonly CodeModel[],
  ) => void
  /** Bytes for a tensor whose parameters are checked; undefined where they depend on its values. */
  readonly byteLength: (tensor: StoredTensor) => number | undefined
  /** Reads what stands in a file, for a tensor of one of `types`; shares no memory with `bytes`. */
  readonly decode: (
    tensor: StoredTensor,
    bytes: Uint8Array,
    where: string,
    models: readonly CodeModel[],
  ) => Decoded<Form>
}
