// PackedModel -> .ttq bytes. The reverse is unpack.ts; the layout is docs/ttq-format.md.
import { deflateSync } from 'fflate'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { viewOf } from '../tensor/bytes.js'
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import { writeContainer } from './container.js'
import { dataBytes, encodingOf } from './encodings.js'
import { align, LIMITS, type TensorEntry } from './format.js'
import { packedError } from './packed-error.js'
import type { PackedModel } from './packed-model.js'
import type { StoredForm } from './stored-form.js'

/**
 * Full-precision tensors of at least this many bytes go to the data section, smaller ones stay in the graph.
 * Measured with random ternary codes, file bytes at a limit of 1 / 256 / 1024 / 4096 bytes / no limit:
 * CIFAR-10 ResNet-20 (1,093,971 as ONNX) 82,848 / 77,856 / 77,600 / 77,408 / 77,408, i.e. 13.2x to 14.1x; the same with
 * batch norm kept 95,648 / 88,288 / 86,816 / 86,624 / 86,624; a text direction classifier of many small layers 94,624 /
 * 84,448 / 79,456 / 79,456 / 79,456. Beyond 1024 next to nothing is gained, and what is in the graph cannot be mapped
 * into memory.
 */
const RAW_TENSOR_BYTES = 1024

// Pinned, because fflate chooses `mem` by a logarithm, whose last digit may differ between machines.
const DEFLATE = { level: 9, mem: 8 } as const

/**
 * The bytes of a .ttq file, version 1. The same PackedModel gives the same bytes on every machine (little-endian, as
 * all that Node and ONNX Runtime support are). Law: unpack(pack(p)) equals p.
 * @throws TtqError `packed` when a ternary tensor is not in the graph, is not float32, float16 or float64, does not
 * hold the values of its codes and scales bit for bit, or has scales that are not positive, finite and exact; when a
 * tensor of `rest` does not hold its form's values bit for bit; when something exceeds the format's limits
 */
export function pack({ model, ternary, rest = new Map(), metadata }: PackedModel): Uint8Array {
  const forms = storedForms(ternary, rest)
  for (const [name, form] of forms) checkForm(name, model.graph.initializers.get(name), form)
  const tensors = tensorTable(model, forms)
  const graphBytes = writeModel(withoutBytes(model, tensors))
  if (graphBytes.length > LIMITS.graphInflatedBytes) {
    const hint = 'Weights inside the bodies of If, Loop or Scan cannot be packed: move them to the outer graph.'
    throw packedError(
      'packed: graph without its tensors',
      `${graphBytes.length} bytes`,
      `at most ${LIMITS.graphInflatedBytes}`,
      hint,
    )
  }
  const last = tensors.at(-1)
  return writeContainer({
    metadata,
    tensors,
    graph: deflateSync(graphBytes, DEFLATE),
    graphInflatedBytes: graphBytes.length,
    dataBytes: last === undefined ? 0 : align(last.offset + last.length),
    writeTensor: ({ name }, target) => {
      const form = forms.get(name) ?? RAW
      encodingOf(form).encode(model.graph.initializers.get(name) as Tensor, form, target, placeOf(name, form))
    },
  })
}

const RAW: StoredForm = { encoding: 'raw' }

function storedForms(
  ternary: PackedModel['ternary'],
  rest: NonNullable<PackedModel['rest']>,
): Map<ValueName, StoredForm> {
  const forms = new Map<ValueName, StoredForm>(rest)
  for (const [name, weights] of ternary) {
    const other = rest.get(name)
    if (other !== undefined) {
      const found = `ternary codes and ${other.encoding}`
      throw packedError(`packed: tensor "${name}"`, found, 'one of them', 'Store it in one form.')
    }
    forms.set(name, { encoding: 'ternary2', ...weights })
  }
  return forms
}

function placeOf(name: ValueName, form: StoredForm): string {
  return `packed: ${'wp' in form ? 'ternary ' : ''}tensor "${name}"`
}

function checkForm(name: ValueName, tensor: Tensor | undefined, form: StoredForm): void {
  const where = placeOf(name, form)
  const { name: encoding, types, check } = encodingOf(form)
  if (tensor === undefined)
    throw packedError(where, 'no such initializer', 'one of the graph', 'Name an initializer of the main graph.')
  if (!types.includes(tensor.type)) {
    const found = `element type ${tensor.type} in ${encoding}`
    throw packedError(where, found, types.join(', '), 'Leave this tensor as it is.')
  }
  check(tensor, form, where)
}

// In the order of the graph's initializers, one behind the other, each at a multiple of 64.
function tensorTable(model: Model, forms: ReadonlyMap<ValueName, StoredForm>): TensorEntry[] {
  const entries: TensorEntry[] = []
  let offset = 0
  for (const [name, { type, dims }] of model.graph.initializers) {
    const form = forms.get(name) ?? RAW
    // Strings have no bytes of their own and stay in the graph.
    const length = type === 'string' ? 0 : dataBytes(form, type, dims)
    if (form.encoding === 'raw' && length < RAW_TENSOR_BYTES) continue
    checkShape(name, dims)
    const { id: encoding, writeParameters } = encodingOf(form)
    entries.push({ name, type, dims, encoding, offset, length, parameters: writeParameters(form) })
    offset = align(offset + length)
  }
  return entries
}

function checkShape(name: ValueName, dims: readonly number[]): void {
  if (dims.length <= LIMITS.rank && dims.every((dim) => dim < 2 ** 32)) return
  const expected = `at most ${LIMITS.rank} dimensions, each below 2^32`
  throw packedError(`packed: tensor "${name}"`, `shape [${dims.join(',')}]`, expected, 'Reshape it in the graph.')
}

// An empty tensor keeps the place of each tensor in the table, so that the graph stays legal ONNX and the order is not
// lost.
function withoutBytes(model: Model, tensors: readonly TensorEntry[]): Model {
  const initializers = new Map(model.graph.initializers)
  for (const { name, type } of tensors) {
    initializers.set(name, { type, dims: [0], data: viewOf(type as Exclude<DataType, 'string'>, new Uint8Array()) })
  }
  return { ...model, graph: { ...model.graph, initializers } }
}
