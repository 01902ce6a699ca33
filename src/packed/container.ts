// The file around the weights: header, directory, graph section, data section, digest. What the sections mean is
// pack.ts, unpack.ts.
import { sha256 } from '@noble/hashes/sha2.js'
import { checkBytes } from '../errors/check-argument.js'
import { dataViewOf } from '../tensor/bytes.js'
import { type Directory, readDirectory, writeDirectory } from './directory.js'
import {
  ALIGNMENT,
  DIGEST_BYTES,
  FORMAT_VERSION,
  HEADER_BYTES,
  isPacked,
  LIMITS,
  MAGIC,
  sectionOffsets,
  type SectionLengths,
  type TensorEntry,
} from './format.js'
import { DAMAGED, NONCONFORMING, packedError, TOO_NEW } from './packed-error.js'

/** A whole file taken apart and checked, tensor bytes not yet decoded; all byte arrays are views of the file. */
export interface Container extends Directory {
  lengths: SectionLengths
  /** Deflated. */
  graph: Uint8Array
  data: Uint8Array
}

export interface ContainerParts extends Directory {
  /** Deflated. */
  graph: Uint8Array
  graphInflatedBytes: number
  dataBytes: number
  /** Fills in the bytes of one tensor; `target` is as long as the entry says and all zero. */
  writeTensor: (entry: TensorEntry, target: Uint8Array) => void
}

/** Puts a file together; every tensor is written straight into its place. */
export function writeContainer({
  metadata,
  tensors,
  graph,
  graphInflatedBytes,
  dataBytes,
  writeTensor,
}: ContainerParts): Uint8Array {
  const directory = writeDirectory({ metadata, tensors })
  if (directory.length > LIMITS.directoryBytes) {
    const hint = 'Give less metadata or shorter names.'
    throw packedError('packed: directory', `${directory.length} bytes`, `at most ${LIMITS.directoryBytes}`, hint)
  }
  const lengths = {
    directory: directory.length,
    graph: graph.length,
    graphInflated: graphInflatedBytes,
    data: dataBytes,
  }
  const offsets = sectionOffsets(lengths)
  const file = new Uint8Array(offsets.end)
  writeHeader(file, lengths, Object.keys(metadata).length, tensors.length)
  file.set(directory, offsets.directory)
  file.set(graph, offsets.graph)
  for (const entry of tensors) {
    const start = offsets.data + entry.offset
    writeTensor(entry, file.subarray(start, start + entry.length))
  }
  file.set(sha256(file.subarray(0, offsets.digest)), offsets.digest)
  return file
}

function writeHeader(file: Uint8Array, lengths: SectionLengths, metadataCount: number, tensorCount: number): void {
  const view = new DataView(file.buffer)
  file.set(MAGIC)
  view.setUint32(8, FORMAT_VERSION, true)
  view.setUint32(12, 0, true)
  view.setBigUint64(16, BigInt(file.length), true)
  view.setUint32(24, metadataCount, true)
  view.setUint32(28, tensorCount, true)
  view.setBigUint64(32, BigInt(lengths.directory), true)
  view.setBigUint64(40, BigInt(lengths.graph), true)
  view.setBigUint64(48, BigInt(lengths.graphInflated), true)
  view.setBigUint64(56, BigInt(lengths.data), true)
}

/**
 * Takes a file apart: magic, version, length and digest first, then every length and range.
 * @throws TtqError `packed`; `usage` for what are no bytes
 */
export function readContainer(bytes: Uint8Array, name: string): Container {
  checkBytes(name, bytes)
  checkIdentity(bytes, name)
  const view = dataViewOf(bytes)
  checkDigest(bytes, name)
  const lengths = readLengths(view, name)
  const offsets = sectionOffsets(lengths)
  if (offsets.end !== bytes.length) {
    throw packedError(
      `${name}: header`,
      `sections that take ${offsets.end} bytes`,
      `the file's ${bytes.length}`,
      NONCONFORMING,
    )
  }
  const counts = { metadata: view.getUint32(24, true), tensors: view.getUint32(28, true), dataBytes: lengths.data }
  const section = (start: number, length: number): Uint8Array => bytes.subarray(start, start + length)
  const directory = readDirectory(section(offsets.directory, lengths.directory), counts, `${name}: directory`)
  const data = section(offsets.data, lengths.data)
  checkPadding(bytes.subarray(offsets.directory + lengths.directory, offsets.graph), `${name}: directory`)
  checkPadding(bytes.subarray(offsets.graph + lengths.graph, offsets.data), `${name}: graph section`)
  directory.tensors.forEach((entry, i) => {
    const end = directory.tensors[i + 1]?.offset ?? data.length
    checkPadding(data.subarray(entry.offset + entry.length, end), `${name}: tensor "${entry.name}"`)
  })
  return { ...directory, lengths, graph: section(offsets.graph, lengths.graph), data }
}

// Everything that can be told without trusting a single length.
function checkIdentity(bytes: Uint8Array, name: string): void {
  const start = bytes.subarray(0, MAGIC.length)
  if (start.length < MAGIC.length && start.every((byte, i) => byte === MAGIC[i])) throw tooShort(bytes, name)
  if (!isPacked(bytes)) throw wrongMagic(start, name)
  if (bytes.length < HEADER_BYTES + DIGEST_BYTES) throw tooShort(bytes, name)
  const view = dataViewOf(bytes)
  const version = view.getUint32(8, true)
  if (version !== FORMAT_VERSION)
    throw packedError(`${name}: header`, `format version ${version}`, `${FORMAT_VERSION}`, TOO_NEW)
  const flags = view.getUint32(12, true)
  if (flags !== 0)
    throw packedError(
      `${name}: header`,
      `flags 0x${flags.toString(16)}`,
      `none in format version ${FORMAT_VERSION}`,
      TOO_NEW,
    )
  const length = view.getBigUint64(16, true)
  if (length !== BigInt(bytes.length))
    throw packedError(name, `${bytes.length} bytes`, `${length} as its header says`, DAMAGED)
}

function tooShort(bytes: Uint8Array, name: string): Error {
  return packedError(name, `${bytes.length} bytes`, `at least ${HEADER_BYTES + DIGEST_BYTES} of a .ttq file`, DAMAGED)
}

function wrongMagic(start: Uint8Array, name: string): Error {
  const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  // "TTQ" survives a transfer that rewrites line ends, drops the eighth bit or re-encodes to UTF-8.
  const mangled = hex(start).includes('54 54 51')
  const hint = mangled
    ? 'The file was changed by a text-mode transfer: copy it again in binary mode.'
    : 'Give a file that ttq wrote.'
  return packedError(name, `first bytes ${hex(start)}`, `${hex(MAGIC)} of a .ttq file`, hint)
}

function checkDigest(bytes: Uint8Array, name: string): void {
  const end = bytes.length - DIGEST_BYTES
  const digest = sha256(bytes.subarray(0, end))
  if (!digest.every((byte, i) => byte === bytes[end + i])) {
    throw packedError(name, 'bytes that do not match the SHA-256 at its end', 'the bytes that were written', DAMAGED)
  }
}

function readLengths(view: DataView, name: string): SectionLengths {
  const field = (position: number, what: string, most: number): number => {
    const value = view.getBigUint64(position, true)
    if (value <= BigInt(Math.floor(most))) return Number(value)
    throw packedError(`${name}: header`, `${what} of ${value} bytes`, `at most ${Math.floor(most)}`, NONCONFORMING)
  }
  const directory = field(32, 'a directory', Math.min(LIMITS.directoryBytes, view.byteLength))
  const graph = field(40, 'a graph section', view.byteLength)
  const graphInflated = field(
    48,
    'an inflated graph',
    Math.min(LIMITS.graphInflatedBytes, graph * LIMITS.inflationRatio),
  )
  const data = field(56, 'a data section', view.byteLength)
  if (data % ALIGNMENT !== 0)
    throw packedError(`${name}: header`, `a data section of ${data} bytes`, `a multiple of ${ALIGNMENT}`, NONCONFORMING)
  return { directory, graph, graphInflated, data }
}

function checkPadding(padding: Uint8Array, where: string): void {
  if (padding.some((byte) => byte !== 0))
    throw packedError(where, 'padding that is not zero', 'zeros up to the next multiple of 64', NONCONFORMING)
}
