// Model -> ONNX bytes. What the model does not say itself comes from the messages it was read from (see Source).
import { bytesOf } from '../tensor/bytes.js'
import { DATA_TYPES } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkModel } from './check-model.js'
import type { Attribute, Graph, Model, Node, TensorType, ValueInfo, ValueName } from './model.js'
import {
  type AttributeProto,
  copyMessage,
  encodeModel,
  type GraphProto,
  messages,
  type ModelProto,
  type NodeProto,
  protoInt,
  type TensorProto,
  type TypeProto,
  type ValueInfoProto,
} from './proto.js'
import { readPlainAttribute, readType } from './read-model.js'
import { messageOf } from './source.js'

// The first one in which an initializer need not be a graph input.
const LOWEST_IR_VERSION = 4

/**
 * Writes a model; equal models give equal bytes. All weights stand in the file itself, as raw data.
 * The IR version is the model's, but at least 4. Law: writeModel(readModel(b)) computes what b computes.
 * @throws TtqError `usage` for what is no Model, `unsupported` when the file would be larger than 2 GiB
 */
export function writeModel(model: Model): Uint8Array {
  checkModel('model', model)
  const source = messageOf<ModelProto>(model.source)
  const proto = source ? copyMessage(source) : new messages.ModelProto({ producerName: 'ttq' })
  proto.irVersion = Math.max(model.irVersion, LOWEST_IR_VERSION)
  proto.opsetImport = [...model.opsets].map(([domain, version]) => new messages.OperatorSetIdProto({ domain, version }))
  const graph = writeGraph(model.graph)
  const initializers = graph.initializer as TensorProto[]
  graph.initializer = []
  return encodeModel(proto, graph, initializers)
}

function writeGraph(graph: Graph): GraphProto {
  const source = messageOf<GraphProto>(graph.source)
  const proto = source ? copyMessage(source) : new messages.GraphProto()
  const tensors = new Map((source?.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor as TensorProto]))
  proto.name = graph.name || 'graph'
  proto.node = namedOnce(graph.nodes).map(writeNode)
  proto.initializer = [...graph.initializers].map(([name, tensor]) => writeTensor(tensor, name, tensors.get(name)))
  proto.input = graph.inputs.map(writeValueInfo)
  proto.output = graph.outputs.map(writeValueInfo)
  const names = new Set<ValueName>([...graph.initializers.keys(), ...graph.inputs.map((input) => input.name)])
  for (const name of graph.nodes.flatMap((node) => node.outputs)) names.add(name)
  proto.valueInfo = proto.valueInfo.filter((info) => names.has(info.name ?? ''))
  proto.quantizationAnnotation = proto.quantizationAnnotation.filter((annotation) =>
    names.has(annotation.tensorName ?? ''),
  )
  return proto
}

// ONNX Runtime refuses two nodes of one name, which no value is. New nodes are called like their values, as others in the
// file may be: the second one goes without.
function namedOnce(nodes: readonly Node[]): readonly Node[] {
  const names = new Set<string>()
  return nodes.map((node) => {
    if (node.name === '' || !names.has(node.name)) {
      names.add(node.name)
      return node
    }
    return { ...node, name: '' }
  })
}

function writeNode(node: Node): NodeProto {
  const source = messageOf<NodeProto>(node.source)
  const proto = source ? copyMessage(source) : new messages.NodeProto()
  proto.input = node.inputs
  proto.output = node.outputs
  proto.name = node.name
  proto.opType = node.opType
  proto.domain = node.domain
  proto.attribute = Object.entries(node.attributes).map(([name, attribute]) => writeAttribute(name, attribute))
  return proto
}

function writeAttribute(name: string, attribute: Attribute): AttributeProto {
  const source = messageOf<AttributeProto>(attribute.source)
  if (source !== undefined && isUnchanged(attribute, source)) {
    if (source.name === name) return source
    return Object.assign(copyMessage(source), { name })
  }
  const proto = new messages.AttributeProto({ name, docString: source?.docString || undefined })
  switch (attribute.kind) {
    case 'float':
      return Object.assign(proto, { type: 1, f: attribute.value })
    case 'int':
      return Object.assign(proto, { type: 2, i: protoInt(attribute.value) })
    case 'string':
      return Object.assign(proto, { type: 3, s: new TextEncoder().encode(attribute.value) })
    case 'tensor': {
      const before = source?.t as TensorProto | undefined
      return Object.assign(proto, { type: 4, t: writeTensor(attribute.value, before?.name ?? '', before) })
    }
    case 'graph':
      return Object.assign(proto, { type: 5, g: writeGraph(attribute.value) })
    case 'floats':
      return Object.assign(proto, { type: 6, floats: attribute.value })
    case 'ints':
      return Object.assign(proto, { type: 7, ints: attribute.value.map(protoInt) })
    case 'strings':
      return Object.assign(proto, { type: 8, strings: attribute.value.map((text) => new TextEncoder().encode(text)) })
    case 'graphs':
      return Object.assign(proto, { type: 10, graphs: attribute.value.map(writeGraph) })
    case 'other':
      throw new Error(`internal: attribute "${name}" of a kind not modelled has no source`)
  }
}

// Numbers above 2^53 and bytes that are not UTF-8 are inexact in the model; where nobody changed them the source is
// exact.
function isUnchanged(attribute: Attribute, source: AttributeProto): boolean {
  if (attribute.kind === 'tensor' || attribute.kind === 'graph' || attribute.kind === 'graphs') return false
  if (attribute.kind === 'other') return true
  const before = readPlainAttribute(source)
  if (before.kind === 'other' || before.kind !== attribute.kind) return false
  const [old, now] = [before.value, attribute.value]
  if (!Array.isArray(old) || !Array.isArray(now)) return Object.is(old, now)
  return old.length === now.length && old.every((value, i) => Object.is(value, now[i]))
}

function writeTensor(tensor: Tensor, name: ValueName, source: TensorProto | undefined): TensorProto {
  const proto = source ? copyMessage(source) : new messages.TensorProto()
  proto.name = name
  proto.dims = [...tensor.dims]
  proto.dataType = DATA_TYPES[tensor.type].onnx
  if (tensor.type === 'string')
    proto.stringData = stringBytes(tensor.data as readonly string[], source?.stringData ?? [])
  else proto.rawData = bytesOf(tensor.data as Uint8Array)
  return proto
}

// Bytes that are not UTF-8 read as replacement characters; where the text is still the same the source's bytes are
// given back.
function stringBytes(texts: readonly string[], source: readonly Uint8Array[]): Uint8Array[] {
  return texts.map((text, i) => {
    const before = source[i]
    return before !== undefined && new TextDecoder().decode(before) === text ? before : new TextEncoder().encode(text)
  })
}

function writeValueInfo(info: ValueInfo): ValueInfoProto {
  const source = messageOf<ValueInfoProto>(info.source)
  const proto = source ? copyMessage(source) : new messages.ValueInfoProto()
  proto.name = info.name
  if (info.type !== undefined && !(source?.type && sameType(readType(source.type as TypeProto), info.type))) {
    proto.type = writeType(info.type)
  }
  return proto
}

function sameType(a: TensorType | undefined, b: TensorType): boolean {
  if (a === undefined || a.elementType !== b.elementType) return false
  return JSON.stringify(a.dims) === JSON.stringify(b.dims)
}

function writeType({ elementType, dims }: TensorType): TypeProto {
  const shape = dims && {
    dim: dims.map((dim) => (dim === null ? {} : typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })),
  }
  return new messages.TypeProto({ tensorType: { elemType: DATA_TYPES[elementType].onnx, shape } })
}
