// A run's trainings as they stand, and its other parts that are done, as bytes and back: everything that decides how it
// goes on. What is written when, and whether a checkpoint belongs to a run, is run-checkpoint.ts.
//
// Layout, little-endian: magic (8 bytes), version u32, header length u32, file length u64, header (JSON), zeros up to a
// multiple of 4, tensors one behind the other in the header's order, SHA-256 of all that. A tensor that stands in
// several places is stored once.
import { sha256 } from '@noble/hashes/sha2.js'
import { TtqError } from '../errors/ttq-error.js'
import { bytesOf, dataViewOf } from '../tensor/bytes.js'
import type { EpochReport } from './training-report.js'
import type { TrainedValues } from './trained-values.js'

/**
 * How far a training is. Order of samples and augmentation follow from seed, epoch and step, so they are not in here.
 */
export interface TrainingPosition {
  /** The epoch to go on in, 1-based; beyond the last one when the training is done. */
  epoch: number
  /** Steps of it that are done. */
  step: number
  /** Sum of their losses. */
  lossSum: number
  now: TrainedValues
  /** Held-out score before the first step; null where the start is no candidate. */
  startScore: number | null
  /** The epoch with the best held-out accuracy (without labels: agreement) so far; epoch 0 is the start. */
  best: BestEpoch | null
  history: readonly EpochReport[]
  /** Time spent on training steps, and on everything. */
  trainingMs: number
  elapsedMs: number
}

export interface BestEpoch {
  epoch: number
  score: number
  values: TrainedValues
}

/** A part of a run that is done and need not be done again, before its trainings or in their place. */
export interface RunPart {
  facts: Readonly<Record<string, string | number | null>>
  tensors: ReadonlyMap<string, StoredTensor>
}

export type StoredTensor = Float32Array | Float64Array | Int8Array

export interface Checkpoint {
  /** What the run depends on, by name. */
  fingerprint: Readonly<Record<string, string>>
  /** In the order in which they were done. */
  parts: readonly RunPart[]
  /** The run's trainings so far, in order; all but the last are done. */
  trainings: readonly TrainingPosition[]
  /** Where the last training diverged after this checkpoint was made. */
  diverged: { epoch: number; step: number } | null
}

/** "\x89TTC\r\n\x1a\n": survives no transfer that rewrites line ends or drops the eighth bit. */
const MAGIC = Uint8Array.of(0x89, 0x54, 0x54, 0x43, 0x0d, 0x0a, 0x1a, 0x0a)
const VERSION = 3
const HEADER_START = 24
const DIGEST_BYTES = 32
const ALIGNMENT = 4

const TENSOR_TYPES = { float32: Float32Array, float64: Float64Array, int8: Int8Array } as const
type TensorType = keyof typeof TENSOR_TYPES

/** Tensors by name, as positions in the file's list of tensors. */
type TensorNumbers = Record<string, number>
interface StoredValues {
  values: TensorNumbers
  state: TensorNumbers
}
interface StoredPosition extends Omit<TrainingPosition, 'now' | 'best'> {
  now: StoredValues
  best: (Omit<BestEpoch, 'values'> & { values: StoredValues }) | null
}
interface StoredPart extends Omit<RunPart, 'tensors'> {
  tensors: TensorNumbers
}
interface Header extends Pick<Checkpoint, 'fingerprint' | 'diverged'> {
  parts: StoredPart[]
  trainings: StoredPosition[]
  /** Type and number of values of each tensor. */
  tensors: [type: TensorType, length: number][]
}

export function writeCheckpoint({ fingerprint, parts, trainings, diverged }: Checkpoint): Uint8Array {
  const tensors = new Map<StoredTensor, number>()
  const numbers = (named: ReadonlyMap<string, StoredTensor>): TensorNumbers =>
    Object.fromEntries(
      [...named].map(([name, tensor]) => {
        if (!tensors.has(tensor)) tensors.set(tensor, tensors.size)
        return [name, tensors.get(tensor) as number]
      }),
    )
  const stored = ({ values, state }: TrainedValues): StoredValues => ({
    values: numbers(values),
    state: numbers(state),
  })
  const positions = trainings.map(({ now, best, ...rest }): StoredPosition => ({
    ...rest,
    now: stored(now),
    best: best === null ? null : { ...best, values: stored(best.values) },
  }))
  const done = parts.map((part): StoredPart => ({ ...part, tensors: numbers(part.tensors) }))
  const lists = [...tensors.keys()]
  const header: Header = {
    fingerprint,
    diverged,
    parts: done,
    trainings: positions,
    tensors: lists.map((list) => [typeOf(list), list.length]),
  }
  return assemble(new TextEncoder().encode(JSON.stringify(header)), lists)
}

function typeOf(tensor: StoredTensor): TensorType {
  const types = Object.entries(TENSOR_TYPES) as [TensorType, (typeof TENSOR_TYPES)[TensorType]][]
  const found = types.find(([, type]) => tensor instanceof type)
  if (found === undefined) throw new Error('internal: a checkpoint has no tensors of this type')
  return found[0]
}

function assemble(header: Uint8Array, tensors: readonly StoredTensor[]): Uint8Array {
  const start = align(HEADER_START + header.length)
  const end = tensors.reduce((sum, { byteLength }) => sum + byteLength, start)
  const bytes = new Uint8Array(end + DIGEST_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC)
  view.setUint32(8, VERSION, true)
  view.setUint32(12, header.length, true)
  view.setBigUint64(16, BigInt(bytes.length), true)
  bytes.set(header, HEADER_START)
  let offset = start
  for (const tensor of tensors) {
    bytes.set(bytesOf(tensor), offset)
    offset += tensor.byteLength
  }
  bytes.set(sha256(bytes.subarray(0, end)), end)
  return bytes
}

/**
 * Inverse of writeCheckpoint.
 * @param name how messages call the file
 * @throws TtqError `checkpoint` for what is no checkpoint, damaged, cut off or of another format version
 */
export function readCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  const { header, data } = takeApart(bytes, name)
  const { fingerprint, diverged, parts, trainings, tensors } = parseHeader(header, name)
  const end = tensors.reduce((sum, [type, length]) => sum + length * TENSOR_TYPES[type].BYTES_PER_ELEMENT, 0)
  if (end !== data.length) throw checkpointError(name, `${data.length} bytes of values`, `${end}`)
  let offset = 0
  const lists = tensors.map(([type, length]) => {
    const start = offset
    offset += length * TENSOR_TYPES[type].BYTES_PER_ELEMENT
    // A copy: values must be aligned in memory, and a Buffer's own slice is none.
    return new TENSOR_TYPES[type](Uint8Array.from(data.subarray(start, offset)).buffer)
  })
  const named = (numbers: TensorNumbers): Map<string, StoredTensor> =>
    new Map(
      Object.entries(numbers).map(([key, number]) => {
        const tensor = lists[number]
        if (tensor === undefined) throw checkpointError(name, `value ${number} for "${key}"`, `one of ${lists.length}`)
        return [key, tensor]
      }),
    )
  const restored = ({ values, state }: StoredValues): TrainedValues => ({
    values: named(values) as TrainedValues['values'],
    state: named(state) as TrainedValues['state'],
  })
  return {
    fingerprint,
    diverged,
    parts: parts.map((part) => ({ ...part, tensors: named(part.tensors) })),
    trainings: trainings.map(({ now, best, ...rest }) => ({
      ...rest,
      now: restored(now),
      best: best === null ? null : { ...best, values: restored(best.values) },
    })),
  }
}

function takeApart(bytes: Uint8Array, name: string): { header: Uint8Array; data: Uint8Array } {
  const start = bytes.subarray(0, MAGIC.length)
  if (!start.every((byte, i) => byte === MAGIC[i]))
    throw checkpointError(name, 'other first bytes', 'those of a ttq checkpoint')
  if (bytes.length < HEADER_START + DIGEST_BYTES)
    throw checkpointError(name, `${bytes.length} bytes`, `at least ${HEADER_START + DIGEST_BYTES}`)
  const view = dataViewOf(bytes)
  const version = view.getUint32(8, true)
  if (version !== VERSION) throw checkpointError(name, `checkpoint format ${version}`, `${VERSION}`)
  const length = view.getBigUint64(16, true)
  if (length !== BigInt(bytes.length))
    throw checkpointError(name, `${bytes.length} bytes`, `${length} as its start says`)
  const end = bytes.length - DIGEST_BYTES
  if (!sha256(bytes.subarray(0, end)).every((byte, i) => byte === bytes[end + i]))
    throw checkpointError(name, 'bytes that do not fit its checksum', 'those that were written')
  const headerLength = view.getUint32(12, true)
  const dataStart = align(HEADER_START + headerLength)
  if (dataStart > end) throw checkpointError(name, `a header of ${headerLength} bytes`, `at most ${end - HEADER_START}`)
  return { header: bytes.subarray(HEADER_START, HEADER_START + headerLength), data: bytes.subarray(dataStart, end) }
}

// The checksum has held: what is here was written by this program's format, so that only its outline is looked at.
function parseHeader(header: Uint8Array, name: string): Header {
  let parsed: Partial<Header>
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header)) as Partial<Header>
  } catch {
    throw checkpointError(name, 'a header that is no JSON', 'JSON')
  }
  const { fingerprint, parts, trainings, tensors, diverged = null } = parsed
  const areTensors =
    Array.isArray(tensors) &&
    tensors.every(([type, length]) => Object.hasOwn(TENSOR_TYPES, type) && Number.isSafeInteger(length) && length >= 0)
  if (typeof fingerprint !== 'object' || !Array.isArray(parts) || !Array.isArray(trainings) || !areTensors)
    throw checkpointError(name, 'a header that lacks something', 'fingerprint, parts, trainings and tensors')
  return { fingerprint, parts, trainings, tensors, diverged }
}

function checkpointError(name: string, found: string, expected: string): TtqError {
  return new TtqError('checkpoint', `${name}: found ${found}, expected ${expected}`, {
    facts: { name, found, expected },
    hint: 'the checkpoint is damaged, or was written by another version of ttq: start again without --resume',
  })
}

function align(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT
}
