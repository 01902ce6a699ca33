// An ONNX graph as the bytes of its nodes, inputs, outputs and initializers, with what it takes to give them out to
// several graphs: names, operators, attributes that are numbers. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { type Field, fieldsOf, fieldStart, readVarint } from '../standalone/bundle.js'
import { joined } from '../tensor/bytes.js'

const MODEL = { graph: 7, opset: 8 } as const
const OPSET = { domain: 1, version: 2 } as const
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, sparse: 15 } as const
const NODE = { input: 1, output: 2, operator: 4, attribute: 5, domain: 7 } as const
const ATTRIBUTE = { name: 1, float: 2, int: 3, graph: 6, graphs: 11 } as const
const TENSOR = { type: 2, name: 8, raw: 9 } as const
const VALUE = { name: 1, type: 2 } as const

const FLOAT = 1

/** Parts of a graph by name, each the bytes of its field. */
export type Named = ReadonlyMap<string, Uint8Array>

export interface NodeBytes {
  bytes: Uint8Array
  operator: string
  /** '' is ai.onnx. */
  domain: string
  inputs: readonly string[]
  outputs: readonly string[]
  /** The inputs, and all that nodes of nested graphs name so. */
  uses: readonly string[]
  attributes: ReadonlyMap<string, number>
}

export interface GraphBytes {
  /** In their order. */
  nodes: readonly NodeBytes[]
  initializers: Named
  /** Those that are initializers as well included. */
  inputs: Named
  outputs: Named
  /** Of ai.onnx. */
  opset: number
  hasSparse: boolean
  /** A model of the same kind around the bytes of these parts, which stand there last and in this order. */
  model: (parts: readonly Uint8Array[]) => Uint8Array
}

/** @throws RangeError for bytes that are no ONNX model */
export function readGraph(bytes: Uint8Array): GraphBytes {
  const modelFields = fieldsOf(bytes, 0, bytes.length)
  const graph = modelFields.find(({ number }) => number === MODEL.graph) as Field
  const fields = fieldsOf(bytes, graph.content, graph.end)
  const some = (number: number): Field[] => fields.filter((field) => field.number === number)
  const named = (number: number, name: number): Named =>
    new Map(some(number).map((field) => [textIn(bytes, field, name), whole(bytes, field)]))
  const around = modelFields.filter((field) => field !== graph).map((field) => whole(bytes, field))
  const name = some(GRAPH.name).map((field) => whole(bytes, field))
  return {
    nodes: some(GRAPH.node).map((field) => readNode(bytes, field)),
    initializers: named(GRAPH.initializer, TENSOR.name),
    inputs: named(GRAPH.input, VALUE.name),
    outputs: named(GRAPH.output, VALUE.name),
    opset: opsetOf(bytes, modelFields),
    hasSparse: some(GRAPH.sparse).length > 0,
    model: (parts) => joined([...around, message(MODEL.graph, [...name, ...parts])]),
  }
}

function opsetOf(bytes: Uint8Array, modelFields: readonly Field[]): number {
  const opsets = modelFields.filter(({ number }) => number === MODEL.opset)
  const own = opsets.find((field) => ['', 'ai.onnx'].includes(textIn(bytes, field, OPSET.domain)))
  const version = own && fieldsIn(bytes, own).find(({ number }) => number === OPSET.version)
  return version === undefined ? 0 : readVarint(bytes, version.content, version.end)[0]
}

function readNode(bytes: Uint8Array, field: Field): NodeBytes {
  const fields = fieldsIn(bytes, field)
  const texts = (number: number): string[] =>
    fields.filter((each) => each.number === number).map((each) => text(bytes, each))
  const attributes = fields.filter(({ number }) => number === NODE.attribute)
  const inputs = texts(NODE.input)
  const [domain = ''] = texts(NODE.domain)
  return {
    bytes: whole(bytes, field),
    operator: texts(NODE.operator)[0] ?? '',
    domain: domain === 'ai.onnx' ? '' : domain,
    inputs,
    outputs: texts(NODE.output),
    uses: [...inputs, ...attributes.flatMap((attribute) => usesInside(bytes, attribute))],
    attributes: new Map(
      attributes.map((attribute) => [textIn(bytes, attribute, ATTRIBUTE.name), number(bytes, attribute)]),
    ),
  }
}

function usesInside(bytes: Uint8Array, attribute: Field): string[] {
  return fieldsIn(bytes, attribute)
    .filter(({ number }) => number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs)
    .flatMap((graph) => fieldsIn(bytes, graph))
    .filter(({ number, wire }) => number === GRAPH.node && wire === 2)
    .flatMap((node) => readNode(bytes, node).uses)
}

// Of an attribute that is one; else 0.
function number(bytes: Uint8Array, attribute: Field): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (const { number, content, end } of fieldsIn(bytes, attribute)) {
    if (number === ATTRIBUTE.float) return view.getFloat32(content, true)
    if (number === ATTRIBUTE.int) return readVarint(bytes, content, end)[0]
  }
  return 0
}

function fieldsIn(bytes: Uint8Array, { content, end }: Field): Field[] {
  return fieldsOf(bytes, content, end)
}

function whole(bytes: Uint8Array, { start, end }: Field): Uint8Array {
  return bytes.subarray(start, end)
}

function text(bytes: Uint8Array, { content, end }: Field): string {
  return new TextDecoder().decode(bytes.subarray(content, end))
}

function textIn(bytes: Uint8Array, field: Field, number: number): string {
  const found = fieldsIn(bytes, field).find((each) => each.number === number)
  return found === undefined ? '' : text(bytes, found)
}

/** A new node of ai.onnx without attributes. */
export function newNode(operator: string, inputs: readonly string[], output: string): NodeBytes {
  const bytes = message(GRAPH.node, [
    ...inputs.map((name) => textField(NODE.input, name)),
    textField(NODE.output, output),
    textField(NODE.operator, operator),
  ])
  return { bytes, operator, domain: '', inputs, outputs: [output], uses: inputs, attributes: new Map() }
}

/** A graph's initializer: a single float. */
export function scalarField(name: string, value: number): Uint8Array {
  const raw = new Uint8Array(4)
  new DataView(raw.buffer).setFloat32(0, value, true)
  return message(GRAPH.initializer, [
    Uint8Array.of(8 * TENSOR.type, FLOAT),
    textField(TENSOR.name, name),
    message(TENSOR.raw, [raw]),
  ])
}

/** A graph's input of any shape. @param type its number in TensorProto.DataType; as long for every type */
export function inputField(name: string, type: number): Uint8Array {
  const tensorType = message(VALUE.type, [message(1, [Uint8Array.of(8, type)])])
  return message(GRAPH.input, [textField(VALUE.name, name), tensorType])
}

/** A graph's output whose type follows from the nodes. */
export function outputField(name: string): Uint8Array {
  return message(GRAPH.output, [textField(VALUE.name, name)])
}

function textField(number: number, value: string): Uint8Array {
  return message(number, [new TextEncoder().encode(value)])
}

function message(number: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return joined([Uint8Array.from(fieldStart(number, length)), ...parts])
}
