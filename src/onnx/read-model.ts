// ONNX bytes -> Model. Values of tensors are read-tensor.ts, the legality of graphs is check-graph.ts.
import { checkBytes, checkOptions } from '../errors/check-argument.js'
import { TtqError } from '../errors/ttq-error.js'
import { byteLength, dataTypeOfOnnx } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'
import { checkGraph } from './check-graph.js'
import type { Attribute, Attributes, Graph, Model, Node, TensorType, ValueInfo, ValueName } from './model.js'
import {
  type AttributeProto,
  decodeModel,
  type GraphProto,
  messages,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  toBigInt,
  toNumber,
  type TypeProto,
  type ValueInfoProto,
} from './proto.js'
import { MAX_FILE_BYTES } from './file-size.js'
import { inTopologicalOrder } from './in-topological-order.js'
import { readSparse, type SparseTensorProto } from './read-sparse.js'
import { type ExternalData, readTensor, type TensorSource } from './read-tensor.js'
import { sourceOf } from './source.js'

export type { ExternalData }

export interface ReadOptions {
  /** How messages call the model, usually its file name. Default `onnx`. */
  name?: string
  /** Gives the bytes of external data files; without it a model that has some is refused. */
  externalData?: ExternalData
  /** Told of each tensor that is external data how many bytes it has. */
  onExternalBytes?: (bytes: number) => void
  /**
   * Weights may be moved by a few bytes within the given ones, to where their type can be viewed, instead of being
   * copied: the model then takes no more memory than its file. The given bytes are no ONNX model afterwards. Default
   * false.
   */
  overwrite?: boolean
}

interface Context {
  name: string
  source: TensorSource
}

const SPARSE_TENSOR = 11
const OLDEST_IR_VERSION = 3
/** No version is near it; what is beyond is no version. */
const LAST_IR_VERSION = 2 ** 31 - 1

/**
 * Reads an ONNX model of IR version 3 or later. Weights are views of `bytes` where their alignment allows it.
 * `Constant` nodes become initializers, sparse tensors dense ones where that is no multiple of the file, initializers
 * listed as inputs are no inputs, and the domain `ai.onnx` is ''. External data of more than 2 GB in all are read when
 * they are needed, tensor by tensor, and not kept. Law: writeModel(readModel(b)) computes what b computes.
 * @throws TtqError `model` when the bytes are not a whole, legal ONNX model or external data is missing; `usage` for
 * what are no bytes, or no options
 * Source: https://onnx.ai/onnx/repo-docs/IR.html
 */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Model {
  checkBytes('model', bytes)
  checkOptions(options)
  const context: Context = {
    name: options.name ?? 'onnx',
    source: {
      externalData: options.externalData,
      overwrite: options.overwrite ?? false,
      onExternalBytes: options.onExternalBytes,
    },
  }
  const proto = decode(bytes, context.name)
  const irVersion = toNumber(proto.irVersion)
  if (!proto.graph) throw new TtqError('model', `${context.name}: holds no graph, expected an ONNX model`)
  if (!(irVersion >= OLDEST_IR_VERSION && irVersion <= LAST_IR_VERSION)) {
    throw new TtqError('model', `${context.name}: IR version ${irVersion}, expected ${OLDEST_IR_VERSION} or later`)
  }
  if (proto.opsetImport.length === 0)
    throw new TtqError('model', `${context.name}: imports no operator set, expected at least one`)
  const opsets = new Map(
    proto.opsetImport.map((entry) => [plainDomain(entry.domain ?? ''), toNumber(entry.version ?? 0)]),
  )
  context.source.deferred = externalBytes(proto.graph as GraphProto) > MAX_FILE_BYTES
  const graph = readGraph(proto.graph as GraphProto, context)
  checkGraph(graph, context.name)
  proto.graph = null
  return { irVersion, opsets, graph, source: sourceOf(proto) }
}

function externalBytes({ initializer }: GraphProto): number {
  return (initializer as TensorProto[]).reduce((sum, { externalData, dataType, dims }) => {
    const type = externalData.length > 0 ? dataTypeOfOnnx(dataType) : undefined
    return sum + (type === undefined || type === 'string' ? 0 : byteLength(type, elementCount(dims.map(toNumber))))
  }, 0)
}

function decode(bytes: Uint8Array, name: string): ModelProto {
  if (bytes.length === 0) throw new TtqError('model', `${name}: the file is empty, expected an ONNX model`)
  if (String.fromCharCode(...bytes.subarray(0, 19)) === 'version https://git') {
    const hint = 'Fetch the real file with "git lfs pull".'
    throw new TtqError('model', `${name}: a Git LFS pointer, expected an ONNX model`, { hint })
  }
  try {
    return decodeModel(bytes)
  } catch (cause) {
    throw damaged(name, cause)
  }
}

/** What reading a damaged message comes to (not thrown). */
export function damaged(name: string, cause: unknown): TtqError {
  const reason = cause instanceof RangeError ? 'a field reaches beyond its end' : (cause as Error).message
  const hint = 'The file may have been cut short, or it may be of another format.'
  return new TtqError('model', `${name}: not an ONNX model, or a damaged one: ${reason}`, { hint, cause })
}

/** The name of a domain, of which ai.onnx has two. */
export function plainDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

function readGraph(proto: GraphProto, context: Context): Graph {
  const initializers = new Map<ValueName, Tensor>()
  const add = (name: ValueName, tensor: Tensor): void => {
    if (name === '') throw new TtqError('model', `${context.name}: an initializer has no name`)
    if (initializers.has(name)) throw new TtqError('model', `${context.name}: value "${name}" is defined twice`)
    initializers.set(name, tensor)
  }
  for (const tensor of proto.initializer as TensorProto[]) add(tensor.name, readStripped(tensor, tensor.name, context))
  const inputs = (proto.input as ValueInfoProto[]).filter((input) => !initializers.has(input.name)).map(readValueInfo)
  const outputs = (proto.output as ValueInfoProto[]).map(readValueInfo)
  const nodes: Node[] = []
  for (const tensor of proto.sparseInitializer) {
    const dense = readSparse(tensor, `${context.name}: sparse tensor "${tensor.values?.name}"`, context.source)
    if (dense === undefined) nodes.push(sparseConstant(tensor))
    else add(tensor.values?.name ?? '', dense)
  }
  for (const node of proto.node as NodeProto[]) {
    const constant = readConstant(node, context)
    if (constant === undefined) nodes.push(readNode(node, context))
    else add(node.output[0] as string, constant)
  }
  proto.node = []
  proto.sparseInitializer = []
  const ordered = [...inTopologicalOrder(nodes)]
  return { name: proto.name, nodes: ordered, inputs, outputs, initializers, source: sourceOf(proto) }
}

/**
 * The nodes of a function, as a graph without inputs and outputs; `name` is the model's.
 * @internal
 */
export function readBody(nodes: GraphProto['node'], name: string): Graph {
  const context: Context = { name, source: { externalData: undefined } }
  return readGraph(new messages.GraphProto({ node: nodes }), context)
}

/**
 * The default of a function's attribute.
 * @internal
 */
export function readDefault(proto: AttributeProto, name: string): Attribute {
  const context: Context = { name, source: { externalData: undefined } }
  return readAttribute(proto, new messages.NodeProto(), context)
}

const VALUE_FIELDS = [
  'rawData',
  'floatData',
  'int32Data',
  'int64Data',
  'doubleData',
  'uint64Data',
  'externalData',
  'dataLocation',
] as const

// The message stays as the tensor's source (doc string, metadata); its values would only take memory there.
function readStripped(proto: TensorProto, name: string, context: Context): Tensor {
  const tensor = readTensor(proto, `${context.name}: tensor "${name}"`, context.source)
  for (const field of VALUE_FIELDS) delete (proto as Partial<TensorProto>)[field]
  return tensor
}

function readNode(proto: NodeProto, context: Context): Node {
  const names = proto.attribute.map(({ name }) => name as string)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined)
    throw new TtqError(
      'model',
      `${context.name}: node "${proto.name}" (${proto.opType}): attribute "${twice}" is given twice`,
    )
  const attributes = Object.fromEntries(
    (proto.attribute as AttributeProto[]).map((attribute) => [
      attribute.name,
      readAttribute(attribute, proto, context),
    ]),
  )
  return {
    name: proto.name,
    opType: proto.opType,
    domain: plainDomain(proto.domain),
    inputs: proto.input,
    outputs: proto.output,
    attributes,
    source: sourceOf(proto),
  }
}

// AttributeProto.AttributeType
const KINDS: Readonly<Record<number, Attribute['kind']>> = {
  1: 'float',
  2: 'int',
  3: 'string',
  4: 'tensor',
  5: 'graph',
  6: 'floats',
  7: 'ints',
  8: 'strings',
  10: 'graphs',
}

// Early writers left the type out; the field that is there tells it.
function kindOf(proto: AttributeProto): Attribute['kind'] {
  if (proto.refAttrName !== '') return 'other'
  if ((proto.type as number) !== 0) return KINDS[proto.type] ?? 'other'
  const singles = { f: 'float', i: 'int', s: 'string', t: 'tensor', g: 'graph' } as const
  for (const [field, kind] of Object.entries(singles)) if (Object.hasOwn(proto, field)) return kind
  return (['floats', 'ints', 'strings', 'graphs'] as const).find((field) => proto[field].length > 0) ?? 'other'
}

function readAttribute(proto: AttributeProto, node: NodeProto, context: Context): Attribute {
  const kind = kindOf(proto)
  if (kind === 'tensor' && proto.t) {
    const value = readStripped(proto.t as TensorProto, `${node.output[0] ?? node.name}.${proto.name}`, context)
    return { kind, value, source: sourceOf(proto) }
  }
  if (kind === 'graph' && proto.g)
    return { kind, value: readGraph(proto.g as GraphProto, context), source: sourceOf(proto) }
  if (kind === 'graphs') {
    return {
      kind,
      value: proto.graphs.map((graph) => readGraph(graph as GraphProto, context)),
      source: sourceOf(proto),
    }
  }
  return { ...readPlainAttribute(proto), source: sourceOf(proto) }
}

/**
 * The value of an attribute that holds neither tensors nor graphs; `other` for those that do and for kinds not
 * modelled.
 * @internal
 */
export function readPlainAttribute(proto: AttributeProto): Attribute {
  const kind = kindOf(proto)
  switch (kind) {
    case 'float':
      return { kind, value: proto.f }
    case 'int':
      return { kind, value: toNumber(proto.i) }
    case 'string':
      return { kind, value: text(proto.s) }
    case 'floats':
      return { kind, value: proto.floats }
    case 'ints':
      return { kind, value: proto.ints.map(toNumber) }
    case 'strings':
      return { kind, value: proto.strings.map(text) }
    default:
      return { kind: 'other' }
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

// Operator Constant. https://onnx.ai/onnx/operators/onnx__Constant.html
function readConstant(node: NodeProto, context: Context): Tensor | undefined {
  const [attribute] = node.attribute as AttributeProto[]
  if (node.opType !== 'Constant' || plainDomain(node.domain) !== '' || node.attribute.length !== 1 || !attribute)
    return undefined
  if (node.output.length !== 1 || attribute.refAttrName !== '') return undefined
  switch (attribute.name) {
    case 'value':
      return attribute.t ? readStripped(attribute.t as TensorProto, node.output[0] as string, context) : undefined
    case 'sparse_value':
      return attribute.sparseTensor
        ? readSparse(attribute.sparseTensor, `${context.name}: sparse tensor "${node.output[0]}"`, context.source)
        : undefined
    case 'value_float':
      return { type: 'float32', dims: [], data: Float32Array.of(attribute.f) }
    case 'value_floats':
      return { type: 'float32', dims: [attribute.floats.length], data: Float32Array.from(attribute.floats) }
    case 'value_int':
      return { type: 'int64', dims: [], data: BigInt64Array.of(toBigInt(attribute.i)) }
    case 'value_ints':
      return { type: 'int64', dims: [attribute.ints.length], data: BigInt64Array.from(attribute.ints, toBigInt) }
    case 'value_string':
      return { type: 'string', dims: [], data: [text(attribute.s)] }
    case 'value_strings':
      return { type: 'string', dims: [attribute.strings.length], data: attribute.strings.map(text) }
    default:
      return undefined
  }
}

// What stays sparse is a constant like any other; as a node it needs no place of its own in the model.
function sparseConstant(tensor: SparseTensorProto): Node {
  const value = new messages.AttributeProto({ name: 'sparse_value', type: SPARSE_TENSOR, sparseTensor: tensor })
  const name = tensor.values?.name ?? ''
  const attributes: Attributes = { sparse_value: { kind: 'other', source: sourceOf(value) } }
  return { name, opType: 'Constant', domain: '', inputs: [], outputs: [name], attributes }
}

function readValueInfo(proto: ValueInfoProto): ValueInfo {
  return { name: proto.name, type: proto.type ? readType(proto.type as TypeProto) : undefined, source: sourceOf(proto) }
}

/**
 * The tensor type of a TypeProto; undefined for sequences, maps, optionals and tensors of unknown element type.
 * @internal
 */
export function readType(proto: TypeProto): TensorType | undefined {
  const elementType = dataTypeOfOnnx(proto.tensorType?.elemType ?? 0)
  if (elementType === undefined) return undefined
  const dims = proto.tensorType?.shape?.dim?.map((dim) => {
    const value = Object.hasOwn(dim, 'dimValue') && dim.dimValue !== null ? toNumber(dim.dimValue ?? -1) : -1
    // Below 0, which some exporters write, it is open.
    if (value >= 0) return value
    return dim.dimParam ? dim.dimParam : null
  })
  return { elementType, dims }
}
