// The constants of the .ttq format, version 1, and the records its tables hold. The layout is docs/ttq-format.md.
import { checkBytes } from '../errors/check-argument.js'
import type { StoredTensor } from './encoding.js'

/**
 * As in PNG: a byte over 127, the name, both line ends and end-of-file, so that every text-mode transfer is seen at
 * once.
 */
export const MAGIC = Uint8Array.of(0x89, 0x54, 0x54, 0x51, 0x0d, 0x0a, 0x1a, 0x0a)

/** Whether these bytes begin like a .ttq file. @throws TtqError `usage` for what are no bytes */
export function isPacked(bytes: Uint8Array): boolean {
  checkBytes('file', bytes)
  return MAGIC.every((byte, i) => bytes[i] === byte)
}

export const FORMAT_VERSION = 1

/** Sections and tensors start at multiples of this many bytes: a cache line, and enough for every vector load. */
export const ALIGNMENT = 64

export const HEADER_BYTES = 64

/** SHA-256 of all bytes before it. */
export const DIGEST_BYTES = 32

/** A reader refuses what exceeds these before it allocates anything. */
export const LIMITS = {
  directoryBytes: 2 ** 26,
  graphInflatedBytes: 2 ** 28,
  /** The most that deflate can expand (258 bytes from 2 bits). https://www.zlib.net/zlib_tech.html */
  inflationRatio: 1032,
  rank: 32,
} as const

/** The next multiple of ALIGNMENT. */
export function align(position: number): number {
  return Math.ceil(position / ALIGNMENT) * ALIGNMENT
}

/** One row of the tensor table. */
export interface TensorEntry extends StoredTensor {
  readonly name: string
  /** The id of its encoding, which this version of ttq may not know. */
  readonly encoding: number
  /** Bytes from the start of the data section. */
  readonly offset: number
  readonly length: number
}

/** Lengths in the fixed header, in bytes; every position follows from them. */
export interface SectionLengths {
  readonly directory: number
  /** As stored (deflated). */
  readonly graph: number
  readonly graphInflated: number
  readonly data: number
}

/** Where the sections of a file with these lengths start, in bytes from the start of the file. */
export function sectionOffsets(lengths: SectionLengths): {
  directory: number
  graph: number
  data: number
  digest: number
  end: number
} {
  const graph = align(HEADER_BYTES + lengths.directory)
  const data = align(graph + lengths.graph)
  const digest = data + lengths.data
  return { directory: HEADER_BYTES, graph, data, digest, end: digest + DIGEST_BYTES }
}
