// What is in a .ttq file, without decoding weights or reading the graph.
import { checkOptions } from '../errors/check-argument.js'
import type { ValueName } from '../onnx/model.js'
import type { DataType } from '../tensor/data-type.js'
import { type Container, readContainer } from './container.js'
import { decodingWithId, isKnown } from './decodings.js'
import { encodingOf } from './encodings.js'
import { DIGEST_BYTES, HEADER_BYTES, type TensorEntry } from './format.js'
import type { TernaryCounts } from '../tensor/ternary.js'
import type { UnpackOptions } from './unpack.js'

export interface PackedSummary {
  version: number
  fileBytes: number
  /**
   * Bytes of each section with the padding behind it; they sum up to fileBytes. The pool holds small tensors, deflated
   * together; version 1 has none.
   */
  sections: { header: number; directory: number; graph: number; pool: number; data: number; digest: number }
  graphInflatedBytes: number
  metadata: Readonly<Record<string, string>>
  /** The tensors of the table; smaller ones are inside the graph. */
  tensors: PackedTensorSummary[]
}

export interface PackedTensorSummary {
  name: string
  type: DataType
  dims: readonly number[]
  /** Its name in the format, as `raw` or `ternary2`, or `unknown (7)` for an encoding of a later ttq. */
  encoding: string
  /** As the encoding has them; those of the pool take less in the file. */
  bytes: number
  isPooled: boolean
  /** Bytes of the encoding's parameters (the scales of ternary2), which stand in the directory. */
  parameterBytes: number
  /** Of ternary encodings only. */
  ternary: ({ wp: number; wn: number } & TernaryCounts) | undefined
}

/**
 * Describes a file after all of readContainer's checks; codes are counted, and not kept. The graph section is not
 * inflated.
 * @throws TtqError `packed` as unpack, except for what only the graph section or an unknown encoding would show
 */
export function inspectPacked(bytes: Uint8Array, options: UnpackOptions = {}): PackedSummary {
  checkOptions(options)
  const { name = 'packed' } = options
  const container = readContainer(bytes, name)
  const { version, lengths, metadata, tensors } = container
  return {
    version,
    fileBytes: bytes.length,
    sections: sectionsOf(container),
    graphInflatedBytes: lengths.graph.inflated,
    metadata,
    tensors: tensors.map((entry) => summarize(entry, container, name)),
  }
}

function sectionsOf({ offsets, lengths }: Container): PackedSummary['sections'] {
  return {
    header: HEADER_BYTES,
    directory: offsets.graph - offsets.directory,
    graph: offsets.pool - offsets.graph,
    pool: offsets.data - offsets.pool,
    data: lengths.data,
    digest: DIGEST_BYTES,
  }
}

/** Bytes of each section of a file that was just written. */
export function sectionBytes(bytes: Uint8Array): PackedSummary['sections'] {
  return sectionsOf(readContainer(bytes, 'packed'))
}

/** How a tensor of the table is stored. */
export interface StoredSize {
  encoding: string
  /** As the encoding has them, parameters included. */
  bytes: number
}

/** The sizes of all tensors of the table, by name, without a look at their bytes. */
export function storedSizes(bytes: Uint8Array): Map<ValueName, StoredSize> {
  return new Map(
    readContainer(bytes, 'packed').tensors.map(({ name, encoding, length, parameters }) => {
      const stored = decodingWithId(encoding)?.name ?? `unknown (${encoding})`
      return [name, { encoding: stored, bytes: length + parameters.length }]
    }),
  )
}

function summarize(entry: TensorEntry, container: Container, file: string): PackedTensorSummary {
  const { name, type, dims, encoding: id, place, length, parameters } = entry
  const decoding = decodingWithId(id)
  const known = decoding !== undefined && isKnown(decoding, container.version) ? decoding : undefined
  const summary = known && encodingOf({ encoding: known.name }).summarize
  return {
    name,
    type,
    dims,
    encoding: known?.name ?? `unknown (${id})`,
    bytes: length,
    isPooled: typeof place === 'number',
    parameterBytes: parameters.length,
    ternary: summary?.(entry, container.bytesOf(entry), `${file}: tensor "${name}"`, container.models),
  }
}
