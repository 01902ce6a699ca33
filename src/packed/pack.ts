// PackedModel -> .ttq bytes. The reverse is unpack.ts; the layout is docs/ttq-format.md.
import { deflateSync } from 'fflate'
import type { Model, ValueName } from '../onnx/model.js'
import { viewOf } from '../onnx/read-tensor.js'
import { writeModel } from '../onnx/write-model.js'
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import { writeContainer } from './container.js'
import { align, ENCODINGS, LIMITS, type TensorEntry } from './format.js'
import { packedError } from './packed-error.js'
import type { PackedModel } from './packed-model.js'
import { checkForm, encodeForm, formByteLength, type RestForm } from './rest-form.js'
import { encodeTernary, ternaryByteLength } from './ternary-codec.js'
import { firstDifference, isScale, isTernaryType, TERNARY_TYPES, ternaryLevels } from './ternary-values.js'

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
  for (const [name, weights] of ternary) checkTernary(name, model.graph.initializers.get(name), weights)
  for (const [name, form] of rest) checkRest(name, model.graph.initializers.get(name), form, ternary)
  const tensors = tensorTable(model, ternary, rest)
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
      const weights = ternary.get(name)
      const form = rest.get(name)
      const tensor = model.graph.initializers.get(name) as Tensor
      if (weights !== undefined) encodeTernary(weights.codes, target, `packed: ternary tensor "${name}"`)
      else if (form !== undefined) encodeForm(tensor, form, target, `packed: tensor "${name}"`)
      else target.set(rawBytes(tensor))
    },
  })
}

function checkTernary(name: ValueName, tensor: Tensor | undefined, { codes, wp, wn }: TernaryWeights): void {
  const where = `packed: ternary tensor "${name}"`
  if (tensor === undefined)
    throw packedError(where, 'no such initializer', 'one of the graph', 'Name an initializer of the main graph.')
  const { type, data } = tensor
  if (!isTernaryType(type))
    throw packedError(where, `element type ${type}`, TERNARY_TYPES.join(', '), 'Leave this tensor in full precision.')
  if (codes.length !== data.length) {
    throw packedError(
      where,
      `${codes.length} codes`,
      `${data.length}, one for each element`,
      'Give codes and values of the same tensor.',
    )
  }
  for (const [scale, value] of Object.entries({ wp, wn })) {
    if (!isScale(value))
      throw packedError(where, `${scale} ${value}`, 'a positive, finite float32', 'Round the scale with Math.fround.')
  }
  const levels = ternaryLevels(type, { wp, wn })
  if (levels === undefined)
    throw packedError(where, `wp ${wp}, wn ${wn}`, `scales that ${type} holds exactly`, `Round the scales to ${type}.`)
  const bad = codes.findIndex((code) => code < -1 || code > 1)
  if (bad >= 0)
    throw packedError(
      where,
      `code ${codes[bad]} at index ${bad}`,
      '-1, 0 or 1',
      'Give every weight one of the three codes.',
    )
  const different = firstDifference(data, codes, levels)
  if (different < 0) return
  const expected = `${levels[(codes[different] as number) + 1]}, the value of code ${codes[different]}`
  throw packedError(
    where,
    `value ${Object.is(data[different], -0) ? '-0' : String(data[different])} at index ${different}`,
    expected,
    'Store the decoded values in the model.',
  )
}

function checkRest(
  name: ValueName,
  tensor: Tensor | undefined,
  form: RestForm,
  ternary: ReadonlyMap<ValueName, TernaryWeights>,
): void {
  const where = `packed: tensor "${name}"`
  if (tensor === undefined)
    throw packedError(where, 'no such initializer', 'one of the graph', 'Name an initializer of the main graph.')
  if (ternary.has(name))
    throw packedError(where, `ternary codes and ${form.encoding}`, 'one of them', 'Store it in one form.')
  checkForm(tensor, form, where)
}

// In the order of the graph's initializers, one behind the other, each at a multiple of 64.
function tensorTable(
  model: Model,
  ternary: ReadonlyMap<ValueName, TernaryWeights>,
  rest: ReadonlyMap<ValueName, RestForm>,
): TensorEntry[] {
  const entries: TensorEntry[] = []
  let offset = 0
  for (const [name, tensor] of model.graph.initializers) {
    const stored = storage(tensor, ternary.get(name), rest.get(name))
    if (stored.encoding === ENCODINGS.raw && stored.length < RAW_TENSOR_BYTES) continue
    const { type, dims } = tensor
    checkShape(name, dims)
    entries.push({ name, type, dims, offset, ...stored })
    offset = align(offset + stored.length)
  }
  return entries
}

function storage(
  tensor: Tensor,
  scales: TernaryWeights | undefined,
  form: RestForm | undefined,
): Omit<TensorEntry, 'name' | 'type' | 'dims' | 'offset'> {
  if (scales !== undefined)
    return { encoding: ENCODINGS.ternary2, length: ternaryByteLength(scales.codes.length), scales }
  if (form === undefined) return { encoding: ENCODINGS.raw, length: rawLength(tensor) }
  return {
    encoding: ENCODINGS[form.encoding],
    length: formByteLength(tensor, form),
    axis: form.encoding === 'int8' ? form.axis : undefined,
  }
}

function checkShape(name: ValueName, dims: readonly number[]): void {
  if (dims.length <= LIMITS.rank && dims.every((dim) => dim < 2 ** 32)) return
  const expected = `at most ${LIMITS.rank} dimensions, each below 2^32`
  throw packedError(`packed: tensor "${name}"`, `shape [${dims.join(',')}]`, expected, 'Reshape it in the graph.')
}

// Strings have no bytes of their own and stay in the graph.
function rawLength({ type, data }: Tensor): number {
  return type === 'string' ? 0 : (data as Uint8Array).byteLength
}

function rawBytes({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Uint8Array
  return new Uint8Array(buffer, byteOffset, byteLength)
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
