// The file around the weights: header, directory, graph, pool, data section, digest. The header is header.ts; what the
// sections mean is pack.ts, unpack.ts.
import { sha256 } from '@noble/hashes/sha2.js'
import { checkBytes } from '../errors/check-argument.js'
import { dataViewOf, joined } from '../tensor/bytes.js'
import { byteCursor } from './byte-cursor.js'
import { deflated, inflated } from './deflated.js'
import { paddedDataBytes, readDirectory, writeDirectory } from './directory.js'
import {
  align,
  DIGEST_BYTES,
  type Directory,
  type FormatVersion,
  HEADER_BYTES,
  LIMITS,
  type PartLength,
  type SectionLengths,
  type SectionOffsets,
  sectionOffsets,
  type TensorEntry,
} from './format.js'
import { type Header, readHeader, writeHeader } from './header.js'
import { NONCONFORMING, packedError } from './packed-error.js'
import { joinPool, planesOf, type Pooled, type PoolWidth, splitPool } from './value-pool.js'

/** A whole file taken apart and checked, tensors not yet decoded; nothing is copied that need not be inflated. */
export interface Container extends Directory {
  version: FormatVersion
  lengths: SectionLengths
  offsets: SectionOffsets
  /** The network without its tensors, ONNX. */
  graph: () => Uint8Array
  /** What the encoding of a tensor of the table wrote. */
  bytesOf: (entry: TensorEntry) => Uint8Array
}

/** A tensor of a file to be, with its bytes. */
export interface StoredEntry extends Omit<TensorEntry, 'offset'> {
  bytes: Uint8Array
}

export interface ContainerParts extends Omit<Directory, 'tensors'> {
  tensors: readonly StoredEntry[]
  /** ONNX. */
  graph: Uint8Array
}

/** Puts a file of the current version together. */
export function writeContainer({ metadata, models, tensors, graph }: ContainerParts): Uint8Array {
  const directory = writeDirectory({ metadata, models, tensors: tensors.map((entry) => ({ ...entry, offset: 0 })) })
  if (directory.length > LIMITS.directoryBytes) {
    const hint = 'Give less metadata or shorter names.'
    throw packedError('packed: directory', `${directory.length} bytes`, `at most ${LIMITS.directoryBytes}`, hint)
  }
  const pooled = tensors.filter(isPooled)
  const planes = splitPool(joined(pooled.map(({ bytes }) => bytes)), pooled.map(pooledOf))
  const stored = { directory: deflated(directory), graph: deflated(graph), pool: poolSection(planes) }
  const dataAt = HEADER_BYTES + stored.directory.length + stored.graph.length + stored.pool.length
  let end = dataAt
  const placed = tensors
    .filter((entry) => !isPooled(entry))
    .map(({ place, bytes }) => {
      const start = place === 'aligned' ? align(end) : end
      end = start + bytes.length
      return { start, bytes }
    })
  const part = (bytes: Uint8Array, length: number): PartLength => ({ stored: bytes.length, inflated: length })
  const lengths = {
    directory: part(stored.directory, directory.length),
    graph: part(stored.graph, graph.length),
    pool: part(
      stored.pool,
      pooled.reduce((sum, { length }) => sum + length, 0),
    ),
    data: paddedDataBytes(end - dataAt, tensors, dataAt),
  }
  const digestAt = dataAt + lengths.data
  const file = new Uint8Array(digestAt + DIGEST_BYTES)
  writeHeader(file, { lengths, counts: { metadata: Object.keys(metadata).length, tensors: tensors.length } })
  file.set(joined([stored.directory, stored.graph, stored.pool]), HEADER_BYTES)
  for (const { start, bytes } of placed) file.set(bytes, start)
  file.set(sha256(file.subarray(0, digestAt)), digestAt)
  return file
}

// Each plane is a stream of its own, whose length stands before all of them: bytes of other statistics in one stream
// have a common code (of ResNet-20's pool, 285 of 4,517 bytes).
function poolSection(planes: readonly Uint8Array[]): Uint8Array {
  const streams = planes.map(deflated)
  const lengths = new Uint8Array(4 * streams.length)
  streams.forEach(({ length }, i) => {
    dataViewOf(lengths).setUint32(4 * i, length, true)
  })
  return joined([lengths, ...streams])
}

/** Whether its bytes lie in the pool. */
export function isPooled({ place }: Pick<TensorEntry, 'place'>): boolean {
  return typeof place === 'number'
}

function pooledOf({ place, length }: Omit<TensorEntry, 'offset'>): Pooled {
  return { width: place as PoolWidth, length }
}

/**
 * Takes a file apart: magic, version, length and digest first, then every length and range.
 * @throws TtqError `packed`; `usage` for what are no bytes
 */
export function readContainer(bytes: Uint8Array, name: string): Container {
  checkBytes(name, bytes)
  const front = readFront(bytes, readHeader(bytes, name), name)
  const { offsets, tensors, pooled } = front
  const data = bytes.subarray(offsets.data, offsets.digest)
  checkGaps(data, tensors, name)
  return { ...front, bytesOf: (entry) => (isPooled(entry) ? pooled : data).subarray(...rangeOf(entry)) }
}

/** What stands before the data section. */
export interface Front extends Omit<Container, 'bytesOf'> {
  /** The bytes of all tensors of the pool. */
  pooled: Uint8Array
}

/**
 * Reads the sections before the tensors' own bytes, and checks all that they say of these.
 * @param bytes the file, at least up to its data section
 * @throws TtqError `packed`
 */
export function readFront(bytes: Uint8Array, header: Header, name: string): Front {
  const { version, lengths, fileBytes } = header
  const offsets = sectionOffsets(version, lengths)
  const section = (start: number, { stored }: PartLength): Uint8Array => bytes.subarray(start, start + stored)
  const stored = section(offsets.directory, lengths.directory)
  const directory = readDirectory(
    version === 1 ? stored : inflated(stored, lengths.directory.inflated, `${name}: directory`),
    { ...header, dataAt: offsets.data, fileBytes },
    `${name}: directory`,
  )
  checkPadding(bytes.subarray(offsets.directory + stored.length, offsets.graph), `${name}: directory`)
  checkPadding(bytes.subarray(offsets.graph + lengths.graph.stored, offsets.pool), `${name}: graph section`)
  return {
    version,
    ...directory,
    lengths,
    offsets,
    graph: () => inflated(section(offsets.graph, lengths.graph), lengths.graph.inflated, `${name}: graph section`),
    pooled: pooledBytes(section(offsets.pool, lengths.pool), directory.tensors, `${name}: pool`),
  }
}

/** Where the bytes of a tensor lie in its section: start and end. */
export function rangeOf({ offset, length }: TensorEntry): [start: number, end: number] {
  return [offset, offset + length]
}

// Put together again.
function pooledBytes(stored: Uint8Array, tensors: readonly TensorEntry[], where: string): Uint8Array {
  const pooled = tensors.filter(isPooled).map(pooledOf)
  const planes = planesOf(pooled)
  const cursor = byteCursor(stored, where)
  const lengths = planes.map((_, i) => cursor.u32(`the length of plane ${i}`))
  const split = planes.map(({ length }, i) => {
    const stream = cursor.take(lengths[i] as number, `plane ${i}`)
    return inflated(stream, length, `${where}: plane ${i}`)
  })
  if (cursor.remaining() > 0)
    throw packedError(where, `${cursor.remaining()} bytes behind the last plane`, 'none', NONCONFORMING)
  return joinPool(split, pooled)
}

/**
 * The bytes between tensors, and behind the last one, are zeros.
 * @param data the whole data section @throws TtqError `packed`
 */
export function checkGaps(data: Uint8Array, tensors: readonly TensorEntry[], name: string): void {
  let end = 0
  let before = `${name}: data section`
  for (const entry of [...tensors, undefined]) {
    if (entry !== undefined && isPooled(entry)) continue
    checkPadding(data.subarray(end, entry?.offset ?? data.length), before)
    if (entry === undefined) return
    end = entry.offset + entry.length
    before = `${name}: tensor "${entry.name}"`
  }
}

function checkPadding(padding: Uint8Array, where: string): void {
  if (padding.some((byte) => byte !== 0))
    throw packedError(where, 'padding that is not zero', 'zeros up to the next multiple of 64', NONCONFORMING)
}
