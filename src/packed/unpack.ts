// .ttq bytes -> PackedModel. The reverse is pack.ts; a look without decoding is inspect-packed.ts.
import { TtqError } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import { readModel } from '../onnx/read-model.js'
import { writeModel } from '../onnx/write-model.js'
import { sameBytes, sameTensor } from '../tensor/same-tensor.js'
import type { Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { type Container, readContainer } from './container.js'
import type { Encoding } from './encoding.js'
import { ENCODINGS, encodingWithId, isKnown } from './encodings.js'
import type { FormatVersion, TensorEntry } from './format.js'
import { NONCONFORMING, packedError, TOO_NEW } from './packed-error.js'
import type { PackedModel } from './packed-model.js'
import { isTernaryForm, type RestForm, type StoredForm } from './stored-form.js'

export interface UnpackOptions {
  /** How messages call the file. Default `packed`. */
  name?: string
}

/**
 * Reads a .ttq file of version 1 or 2; nothing in the result shares memory with `bytes`. Every byte is covered by checks,
 * the SHA-256 first, and no more memory is taken than the file's own tables and its length vouch for. Law:
 * unpack(pack(p)) equals p.
 * @throws TtqError `packed` for everything that is not exactly such a file
 */
export function unpack(bytes: Uint8Array, { name = 'packed' }: UnpackOptions = {}): Required<PackedModel> {
  const container = readContainer(bytes, name)
  const model = readGraph(container, `${name}: graph section`)
  const ternary = new Map<ValueName, TernaryWeights>()
  const rest = new Map<ValueName, RestForm>()
  checkPlaces(container.tensors, model, name)
  for (const entry of container.tensors) {
    const { tensor, form } = decodeEntry(container, entry, name)
    model.graph.initializers.set(entry.name, tensor)
    if (isTernaryForm(form)) ternary.set(entry.name, { codes: form.codes, wp: form.wp, wn: form.wn })
    else if (form.encoding !== 'raw') rest.set(entry.name, form)
  }
  return { model, ternary, rest, metadata: container.metadata }
}

/**
 * Whether a file holds exactly this network: the same graph, every tensor bit for bit. So unpack(bytes).model would be,
 * but only one tensor at a time takes memory here.
 * @throws TtqError `packed` as unpack
 */
export function packsExactly(bytes: Uint8Array, model: Model): boolean {
  const container = readContainer(bytes, 'packed')
  const found = readGraph(container, 'packed: graph section')
  checkPlaces(container.tensors, found, 'packed')
  const places = new Map(container.tensors.map(({ name }) => [name, found.graph.initializers.get(name) as Tensor]))
  const initializers = new Map(
    [...model.graph.initializers].map(([name, tensor]) => [name, places.get(name) ?? tensor]),
  )
  return (
    sameBytes(writeModel(found), writeModel({ ...model, graph: { ...model.graph, initializers } })) &&
    container.tensors.every((entry) => {
      const own = model.graph.initializers.get(entry.name)
      return own !== undefined && sameTensor(decodeEntry(container, entry, 'packed').tensor, own)
    })
  )
}

function requireEncoding({ encoding }: TensorEntry, version: FormatVersion, where: string): Encoding {
  const known = encodingWithId(encoding)
  if (known !== undefined && isKnown(known, version)) return known
  const ids = (Object.values(ENCODINGS) as unknown as Encoding[])
    .filter((each) => isKnown(each, version))
    .map(({ id, name }) => `${id} (${name})`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1')
  throw packedError(where, `encoding ${encoding}`, `${ids} in format version ${version} as this ttq knows it`, TOO_NEW)
}

function decodeEntry(container: Container, entry: TensorEntry, name: string): { tensor: Tensor; form: StoredForm } {
  const where = `${name}: tensor "${entry.name}"`
  const encoding = requireEncoding(entry, container.version, where)
  if (!encoding.types.includes(entry.type)) {
    const found = `element type ${entry.type} in ${encoding.name}`
    throw packedError(where, found, encoding.types.join(', '), NONCONFORMING)
  }
  return encoding.decode(entry, container.bytesOf(entry), where, container.models)
}

function readGraph(container: Container, where: string): Model {
  const graph = container.graph()
  try {
    return readModel(graph, { name: where })
  } catch (cause) {
    if (!(cause instanceof TtqError)) throw cause
    throw new TtqError('packed', cause.message, { facts: cause.facts, hint: NONCONFORMING, cause })
  }
}

// Every tensor of the table has an empty one of its name and type in the graph, and both are in the same order.
function checkPlaces(tensors: readonly TensorEntry[], model: Model, name: string): void {
  const order = new Map([...model.graph.initializers.keys()].map((key, index) => [key, index]))
  let previous = -1
  for (const entry of tensors) {
    const where = `${name}: tensor "${entry.name}"`
    const place = model.graph.initializers.get(entry.name)
    if (place === undefined)
      throw packedError(where, 'no place for it in the graph', 'an empty initializer of its name', NONCONFORMING)
    if (place.type !== entry.type || place.dims.length !== 1 || place.dims[0] !== 0) {
      throw packedError(
        where,
        `${place.type} of shape [${place.dims.join(',')}] in the graph`,
        `${entry.type} of shape [0]`,
        NONCONFORMING,
      )
    }
    const index = order.get(entry.name) as number
    if (index < previous)
      throw packedError(where, 'another order than in the graph', 'the order of the initializers', NONCONFORMING)
    previous = index
  }
}
