// .ttq bytes -> PackedModel. The reverse is pack.ts; a look without decoding is inspect-packed.ts.
import { checkOptions } from '../errors/check-argument.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Model, ValueName } from '../onnx/model.js'
import { readModel } from '../onnx/read-model.js'
import { writeModel } from '../onnx/write-model.js'
import { sameBytes, sameTensor } from '../tensor/same-tensor.js'
import type { Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { type Container, readContainer } from './container.js'
import { checkPlaces, decodeEntry } from './decode-entry.js'
import { NONCONFORMING } from './packed-error.js'
import type { PackedModel } from './packed-model.js'
import { isTernaryForm, type RestForm } from './stored-form.js'

export interface UnpackOptions {
  /** How messages call the file. Default `packed`. */
  name?: string
}

/**
 * Reads a .ttq file of version 1 or 2; nothing in the result shares memory with `bytes`. Every byte is covered by
 * checks, the SHA-256 first, and no more memory is taken than the file's own tables and its length vouch for. Law:
 * unpack(pack(p)) equals p.
 * @throws TtqError `packed` for everything that is not exactly such a file
 */
export function unpack(bytes: Uint8Array, options: UnpackOptions = {}): Required<PackedModel> {
  checkOptions(options)
  const { name = 'packed' } = options
  const container = readContainer(bytes, name)
  const model = readGraph(container, `${name}: graph section`)
  const ternary = new Map<ValueName, TernaryWeights>()
  const rest = new Map<ValueName, RestForm>()
  checkPlaces(container.tensors, model.graph.initializers, name)
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
export async function packsExactly(bytes: Uint8Array, model: Model): Promise<boolean> {
  const container = readContainer(bytes, 'packed')
  const found = readGraph(container, 'packed: graph section')
  checkPlaces(container.tensors, found.graph.initializers, 'packed')
  const places = new Map(container.tensors.map(({ name }) => [name, found.graph.initializers.get(name) as Tensor]))
  const initializers = new Map(
    [...model.graph.initializers].map(([name, tensor]) => [name, places.get(name) ?? tensor]),
  )
  if (!sameBytes(writeModel(found), writeModel({ ...model, graph: { ...model.graph, initializers } }))) return false
  for (const entry of container.tensors) {
    const own = model.graph.initializers.get(entry.name)
    if (own === undefined || !sameTensor(decodeEntry(container, entry, 'packed').tensor, own)) return false
    // Arrays are freed between two tasks: without one, all tensors were in memory in the end.
    await nextTask()
  }
  return true
}

async function nextTask(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve)
  })
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
