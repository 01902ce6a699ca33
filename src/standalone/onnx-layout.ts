// Where the bytes of a whole ONNX file come from: the graph section with every empty initializer exchanged for one that
// has dimensions and, as its last field, the values. No protobuf library, and nothing but these initializers is
// touched.
//
// The result is byte for byte what `ttq unpack` writes, because a graph section that ttq wrote is what writeModel
// writes. (Of another writer's, it is the same network: unpack orders fields and lifts Constant nodes.)
import { TtqError } from '../errors/ttq-error.js'
import { MAX_FILE_BYTES } from '../onnx/file-size.js'
import { checkPlaces, type Place } from '../packed/decode-entry.js'
import type { Decoded } from '../packed/decoding.js'
import type { TensorEntry } from '../packed/format.js'
import { NONCONFORMING, packedError } from '../packed/packed-error.js'
import { bytesOf } from '../tensor/bytes.js'
import { byteLength, dataTypeOfOnnx } from '../tensor/data-type.js'
import { elementCount } from '../tensor/tensor.js'
import { type Field, fieldsOf, fieldStart, readVarint, varint } from './protobuf-fields.js'

/** Field numbers, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const GRAPH = 7
const INITIALIZER = 5
const DIMS = 1
const DATA_TYPE = 2
const NAME = 8
const RAW_DATA = 9

/** A part of what is made of a file: bytes as they are, or a tensor. */
export type Part =
  | { readonly bytes: ArrayLike<number>; readonly length: number }
  | {
      readonly entry: TensorEntry
      /** The bytes that stand for it. */
      readonly bytesFor: (decoded: Decoded) => Uint8Array
      readonly length: number
    }

export interface Layout {
  /** One behind the other. */
  parts: readonly Part[]
  /** Of all parts. */
  bytes: number
}

/** @throws TtqError `packed` where graph and table do not fit together; `unsupported` above 2 GiB */
export function layOut(graph: Uint8Array, tensors: readonly TensorEntry[], name: string): Layout {
  const where = `${name}: graph section`
  try {
    return exchange(graph, tensors, name)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw packedError(where, `no ONNX model (${cause.message})`, 'one', NONCONFORMING, cause)
  }
}

function exchange(bytes: Uint8Array, tensors: readonly TensorEntry[], name: string): Layout {
  const fields = fieldsOf(bytes, 0, bytes.length)
  const graph = fields.find(({ number, wire }) => number === GRAPH && wire === 2)
  if (graph === undefined) throw new RangeError('it holds no graph')
  const inGraph = fieldsOf(bytes, graph.content, graph.end)
  const initializers = inGraph.filter(({ number, wire }) => number === INITIALIZER && wire === 2)
  const places = new Map(initializers.map((field) => placeOf(bytes, field)))
  checkPlaces(tensors, places, name)
  const entries = new Map(tensors.map((entry) => [places.get(entry.name)?.start, entry]))
  const parts = inGraph.flatMap((field): readonly Part[] => {
    const entry = entries.get(field.start)
    return entry === undefined ? [kept(bytes, field)] : initializerParts(bytes, field, entry)
  })
  const length = lengthOf(parts)
  const all = fields.flatMap((field): readonly Part[] =>
    field === graph ? [made(fieldStart(GRAPH, length)), ...parts] : [kept(bytes, field)],
  )
  const whole = lengthOf(all)
  if (whole > MAX_FILE_BYTES)
    throw new TtqError('unsupported', `${name}: found ${whole} bytes of ONNX, expected at most ${MAX_FILE_BYTES}`)
  return { parts: all, bytes: whole }
}

function made(bytes: ArrayLike<number>): Part {
  return { bytes, length: bytes.length }
}

function kept(bytes: Uint8Array, { start, end }: Field): Part {
  return made(bytes.subarray(start, end))
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}

function placeOf(bytes: Uint8Array, { start, content, end }: Field): [name: string, Place & { start: number }] {
  let name = ''
  let type = 'undefined'
  const dims: number[] = []
  for (const field of fieldsOf(bytes, content, end)) {
    if (field.number === NAME) name = new TextDecoder().decode(bytes.subarray(field.content, field.end))
    if (field.number === DATA_TYPE) type = dataTypeOfOnnx(readVarint(bytes, field.content, end)[0]) ?? type
    if (field.number !== DIMS) continue
    for (let at = field.content; at < field.end;) {
      const [dim, next] = readVarint(bytes, at, field.end)
      dims.push(dim)
      at = next
    }
  }
  return [name, { type, dims, start }]
}

// Dimensions stand in the place of the empty one's [0], written as it is: packed into one field or one field each.
function initializerParts(bytes: Uint8Array, { content, end }: Field, entry: TensorEntry): readonly Part[] {
  const head = fieldsOf(bytes, content, end).flatMap((field): Part[] => {
    if (field.number === RAW_DATA) return []
    return [field.number === DIMS ? made(dimsField(entry.dims, field.wire === 2)) : kept(bytes, field)]
  })
  const length = byteLength(entry.type, elementCount(entry.dims))
  const tensor = [...head, made(fieldStart(RAW_DATA, length)), { entry, bytesFor: valueBytes, length }]
  return [made(fieldStart(INITIALIZER, lengthOf(tensor))), ...tensor]
}

function valueBytes({ tensor }: Decoded): Uint8Array {
  return bytesOf(tensor.data as Uint8Array)
}

function dimsField(dims: readonly number[], isPacked: boolean): number[] {
  const numbers = dims.map(varint)
  if (!isPacked) return numbers.flatMap((number) => [8 * DIMS, ...number])
  return dims.length === 0 ? [] : [...fieldStart(DIMS, numbers.flat().length), ...numbers.flat()]
}
