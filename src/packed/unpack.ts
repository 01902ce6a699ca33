// .ttq bytes -> PackedModel. The reverse is pack.ts; a look without decoding is inspect-packed.ts.
import { inflateSync } from 'fflate'
import { TtqError } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import { readModel } from '../onnx/read-model.js'
import { viewOf } from '../onnx/read-tensor.js'
import type { DataType } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { type Container, readContainer } from './container.js'
import { type Encoding, encodingOf, FORMAT_VERSION, type TensorEntry } from './format.js'
import { NONCONFORMING, packedError, TOO_NEW } from './packed-error.js'
import type { PackedModel } from './packed-model.js'
import { decodeTernary } from './ternary-codec.js'
import { isTernaryType, TERNARY_TYPES, ternaryLevels, valuesOf } from './ternary-values.js'

export interface UnpackOptions {
  /** How messages call the file. Default `packed`. */
  name?: string
}

/**
 * Reads a .ttq file of version 1; nothing in the result shares memory with `bytes`. Every byte is covered by checks, the SHA-256 first,
 * and no more memory is taken than the file's own tables and its length vouch for. Law: unpack(pack(p)) equals p.
 * @throws TtqError `packed` for everything that is not exactly such a file
 */
export function unpack(bytes: Uint8Array, { name = 'packed' }: UnpackOptions = {}): PackedModel {
  const container = readContainer(bytes, name)
  const model = readGraph(container, `${name}: graph section`)
  const ternary = new Map<ValueName, TernaryWeights>()
  checkPlaces(container.tensors, model, name)
  for (const entry of container.tensors) {
    const where = `${name}: tensor "${entry.name}"`
    const encoded = container.data.subarray(entry.offset, entry.offset + entry.length)
    if (requireEncoding(entry, where) === 'raw') {
      const data = viewOf(entry.type as Exclude<DataType, 'string'>, encoded.slice())
      model.graph.initializers.set(entry.name, { type: entry.type, dims: entry.dims, data })
    } else {
      const { weights, tensor } = decodeEntry(entry, encoded, where)
      ternary.set(entry.name, weights)
      model.graph.initializers.set(entry.name, tensor)
    }
  }
  return { model, ternary, metadata: container.metadata }
}

function requireEncoding({ encoding }: TensorEntry, where: string): Encoding {
  const known = encodingOf(encoding)
  if (known !== undefined) return known
  throw packedError(where, `encoding ${encoding}`, `0 (raw) or 1 (ternary2) in format version ${FORMAT_VERSION} as this ttq knows it`, TOO_NEW)
}

function decodeEntry({ type, dims, scales }: TensorEntry, encoded: Uint8Array, where: string): { weights: TernaryWeights; tensor: Tensor } {
  if (!isTernaryType(type)) throw packedError(where, `element type ${type} in ternary2`, TERNARY_TYPES.join(', '), NONCONFORMING)
  if (scales === undefined) throw new Error('internal: a ternary2 entry without scales')
  const levels = ternaryLevels(type, scales)
  if (levels === undefined) {
    throw packedError(where, `wp ${scales.wp}, wn ${scales.wn}`, `scales that ${type} holds exactly`, NONCONFORMING)
  }
  const codes = decodeTernary(encoded, elementCount(dims), where)
  return { weights: { codes, ...scales }, tensor: { type, dims, data: valuesOf(codes, levels) } }
}

function readGraph(container: Container, where: string): Model {
  const graph = inflate(container, where)
  try {
    return readModel(graph, { name: where })
  } catch (cause) {
    if (!(cause instanceof TtqError)) throw cause
    throw new TtqError('packed', cause.message, { facts: cause.facts, hint: NONCONFORMING, cause })
  }
}

// One byte more than promised, so that a stream which goes on is seen; fflate writes no further than this array reaches.
function inflate({ graph, lengths }: Container, where: string): Uint8Array {
  const expected = `${lengths.graphInflated} bytes as the header says`
  let inflated: Uint8Array
  try {
    inflated = inflateSync(graph, { out: new Uint8Array(lengths.graphInflated + 1) })
  } catch (cause) {
    throw packedError(where, 'bytes that are not a deflate stream', expected, NONCONFORMING, cause)
  }
  if (inflated.length === lengths.graphInflated) return inflated
  const found = inflated.length < lengths.graphInflated ? `${inflated.length} inflated bytes` : 'more inflated bytes'
  throw packedError(where, found, expected, NONCONFORMING)
}

// Every tensor of the table has an empty one of its name and type in the graph, and both are in the same order.
function checkPlaces(tensors: readonly TensorEntry[], model: Model, name: string): void {
  const order = new Map([...model.graph.initializers.keys()].map((key, index) => [key, index]))
  let previous = -1
  for (const entry of tensors) {
    const where = `${name}: tensor "${entry.name}"`
    const place = model.graph.initializers.get(entry.name)
    if (place === undefined) throw packedError(where, 'no place for it in the graph', 'an empty initializer of its name', NONCONFORMING)
    if (place.type !== entry.type || place.dims.length !== 1 || place.dims[0] !== 0) {
      throw packedError(where, `${place.type} of shape [${place.dims.join(',')}] in the graph`, `${entry.type} of shape [0]`, NONCONFORMING)
    }
    const index = order.get(entry.name) as number
    if (index < previous) throw packedError(where, 'another order than in the graph', 'the order of the initializers', NONCONFORMING)
    previous = index
  }
}
