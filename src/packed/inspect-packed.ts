// What is in a .ttq file, without decoding weights or reading the graph.
import type { DataType } from '../tensor/data-type.js'
import { type Container, readContainer } from './container.js'
import { encodingWithId } from './encodings.js'
import { DIGEST_BYTES, FORMAT_VERSION, HEADER_BYTES, sectionOffsets, type TensorEntry } from './format.js'
import type { TernaryCounts } from './ternary-codec.js'
import type { UnpackOptions } from './unpack.js'

export interface PackedSummary {
  version: number
  fileBytes: number
  /** Bytes of each section with the padding behind it; they sum up to fileBytes. */
  sections: { header: number; directory: number; graph: number; data: number; digest: number }
  graphInflatedBytes: number
  metadata: Readonly<Record<string, string>>
  /** The tensors of the data section; smaller ones are inside the graph. */
  tensors: PackedTensorSummary[]
}

export interface PackedTensorSummary {
  name: string
  type: DataType
  dims: readonly number[]
  /** `raw`, `ternary2`, `float16`, `int8`, or `unknown (7)` for an encoding of a later ttq. */
  encoding: string
  bytes: number
  /** Bytes of the encoding's parameters (the scales of ternary2), which stand in the directory. */
  parameterBytes: number
  /** Of ternary encodings only. */
  ternary: ({ wp: number; wn: number } & TernaryCounts) | undefined
}

/**
 * Describes a file after all of readContainer's checks; codes are counted, not decoded. The graph section is not
 * inflated.
 * @throws TtqError `packed` as unpack, except for what only the graph section or an unknown encoding would show
 */
export function inspectPacked(bytes: Uint8Array, { name = 'packed' }: UnpackOptions = {}): PackedSummary {
  const container = readContainer(bytes, name)
  const { lengths, metadata, tensors } = container
  const offsets = sectionOffsets(lengths)
  const sections = {
    header: HEADER_BYTES,
    directory: offsets.graph - offsets.directory,
    graph: offsets.data - offsets.graph,
    data: lengths.data,
    digest: DIGEST_BYTES,
  }
  return {
    version: FORMAT_VERSION,
    fileBytes: bytes.length,
    sections,
    graphInflatedBytes: lengths.graphInflated,
    metadata,
    tensors: tensors.map((entry) => summarize(entry, container, name)),
  }
}

function summarize(entry: TensorEntry, { data }: Container, file: string): PackedTensorSummary {
  const { name, type, dims, encoding: id, offset, length, parameters } = entry
  const encoding = encodingWithId(id)
  return {
    name,
    type,
    dims,
    encoding: encoding?.name ?? `unknown (${id})`,
    bytes: length,
    parameterBytes: parameters.length,
    ternary: encoding?.summarize?.(entry, data.subarray(offset, offset + length), `${file}: tensor "${name}"`),
  }
}
