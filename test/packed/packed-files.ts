// Files and models for the tests of this room: a file writer that knows nothing of src/packed, seeded models, error
// checks.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { TtqError } from '../../src/errors/ttq-error.js'
import type { Model } from '../../src/onnx/model.js'
import type { PackedModel } from '../../src/packed/packed-model.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import type { TernaryWeights } from '../../src/tensor/ternary.js'

export function u8(...values: number[]): Uint8Array {
  return Uint8Array.from(values)
}

export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer)
}

export function u64(value: number | bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)
}

export function f32(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer)
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function join(...pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]))
}

/** `bytes` and zeros up to the next multiple of 64. */
export function padded(bytes: Uint8Array): Uint8Array {
  return join(bytes, new Uint8Array((64 - (bytes.length % 64)) % 64))
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

/** A file that its own digest fits, whatever else is wrong with it. */
export function sealed(body: Uint8Array): Uint8Array {
  return join(body, sha256(body))
}

// ModelProto { ir_version 8, opset_import { version 17 }, graph }: protobuf by hand, one Relu from x to y.
// https://protobuf.dev/programming-guides/encoding/ and https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
function delimited(field: number, ...pieces: readonly Uint8Array[]): Uint8Array {
  const content = join(...pieces)
  assert.ok(content.length < 128, 'one length byte')
  return join(u8((field << 3) | 2, content.length), content)
}

/** GraphProto.initializer: name, TensorProto.DataType, dims [0], no data. */
export function emptyInitializer(name: string, type: number): Uint8Array {
  return delimited(5, u8(0x08, 0), u8(0x10, type), delimited(8, text(name)))
}

/** The ONNX bytes of a graph `y = Relu(x)` with these initializers beside. */
export function graphBytes(...initializers: readonly Uint8Array[]): Uint8Array {
  const valueType = delimited(2, delimited(1, u8(0x08, 1)))
  const node = delimited(1, delimited(1, text('x')), delimited(2, text('y')), delimited(4, text('Relu')))
  const graph = [
    node,
    delimited(2, text('g')),
    ...initializers,
    delimited(11, delimited(1, text('x')), valueType),
    delimited(12, delimited(1, text('y')), valueType),
  ]
  return join(u8(0x08, 8), delimited(7, ...graph), delimited(8, u8(0x10, 17)))
}

export interface Entry {
  name?: string | Uint8Array
  type?: number
  encoding?: number
  rank?: number
  parameters?: Uint8Array
  offset?: number | bigint
  length?: number | bigint
  dims?: readonly number[]
}

/** A table entry; without options the tensor "w" of shape [5], float32, ternary2, wp 0.5, wn 0.25, 2 bytes at 0. */
export function entry(options: Entry = {}): Uint8Array {
  const {
    name = 'w',
    type = 1,
    encoding = 1,
    parameters = f32(0.5, 0.25),
    offset = 0,
    length = 2,
    dims = [5],
  } = options
  const nameBytes = typeof name === 'string' ? text(name) : name
  const { rank = dims.length } = options
  return join(
    u32(nameBytes.length),
    u8(type, encoding, rank, parameters.length),
    u64(offset),
    u64(length),
    ...dims.map(u32),
    parameters,
    nameBytes,
  )
}

export interface FileParts {
  version?: number
  flags?: number
  fileLength?: number | bigint
  metadata?: Uint8Array
  metadataCount?: number
  tensors?: readonly Uint8Array[]
  tensorCount?: number
  /** Behind the last table entry. */
  afterTable?: Uint8Array
  graph?: Uint8Array
  deflated?: Uint8Array
  directoryLength?: number | bigint
  graphLength?: number | bigint
  graphInflatedLength?: number | bigint
  dataLength?: number | bigint
  data?: Uint8Array
}

/**
 * A file of these parts, by default a legal one of one ternary tensor with codes [1, -1, 0, 0, 1]; every length can be
 * made to lie.
 */
export function file(parts: FileParts = {}): Uint8Array {
  const {
    metadata = new Uint8Array(),
    tensors = [entry()],
    graph = graphBytes(emptyInitializer('w', 1)),
    data = padded(u8(0b00001101, 0b01)),
  } = parts
  const directory = join(metadata, ...tensors, parts.afterTable ?? new Uint8Array())
  const deflated = parts.deflated ?? new Uint8Array(deflateRawSync(graph))
  const sections = join(padded(directory), padded(deflated), data)
  const header = join(
    u8(0x89, 0x54, 0x54, 0x51, 0x0d, 0x0a, 0x1a, 0x0a),
    u32(parts.version ?? 1),
    u32(parts.flags ?? 0),
    u64(parts.fileLength ?? 64 + sections.length + 32),
    u32(parts.metadataCount ?? 0),
    u32(parts.tensorCount ?? tensors.length),
    u64(parts.directoryLength ?? directory.length),
    u64(parts.graphLength ?? deflated.length),
    u64(parts.graphInflatedLength ?? graph.length),
    u64(parts.dataLength ?? data.length),
  )
  return sealed(join(header, sections))
}

export interface Entry2 extends Omit<Entry, 'offset'> {
  place?: number
}

/**
 * A table entry of version 2; without options the tensor "w" of shape [5], float32, base3, wp 0.5, wn 0.25, 1 byte in
 * the data section, aligned.
 */
export function entry2(options: Entry2 = {}): Uint8Array {
  const { name = 'w', type = 1, encoding = 4, parameters = f32(0.5, 0.25), place = 0, length = 1, dims = [5] } = options
  const nameBytes = typeof name === 'string' ? text(name) : name
  const { rank = dims.length } = options
  return join(
    u32(nameBytes.length),
    u8(type, encoding, rank, parameters.length, place),
    u64(length),
    ...dims.map(u32),
    parameters,
    nameBytes,
  )
}

export function u16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer)
}

export interface FileParts2 extends Pick<
  FileParts,
  'metadata' | 'metadataCount' | 'tensors' | 'tensorCount' | 'afterTable' | 'graph' | 'dataLength'
> {
  models?: readonly Uint8Array[]
  modelCount?: number
  /** Of the pool, not deflated yet. */
  planes?: readonly Uint8Array[]
  /** Stored and inflated lengths as the header has them, where they are to lie; and the streams themselves. */
  lengths?: Partial<Record<'directory' | 'graph' | 'pool', readonly [stored: number, inflated: number]>>
  streams?: Partial<Record<'directory' | 'graph' | 'pool', Uint8Array>>
  /** Of the data section, given where it starts. */
  data?: (start: number) => Uint8Array
}

/** Zeros up to the next multiple of 64. */
export function gap(position: number): Uint8Array {
  return new Uint8Array((64 - (position % 64)) % 64)
}

/**
 * A file of version 2 of these parts, by default a legal one of one ternary tensor with codes [1, -1, 0, 0, 1]; every
 * length can be made to lie.
 */
export function file2(parts: FileParts2 = {}): Uint8Array {
  const {
    metadata = new Uint8Array(),
    models = [],
    tensors = [entry2()],
    graph = graphBytes(emptyInitializer('w', 1)),
    planes = [],
    data = (start: number): Uint8Array => join(gap(start), u8(1 + 3 * 2 + 81)),
  } = parts
  const directory = join(
    metadata,
    u16(parts.modelCount ?? models.length),
    ...models,
    ...tensors,
    parts.afterTable ?? new Uint8Array(),
  )
  const deflated = planes.map((plane) => new Uint8Array(deflateRawSync(plane)))
  const sections = {
    directory: { stream: new Uint8Array(deflateRawSync(directory)), inflatedBytes: directory.length },
    graph: { stream: new Uint8Array(deflateRawSync(graph)), inflatedBytes: graph.length },
    pool: {
      stream: join(...deflated.map(({ length }) => u32(length)), ...deflated),
      inflatedBytes: join(...planes).length,
    },
  }
  const streams = (['directory', 'graph', 'pool'] as const).map((name) => {
    const stream = parts.streams?.[name] ?? sections[name].stream
    const [stored, inflated] = parts.lengths?.[name] ?? [stream.length, sections[name].inflatedBytes]
    return { stream, lengths: join(u32(stored), u32(inflated)) }
  })
  const before = 64 + streams.reduce((sum, { stream }) => sum + stream.length, 0)
  const dataBytes = data(before)
  const header = join(
    u8(0x89, 0x54, 0x54, 0x51, 0x0d, 0x0a, 0x1a, 0x0a),
    u32(2),
    u32(0),
    u64(before + dataBytes.length + 32),
    u32(parts.metadataCount ?? 0),
    u32(parts.tensorCount ?? tensors.length),
    ...streams.map(({ lengths }) => lengths),
    u64(parts.dataLength ?? dataBytes.length),
  )
  return sealed(join(header, ...streams.map(({ stream }) => stream), dataBytes))
}

/** A model `y = Relu(x)` with these initializers. */
export function modelOf(initializers: Iterable<readonly [string, Tensor]>): Model {
  const value = (name: string): Model['graph']['inputs'][number] => ({
    name,
    type: { elementType: 'float32', dims: ['N', 4] },
  })
  return {
    irVersion: 8,
    opsets: new Map([['', 17]]),
    graph: {
      name: 'g',
      nodes: [{ name: 'relu', opType: 'Relu', domain: '', inputs: ['x'], outputs: ['y'], attributes: {} }],
      inputs: [value('x')],
      outputs: [value('y')],
      initializers: new Map(initializers),
    },
  }
}

/** A packed model of the ternary tensor "w" and nothing else. */
export function onlyTernary(tensor: Tensor, weights: TernaryWeights): PackedModel {
  return { model: modelOf([['w', tensor]]), ternary: new Map([['w', weights]]), metadata: {} }
}

/** Everything of a model but what it was read from. */
export function plain(value: unknown): unknown {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].map(([key, item]) => [key, plain(item)])
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'source')
      .map(([key, item]) => [key, plain(item)]),
  )
}

/** Runs `work` and checks that it throws a TtqError `packed` with this message and some hint. */
export function refuses(work: () => unknown, message: string): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof TtqError, `expected a TtqError, found ${String(error)}`)
    assert.equal(error.message, message)
    assert.equal(error.code, 'packed')
    assert.ok(error.hint !== undefined && error.hint.length > 10, 'a hint')
    assert.ok(!error.message.includes('\n'), 'one line')
    return true
  })
}
