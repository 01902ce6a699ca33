// The protobuf messages of ONNX: bytes <-> messages.
//
// onnx-proto is generated from ONNX 1.10, and generated decoders drop the fields they do not know. Newer files have
// such fields that runtimes need (NodeProto.overload, FunctionProto.attribute_proto, metadata_props, ...). Therefore
// every message class is wrapped here: the bytes of unknown fields are remembered beside the message and written again
// after its known fields.
import { joined } from '../tensor/bytes.js'
import type { onnx as types } from 'onnx-proto'
import type { Reader as ReaderType, Writer as WriterType } from 'protobufjs'
import { TtqError } from '../errors/ttq-error.js'
import { MAX_FILE_BYTES } from './file-size.js'
import { onnx, Reader, Writer } from './protobuf.js'

export type AttributeProto = types.AttributeProto
export type FunctionProto = types.FunctionProto
export type GraphProto = types.GraphProto
export type ModelProto = types.ModelProto
export type NodeProto = types.NodeProto
export type TensorProto = types.TensorProto
export type TypeProto = types.TypeProto
export type ValueInfoProto = types.ValueInfoProto

/** A 64-bit integer as protobufjs hands it out: exact halves, or a plain number where it fits. */
type ProtoInt = number | { readonly low: number; readonly high: number; readonly unsigned: boolean }

/** The message classes, for making new messages: `new messages.NodeProto({...})`. */
export const messages = onnx

// As in protobuf's own parsers; deeper nesting is an attack or damage.
const MAX_DEPTH = 100

// A file of 4 KB may inflate to millions of empty messages, each a JavaScript object. Networks have some ten messages
// per node, and more than 100,000 nodes were never seen.
const MAX_MESSAGES = 2 ** 22

// 64-bit integers that are not raw bytes become objects as well.
const MAX_LONGS = 2 ** 24

// message -> its unknown fields, each with its tag.
const unknownFields = new WeakMap<object, readonly Uint8Array[]>()

class KeepingReader extends Reader {
  depth = 0
  skipped: Uint8Array[] = []
  private messages = 0
  private longs = 0
  private tag32 = 0
  private tagStart = 0

  /** Tells of one more message. */
  countMessage(): void {
    if (++this.messages > MAX_MESSAGES) throw new Error(`it holds more than ${MAX_MESSAGES} messages`)
  }

  override int64(): ReturnType<ReaderType['int64']> {
    if (++this.longs > MAX_LONGS) throw new Error(`it holds more than ${MAX_LONGS} integers that are not raw bytes`)
    return super.int64()
  }

  override uint32(): number {
    this.tagStart = this.pos
    this.tag32 = super.uint32()
    if (this.pos - this.tagStart >= 5 && !this.isWhole()) throw new RangeError('a number is above 32 bits')
    return this.tag32
  }

  // The reader drops all bits above the 32nd: a length of 4 GiB and 5 bytes would be read as 5. They may be zeros, or
  // the sign of a negative 32-bit integer.
  private isWhole(): boolean {
    const extra = [...this.buf.subarray(this.tagStart + 4, this.pos)].map((byte) => byte & 0x7f)
    if ((extra[0] as number) >> 4 === 0 && extra.slice(1).every((bits) => bits === 0)) return true
    const negative = this.tag32 >= 2 ** 31
    return negative && extra.length === 6 && extra[5] === 1 && extra.slice(1, 5).every((bits) => bits === 0x7f)
  }

  override skipType(wireType: number, depth?: number, fieldNumber?: number): ReaderType {
    if (depth !== undefined) return super.skipType(wireType, depth, fieldNumber)
    if (this.tag32 >>> 3 === 0) throw new Error('a field has number 0')
    const start = this.tagStart
    super.skipType(wireType)
    this.countMessage()
    this.skipped.push(this.buf.subarray(start, this.pos))
    return this
  }
}

interface MessageClass {
  decode: (reader: ReaderType | Uint8Array, length?: number) => object
  encode: (message: object, writer?: WriterType) => WriterType
}

function isMessageClass(value: unknown): value is MessageClass {
  return typeof value === 'function' && 'decode' in value && 'encode' in value
}

// The generated code looks its classes up by name at every call, so that replaced functions hold for nested messages
// too.
function keepUnknownFields(namespace: object): void {
  for (const message of Object.values(namespace)) {
    if (!isMessageClass(message)) continue
    const { decode, encode } = message
    message.decode = (reader, length) =>
      reader instanceof KeepingReader ? decodeKeeping(decode, reader, length) : decode(reader, length)
    message.encode = (value, writer) => {
      const written = encode(value, writer)
      for (const field of unknownFields.get(value) ?? []) written.raw(field)
      return written
    }
    keepUnknownFields(message)
  }
}
keepUnknownFields(messages)

// The reader's end is moved to the message's own end, so that no field of it can reach into what follows.
function decodeKeeping(decode: MessageClass['decode'], reader: KeepingReader, length: number | undefined): object {
  const { len, skipped } = reader
  if (length !== undefined) {
    if (reader.pos + length > len) throw new RangeError(`index out of range: ${reader.pos} + ${length} > ${len}`)
    reader.len = reader.pos + length
  }
  reader.countMessage()
  if (++reader.depth > MAX_DEPTH) throw new Error(`messages are nested deeper than ${MAX_DEPTH}`)
  reader.skipped = []
  const message = decode(reader, length)
  if (reader.skipped.length > 0) unknownFields.set(message, reader.skipped)
  reader.depth--
  reader.len = len
  reader.skipped = skipped
  return message
}

/**
 * Decodes a ModelProto; its byte strings are views of `bytes`, not copies.
 * @throws RangeError when the bytes end too early, Error when they are not such a message
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  // Not a Node Buffer: its subarrays would be Buffers again, and strings of a Buffer take another path.
  const reader = new KeepingReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  return messages.ModelProto.decode(reader)
}

/**
 * A copy of one message with its unknown fields; nested messages are shared.
 * @param without field numbers of unknown fields to leave out
 */
export function copyMessage<M extends object>(message: M, without: readonly number[] = []): M {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(message) as object) as M, message)
  const unknown = unknownFields.get(message)
  if (unknown !== undefined) {
    const kept = without.length === 0 ? unknown : unknown.filter((field) => !without.includes(fieldNumber(field)))
    unknownFields.set(copy, kept)
  }
  return copy
}

/** What the unknown fields of this number hold, for those that are byte strings or messages. */
export function unknownPayloads(message: object, field: number): Uint8Array[] {
  return (unknownFields.get(message) ?? [])
    .filter((bytes) => fieldNumber(bytes) === field)
    .map((bytes) => {
      const reader = Reader.create(bytes)
      reader.uint32()
      return reader.bytes()
    })
}

/** Decodes one message of a model. @throws as decodeModel */
export function decodeMessage<M>(type: { decode: (reader: ReaderType) => M }, bytes: Uint8Array): M {
  return type.decode(new KeepingReader(bytes))
}

/** A copy that shares nothing. */
export function deepCopy<M extends object>(
  type: { decode: (reader: ReaderType) => M; encode: (message: M) => WriterType },
  message: M,
): M {
  return decodeMessage(type, type.encode(message).finish())
}

function fieldNumber(field: Uint8Array): number {
  return Reader.create(field).uint32() >>> 3
}

/**
 * Encodes a model whose graph and initializers are handed in apart, so that each weight is copied once. The graph comes
 * last: a file cut short anywhere lacks a part that readers demand.
 * @param model without `graph`; @param graph without `initializer`
 * @throws TtqError `unsupported` when the file would be larger than 2 GiB
 */
export function encodeModel(model: ModelProto, graph: GraphProto, initializers: readonly TensorProto[]): Uint8Array {
  const pieces = [messages.GraphProto.encode(graph).finish()]
  for (const tensor of initializers) pieces.push(...delimited(5, tensorPieces(tensor)))
  return joinFile([messages.ModelProto.encode(model).finish(), ...delimited(7, pieces)])
}

function joinFile(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = totalLength(pieces)
  if (bytes <= MAX_FILE_BYTES) return joined(pieces)
  throw new TtqError('unsupported', `ONNX file: found ${bytes} bytes to write, expected at most ${MAX_FILE_BYTES}`, {
    facts: { bytes, most: MAX_FILE_BYTES },
    hint:
      'Larger networks need their weights in files of their own (external data), which ttq reads but does not write: ' +
      'keep the network packed (.ttq), or write one with smaller weights, such as float16 instead of float32',
  })
}

function tensorPieces(tensor: TensorProto): Uint8Array[] {
  const { rawData } = tensor
  const head = copyMessage(tensor)
  delete (head as { rawData?: Uint8Array }).rawData
  const pieces = [messages.TensorProto.encode(head).finish()]
  if (Object.hasOwn(tensor, 'rawData')) pieces.push(...delimited(9, [rawData]))
  return pieces
}

function delimited(field: number, pieces: readonly Uint8Array[]): Uint8Array[] {
  return [
    Writer.create()
      .uint32((field << 3) | 2)
      .uint32(totalLength(pieces))
      .finish(),
    ...pieces,
  ]
}

function totalLength(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

/**
 * The exact value of a 64-bit integer; a ProtoInt (onnx-proto's typings name a type for it that they do not import).
 */
export function toBigInt(protoInt: unknown): bigint {
  const value = protoInt as ProtoInt
  if (typeof value === 'number') return BigInt(value)
  const bits = (BigInt(value.high) << 32n) | BigInt(value.low >>> 0)
  return value.unsigned ? BigInt.asUintN(64, bits) : bits
}

/** The nearest double of a 64-bit integer (a ProtoInt); exact up to 2^53. */
export function toNumber(value: unknown): number {
  return typeof value === 'number' ? value : Number(toBigInt(value))
}

/**
 * A 64-bit signed integer for a message; values outside its range are brought to its ends (INT64_MAX reads as 2^63).
 */
export function protoInt(value: number | bigint): ProtoInt {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  const clamped = clampInt64(BigInt(value))
  return { low: Number(BigInt.asIntN(32, clamped)), high: Number(BigInt.asIntN(32, clamped >> 32n)), unsigned: false }
}

const INT64_MAX = 2n ** 63n - 1n

function clampInt64(value: bigint): bigint {
  return value > INT64_MAX ? INT64_MAX : value < -INT64_MAX - 1n ? -INT64_MAX - 1n : value
}
