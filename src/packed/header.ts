// The first 64 bytes of a file, in both versions: its lengths. What can be told without trusting one is file-start.ts.
import { sha256 } from '@noble/hashes/sha2.js'
import { dataViewOf } from '../tensor/bytes.js'
import {
  ALIGNMENT,
  DIGEST_BYTES,
  FORMAT_VERSION,
  type FormatVersion,
  LIMITS,
  MAGIC,
  type PartLength,
  type SectionLengths,
  sectionOffsets,
} from './format.js'
import { checkDigest, checkLength, type FileStart, readStart } from './file-start.js'
import { NONCONFORMING, packedError } from './packed-error.js'

export interface Header {
  version: FormatVersion
  fileBytes: number
  lengths: SectionLengths
  counts: { metadata: number; tensors: number }
}

/** Writes a header of the current version to the start of a file that is as long as it will be. */
export function writeHeader(file: Uint8Array, { lengths, counts }: Omit<Header, 'version' | 'fileBytes'>): void {
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
  const start = readStart(bytes, name)
  checkLength(bytes.length, start, name)
  const end = bytes.length - DIGEST_BYTES
  checkDigest(sha256(bytes.subarray(0, end)), bytes.subarray(end), name)
  return headerFrom(bytes, start, name)
}

/** Checks every length. @param bytes at least the first 64 of a file that starts so @throws TtqError `packed` */
export function headerFrom(bytes: Uint8Array, { version, fileBytes }: FileStart, name: string): Header {
  const view = dataViewOf(bytes)
  const whole = Number(fileBytes)
  const lengths = (version === 1 ? readLengths1 : readLengths2)(view, whole, name)
  const { end } = sectionOffsets(version, lengths)
  if (end !== whole)
    throw packedError(`${name}: header`, `sections that take ${end} bytes`, `the file's ${whole}`, NONCONFORMING)
  const counts = { metadata: view.getUint32(24, true), tensors: view.getUint32(28, true) }
  return { version, fileBytes: whole, lengths, counts }
}

type Field = (value: bigint | number, what: string, most: number) => number

function fieldReader(name: string): Field {
  return (value, what, most) => {
    if (BigInt(value) <= BigInt(Math.floor(most))) return Number(value)
    throw packedError(`${name}: header`, `${what} of ${value} bytes`, `at most ${Math.floor(most)}`, NONCONFORMING)
  }
}

function readLengths1(view: DataView, fileBytes: number, name: string): SectionLengths {
  const field = fieldReader(name)
  const u64 = (position: number): bigint => view.getBigUint64(position, true)
  const directory = field(u64(32), 'a directory', Math.min(LIMITS.directoryBytes, fileBytes))
  const graph = field(u64(40), 'a graph section', fileBytes)
  const most = Math.min(LIMITS.graphInflatedBytes, graph * LIMITS.inflationRatio)
  const inflated = field(u64(48), 'an inflated graph', most)
  const data = field(u64(56), 'a data section', fileBytes)
  if (data % ALIGNMENT !== 0)
    throw packedError(`${name}: header`, `a data section of ${data} bytes`, `a multiple of ${ALIGNMENT}`, NONCONFORMING)
  return {
    directory: { stored: directory, inflated: directory },
    graph: { stored: graph, inflated },
    pool: { stored: 0, inflated: 0 },
    data,
  }
}

function readLengths2(view: DataView, fileBytes: number, name: string): SectionLengths {
  const field = fieldReader(name)
  const part = (position: number, what: string, most: number): PartLength => {
    const stored = field(view.getUint32(position, true), `a ${what}`, fileBytes)
    const limit = Math.min(most, stored * LIMITS.inflationRatio)
    return { stored, inflated: field(view.getUint32(position + 4, true), `an inflated ${what}`, limit) }
  }
  return {
    directory: part(32, 'directory', LIMITS.directoryBytes),
    graph: part(40, 'graph section', LIMITS.graphInflatedBytes),
    pool: part(48, 'pool', LIMITS.poolInflatedBytes),
    data: field(view.getBigUint64(56, true), 'a data section', fileBytes),
  }
}
