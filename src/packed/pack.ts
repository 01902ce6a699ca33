// PackedModel -> .ttq bytes. The reverse is unpack.ts; the layout is docs/ttq-format.md.
import { checkKind, checkObject, checkOptions } from '../errors/check-argument.js'
import { TtqError } from '../errors/ttq-error.js'
import { checkModel } from '../onnx/check-model.js'
import type { Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import type { TernaryEncoding } from '../options/choices.js'
import { viewOf } from '../tensor/bytes.js'
import { byteLength, type DataType, isFloatType } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { chooseForms } from './choose-forms.js'
import type { CodeModel } from './code-model.js'
import { type StoredEntry, writeContainer } from './container.js'
import { encodingOf } from './encodings.js'
import { LIMITS } from './format.js'
import { packedError } from './packed-error.js'
import type { PackedModel } from './packed-model.js'
import { isTernaryForm, type RestForm, type StoredForm } from './stored-form.js'

export interface PackOptions {
  /** How ternary tensors are stored: `2bit` and `base3` can be used where they lie. Default `auto`, the smallest. */
  encoding?: TernaryEncoding
}

/**
 * Tensors that are not ternary go to the pool up to so many bytes each and together, where the file is to be small:
 * deflate takes ResNet-18's last layer (2 MB) from 2,048,000 to 1.75 million bytes in 0.3 s, and gains as little on
 * whatever is larger.
 */
const SMALL_FILE = { tensor: 2 ** 22, pool: 2 ** 24 } as const

/** The same where it is to be mapped into memory. */
const MAPPED_FILE = { tensor: 2 ** 10, pool: 2 ** 24 } as const

/** Floating-point tensors of fewer elements stay in the graph: an entry takes about ten bytes. */
const FEWEST_ELEMENTS = 16

/**
 * The bytes of a .ttq file, version 2. The same PackedModel gives the same bytes on every machine (little-endian, as
 * all that Node and ONNX Runtime support are). Law: unpack(pack(p)) equals p.
 * @throws TtqError `packed` when a ternary tensor is not in the graph, is not float32, float16 or float64, does not
 * hold the values of its codes and scales bit for bit, or has scales that are not positive, finite and exact; when a
 * tensor of `rest` does not hold its form's values bit for bit; when something exceeds the format's limits; `usage` for
 * what is no PackedModel
 */
export function pack(packed: PackedModel, options: PackOptions = {}): Uint8Array {
  checkGiven(packed, options)
  const { encoding = 'auto' } = options
  checkForms(packed)
  const { model, metadata, ternary, rest = new Map<ValueName, RestForm>() } = packed
  const { initializers } = model.graph
  const weights = new Map(
    [...ternary].map(([name, each]) => {
      const { type, dims } = initializers.get(name) as Tensor
      return [name, { type, dims, weights: each }]
    }),
  )
  const { forms, models } = chooseForms(weights, encoding)
  const isMapped = encoding === '2bit' || encoding === 'base3'
  const all = new Map<ValueName, StoredForm>([...rest, ...forms])
  const tensors = storedEntries(model, all, models, isMapped ? MAPPED_FILE : SMALL_FILE)
  const graph = writeModel(withoutBytes(model, tensors))
  if (graph.length > LIMITS.graphInflatedBytes) {
    const hint = 'Weights inside the bodies of If, Loop or Scan cannot be packed: move them to the outer graph.'
    const found = `${graph.length} bytes`
    throw packedError('packed: graph without its tensors', found, `at most ${LIMITS.graphInflatedBytes}`, hint)
  }
  return writeContainer({ metadata, models, tensors, graph })
}

// Of the options this room takes types alone.
const ENCODINGS: readonly TernaryEncoding[] = ['auto', 'entropy', 'base3', '2bit']

function checkGiven(packed: PackedModel, options: PackOptions): void {
  checkObject('packed', packed, 'a PackedModel, as unpack gives it')
  checkModel('packed.model', packed.model)
  checkKind('packed.ternary', packed.ternary, 'Map')
  for (const [name, weights] of packed.ternary) {
    checkObject(`packed.ternary "${name}"`, weights, 'an object with codes, wp and wn')
    checkKind(`packed.ternary "${name}".codes`, weights.codes, 'Int8Array')
  }
  if (packed.rest !== undefined) checkKind('packed.rest', packed.rest, 'Map')
  checkObject('packed.metadata', packed.metadata, 'an object of texts')
  checkOptions(options)
  const { encoding } = options
  if (encoding === undefined || ENCODINGS.includes(encoding)) return
  throw new TtqError('usage', `encoding: found ${encoding}, expected ${ENCODINGS.join(', ')}`)
}

const RAW: StoredForm = { encoding: 'raw' }

function placeOf(name: ValueName, form: StoredForm): string {
  return `packed: ${isTernaryForm(form) ? 'ternary ' : ''}tensor "${name}"`
}

// Each form holds its tensor, whichever of the ternary encodings it will be.
function checkForms({ model, ternary, rest = new Map() }: PackedModel): void {
  for (const [name, form] of rest) checkForm(name, model.graph.initializers.get(name), form)
  for (const [name, weights] of ternary) {
    const other = rest.get(name)
    if (other !== undefined) {
      const found = `ternary codes and ${other.encoding}`
      throw packedError(`packed: tensor "${name}"`, found, 'one of them', 'Store it in one form.')
    }
    checkForm(name, model.graph.initializers.get(name), { encoding: 'ternary2', ...weights })
  }
}

function checkForm(name: ValueName, tensor: Tensor | undefined, form: StoredForm): void {
  const where = placeOf(name, form)
  const { decoding, check } = encodingOf(form)
  if (tensor === undefined)
    throw packedError(where, 'no such initializer', 'one of the graph', 'Name an initializer of the main graph.')
  if (!decoding.types.includes(tensor.type)) {
    const found = `element type ${tensor.type} in ${decoding.name}`
    throw packedError(where, found, decoding.types.join(', '), 'Leave this tensor as it is.')
  }
  check(tensor, form, where)
}

// In the order of the graph's initializers.
function storedEntries(
  model: Model,
  forms: ReadonlyMap<ValueName, StoredForm>,
  models: readonly CodeModel[],
  limits: Readonly<Record<'tensor' | 'pool', number>>,
): StoredEntry[] {
  const entries: StoredEntry[] = []
  let pooled = 0
  for (const [name, tensor] of model.graph.initializers) {
    const form = forms.get(name) ?? RAW
    if (form.encoding === 'raw' && staysInGraph(tensor)) continue
    const { type, dims } = tensor
    checkShape(name, dims)
    const { decoding, isArray, poolWidth, writeParameters, encode } = encodingOf(form)
    const bytes = encode(tensor, form, placeOf(name, form), models)
    const { length } = bytes
    const isPooled = !isTernaryForm(form) && length < limits.tensor && pooled + length <= limits.pool
    if (isPooled) pooled += length
    const place = isPooled ? poolWidth(type) : isArray ? 'aligned' : 'behind'
    entries.push({ name, type, dims, encoding: decoding.id, place, parameters: writeParameters(form), length, bytes })
  }
  return entries
}

// Strings have no bytes of their own; the others are few, and part of shape arithmetic more often than not.
function staysInGraph({ type, dims }: Tensor): boolean {
  if (type === 'string') return true
  const elements = elementCount(dims)
  return isFloatType(type) || type === 'bfloat16' ? elements < FEWEST_ELEMENTS : byteLength(type, elements) < 1024
}

function checkShape(name: ValueName, dims: readonly number[]): void {
  if (dims.length <= LIMITS.rank && dims.every((dim) => dim < 2 ** 32)) return
  const expected = `at most ${LIMITS.rank} dimensions, each below 2^32`
  throw packedError(`packed: tensor "${name}"`, `shape [${dims.join(',')}]`, expected, 'Reshape it in the graph.')
}

// An empty tensor keeps the place of each tensor in the table, so that the graph stays legal ONNX and the order is not
// lost.
function withoutBytes(model: Model, tensors: readonly StoredEntry[]): Model {
  const initializers = new Map(model.graph.initializers)
  for (const { name, type } of tensors) {
    initializers.set(name, { type, dims: [0], data: viewOf(type as Exclude<DataType, 'string'>, new Uint8Array()) })
  }
  return { ...model, graph: { ...model.graph, initializers } }
}
