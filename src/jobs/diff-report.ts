// How two files of a network differ: plain data, schema `ttq-diff/1`.
export interface DiffReport {
  schema: 'ttq-diff/1'
  ttq: string
  before: DiffedFile
  after: DiffedFile
  /** Bytes that the second takes more than the first, percent of the first; negative where it is smaller. */
  growth: number
  /** The files are equal byte for byte. */
  sameBytes: boolean
  /** They compute the same: graph and tensors are equal bit for bit; how they are stored and metadata may differ. */
  sameNetwork: boolean
  /** What differs in the graph but its tensors, in words. */
  graph: readonly string[]
  /** Entries of the metadata that differ; null where a file has none of that name. */
  metadata: readonly { name: string; before: string | null; after: string | null }[]
  /**
   * Tensors that differ, and those that only one of the files has; in the order of the first file, the second's own
   * last.
   */
  tensors: readonly TensorDiff[]
  /** Tensors that both have and that are stored alike and equal bit for bit. */
  unchanged: number
  /** Ternary weights of both files, and those of them whose code (-, 0 or +) differs. */
  ternaryWeights: number
  changedCodes: number
  /** The bounds that were asked for and do not hold, in words. */
  broken: readonly string[]
}

export interface DiffedFile {
  name: string
  bytes: number
  /** Version of the packed format; null for an ONNX file. */
  version: number | null
}

export interface TensorDiff {
  /** In the first file, where that has it. */
  name: string
  /** null where that file has no such tensor. */
  before: DiffedTensor | null
  after: DiffedTensor | null
  /** Codes that differ, where both are ternary and of one shape; else null. */
  changedCodes: number | null
  /**
   * Root mean square of the differences, percent of the first tensor's own; null where types or shapes differ or the
   * values are no floating-point numbers.
   */
  distance: number | null
  /**
   * Of the weights of a layer: the same of weights times the factors of their channels behind the layer, which
   * compressing divides out of them. Else null.
   */
  layerDistance: number | null
}

export interface DiffedTensor {
  type: string
  dims: readonly number[]
  /** As the packed format calls it; null for an ONNX file. */
  encoding: string | null
  weights: number
  wp: number | null
  wn: number | null
}
