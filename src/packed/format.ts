// The constants of the .ttq format and the records its tables hold. The layout is docs/ttq-format.md.
import { checkBytes } from '../errors/check-argument.js'
import type { CodeModel } from './code-model.js'
import type { StoredTensor } from './decoding.js'
import type { PoolWidth } from './value-pool.js'

/**
 * As in PNG: a byte over 127, the name, both line ends and end-of-file, so that every text-mode transfer is seen at
 * once.
 */
export const MAGIC = Uint8Array.of(0x89, 0x54, 0x54, 0x51, 0x0d, 0x0a, 0x1a, 0x0a)

/** Whether these bytes begin like a .ttq file. @throws TtqError `usage` for what are no bytes */
export function isPacked(bytes: Uint8Array): boolean {
  checkBytes('file', bytes)
  return beginsLikePacked(bytes)
}

/** The same for what are bytes. */
export function beginsLikePacked(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte)
}

/** 1 is read only: its directory is not compressed, its sections are padded, and it has no pool. */
export type FormatVersion = 1 | 2

/** What is written. */
export const FORMAT_VERSION = 2

/** Arrays that can be mapped into memory start at multiples of this: a cache line, enough for every vector load. */
export const ALIGNMENT = 64

export const HEADER_BYTES = 64

/** SHA-256 of all bytes before it. */
export const DIGEST_BYTES = 32

/** A reader refuses what exceeds these before it allocates anything. */
export const LIMITS = {
  directoryBytes: 2 ** 26,
  graphInflatedBytes: 2 ** 28,
  poolInflatedBytes: 2 ** 28,
  /** The most that deflate can expand (258 bytes from 2 bits). https://www.zlib.net/zlib_tech.html */
  inflationRatio: 1032,
  rank: 32,
  /** Bytes that all tensors of a file may take in memory, per byte of the file (version 2). */
  memoryRatio: 64,
  models: 2 ** 16 - 1,
} as const

/** The next multiple of ALIGNMENT. */
export function align(position: number): number {
  return Math.ceil(position / ALIGNMENT) * ALIGNMENT
}

/**
 * Where a tensor's bytes lie: in the data section at the next multiple of 64 or right behind those before, or in the
 * pool, its elements of so many bytes taken apart.
 */
export type TensorPlace = 'aligned' | 'behind' | PoolWidth

/** One row of the tensor table. */
export interface TensorEntry extends StoredTensor {
  readonly name: string
  /** The id of its encoding, which this version of ttq may not know. */
  readonly encoding: number
  readonly place: TensorPlace
  /** Bytes from the start of the data section, or of the pool as it is once put together. */
  readonly offset: number
  readonly length: number
}

/** What stands in the directory. */
export interface Directory {
  metadata: Readonly<Record<string, string>>
  /** Of the entropy-coded tensors, which name them by their index. */
  models: readonly CodeModel[]
  /** In the order of their bytes. */
  tensors: readonly TensorEntry[]
}

/** A part of the file as it is stored, and inflated; both are the same where it is not deflated. */
export interface PartLength {
  readonly stored: number
  readonly inflated: number
}

/** Lengths in the fixed header, in bytes; every position follows from them. */
export interface SectionLengths {
  readonly directory: PartLength
  readonly graph: PartLength
  readonly pool: PartLength
  readonly data: number
}

/** Where sections start, in bytes from the start of the file. */
export interface SectionOffsets {
  readonly directory: number
  readonly graph: number
  readonly pool: number
  readonly data: number
  readonly digest: number
  readonly end: number
}

/** Where the sections of a file with these lengths start. Only version 1 pads them. */
export function sectionOffsets(
  version: FormatVersion,
  { directory, graph, pool, data }: SectionLengths,
): SectionOffsets {
  const next = version === 1 ? align : (position: number): number => position
  const graphAt = next(HEADER_BYTES + directory.stored)
  const poolAt = next(graphAt + graph.stored)
  const dataAt = poolAt + pool.stored
  const digest = dataAt + data
  return { directory: HEADER_BYTES, graph: graphAt, pool: poolAt, data: dataAt, digest, end: digest + DIGEST_BYTES }
}
