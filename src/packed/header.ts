// The first 64 bytes of a file, in both versions: what can be told without trusting a single length, then the lengths.
import { sha256 } from '@noble/hashes/sha2.js'
import { dataViewOf } from '../tensor/bytes.js'
import {
  ALIGNMENT,
  DIGEST_BYTES,
  FORMAT_VERSION,
  type FormatVersion,
  HEADER_BYTES,
  isPacked,
  LIMITS,
  MAGIC,
  type PartLength,
  type SectionLengths,
  sectionOffsets,
} from './format.js'
import { DAMAGED, NONCONFORMING, packedError, TOO_NEW } from './packed-error.js'

export interface Header {
  version: FormatVersion
  lengths: SectionLengths
  counts: { metadata: number; tensors: number }
}

/** Writes a header of the current version to the start of a file that is as long as it will be. */
export function writeHeader(file: Uint8Array, { lengths, counts }: Omit<Header, 'version'>): void {
  const view = dataViewOf(file)
  file.set(MAGIC)
  view.setUint32(8, FORMAT_VERSION, true)
  view.setUint32(12, 0, true)
  view.setBigUint64(16, BigInt(file.length), true)
  view.setUint32(24, counts.metadata, true)
  view.setUint32(28, counts.tensors, true)
  const { directory, graph, pool } = lengths
  ;[directory, graph, pool].forEach((part, i) => {
    view.setUint32(32 + 8 * i, part.stored, true)
    view.setUint32(36 + 8 * i, part.inflated, true)
  })
  view.setBigUint64(56, BigInt(lengths.data), true)
}

/**
 * Checks magic, version, flags, length and digest, in this order, then every length.
 * @throws TtqError `packed`
 */
export function readHeader(bytes: Uint8Array, name: string): Header {
  const version = checkIdentity(bytes, name)
  checkDigest(bytes, name)
  const view = dataViewOf(bytes)
  const lengths = version === 1 ? readLengths1(view, name) : readLengths2(view, name)
  const { end } = sectionOffsets(version, lengths)
  if (end !== bytes.length) {
    const expected = `the file's ${bytes.length}`
    throw packedError(`${name}: header`, `sections that take ${end} bytes`, expected, NONCONFORMING)
  }
  return { version, lengths, counts: { metadata: view.getUint32(24, true), tensors: view.getUint32(28, true) } }
}

function checkIdentity(bytes: Uint8Array, name: string): FormatVersion {
  const start = bytes.subarray(0, MAGIC.length)
  if (start.length < MAGIC.length && start.every((byte, i) => byte === MAGIC[i])) throw tooShort(bytes, name)
  if (!isPacked(bytes)) throw wrongMagic(start, name)
  if (bytes.length < HEADER_BYTES + DIGEST_BYTES) throw tooShort(bytes, name)
  const view = dataViewOf(bytes)
  const version = view.getUint32(8, true)
  if (version !== 1 && version !== 2)
    throw packedError(`${name}: header`, `format version ${version}`, '1 or 2', TOO_NEW)
  const flags = view.getUint32(12, true)
  if (flags !== 0)
    throw packedError(`${name}: header`, `flags 0x${flags.toString(16)}`, `none in format version ${version}`, TOO_NEW)
  const length = view.getBigUint64(16, true)
  if (length !== BigInt(bytes.length))
    throw packedError(name, `${bytes.length} bytes`, `${length} as its header says`, DAMAGED)
  return version
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

type Field = (value: bigint | number, what: string, most: number) => number

function fieldReader(name: string): Field {
  return (value, what, most) => {
    if (BigInt(value) <= BigInt(Math.floor(most))) return Number(value)
    throw packedError(`${name}: header`, `${what} of ${value} bytes`, `at most ${Math.floor(most)}`, NONCONFORMING)
  }
}

function readLengths1(view: DataView, name: string): SectionLengths {
  const field = fieldReader(name)
  const u64 = (position: number): bigint => view.getBigUint64(position, true)
  const directory = field(u64(32), 'a directory', Math.min(LIMITS.directoryBytes, view.byteLength))
  const graph = field(u64(40), 'a graph section', view.byteLength)
  const most = Math.min(LIMITS.graphInflatedBytes, graph * LIMITS.inflationRatio)
  const inflated = field(u64(48), 'an inflated graph', most)
  const data = field(u64(56), 'a data section', view.byteLength)
  if (data % ALIGNMENT !== 0)
    throw packedError(`${name}: header`, `a data section of ${data} bytes`, `a multiple of ${ALIGNMENT}`, NONCONFORMING)
  return {
    directory: { stored: directory, inflated: directory },
    graph: { stored: graph, inflated },
    pool: { stored: 0, inflated: 0 },
    data,
  }
}

function readLengths2(view: DataView, name: string): SectionLengths {
  const field = fieldReader(name)
  const part = (position: number, what: string, most: number): PartLength => {
    const stored = field(view.getUint32(position, true), `a ${what}`, view.byteLength)
    const limit = Math.min(most, stored * LIMITS.inflationRatio)
    return { stored, inflated: field(view.getUint32(position + 4, true), `an inflated ${what}`, limit) }
  }
  return {
    directory: part(32, 'directory', LIMITS.directoryBytes),
    graph: part(40, 'graph section', LIMITS.graphInflatedBytes),
    pool: part(48, 'pool', LIMITS.poolInflatedBytes),
    data: field(view.getBigUint64(56, true), 'a data section', view.byteLength),
  }
}
