// Functions of a model (FunctionProto) put in the place of their calls, so that what lies in them is seen.
// Source: https://onnx.ai/onnx/repo-docs/IR.html#functions
import { TtqError } from '../errors/ttq-error.js'
import type { Tensor } from '../tensor/tensor.js'
import { mapSubgraphs, subgraphs } from './attributes.js'
import { checkGraph } from './check-graph.js'
import { valueNames } from './graph-queries.js'
import type { Attribute, Attributes, Graph, Model, Node, ValueName } from './model.js'
import {
  copyMessage,
  decodeMessage,
  deepCopy,
  type FunctionProto,
  messages,
  type ModelProto,
  toNumber,
  unknownPayloads,
} from './proto.js'
import { damaged, plainDomain, readBody, readDefault } from './read-model.js'
import { messageOf, sourceOf } from './source.js'

/** As many nodes may come of all calls together: functions that call one another multiply. */
const MOST_NODES = 200_000

/** Calls within calls; more is a function that calls itself. */
const MOST_DEPTH = 100

/** Field numbers of newer versions of ONNX. */
const OVERLOAD = { node: 8, function: 13 } as const
const DEFAULTS = 11

interface ModelFunction {
  inputs: readonly ValueName[]
  outputs: readonly ValueName[]
  /** Values of attributes that calls leave out. */
  defaults: Attributes
  body: Graph
}

/**
 * The model without functions; as it is where it has none, or where one of them wants another version of an operator
 * set than the model.
 * @param name how messages call the model
 * @throws TtqError `model` when the calls come to more nodes than any network has, or a function is damaged
 */
export function inlineFunctions(model: Model, name = 'onnx'): Model {
  const message = messageOf<ModelProto>(model.source)
  const protos = (message?.functions ?? []) as FunctionProto[]
  if (message === undefined || protos.length === 0) return model
  try {
    return inline(model, message, protos, name)
  } catch (cause) {
    throw cause instanceof TtqError ? cause : damaged(name, cause)
  }
}

/** Names of a model's functions, `domain.name`. */
export function functionsOf({ source }: Model): string[] {
  const protos = (messageOf<ModelProto>(source)?.functions ?? []) as FunctionProto[]
  return protos.map(({ domain, name }) => (domain === '' ? name : `${domain}.${name}`))
}

/** Functions of a model -> their bytes: what two models whose functions stay are compared by. */
export function functionBytes({ source }: Model): Map<string, Uint8Array> {
  const protos = (messageOf<ModelProto>(source)?.functions ?? []) as FunctionProto[]
  return new Map(protos.map((proto) => [keyOfFunction(proto), messages.FunctionProto.encode(proto).finish()]))
}

function inline(model: Model, message: ModelProto, protos: readonly FunctionProto[], name: string): Model {
  const opsets = new Map(model.opsets)
  for (const { domain, version } of protos.flatMap(({ opsetImport }) => opsetImport)) {
    const wanted = toNumber(version ?? 0)
    const own = plainDomain(domain ?? '')
    if ((opsets.get(own) ?? wanted) !== wanted) return model
    opsets.set(own, wanted)
  }
  const functions = new Map(protos.map((proto) => [keyOfFunction(proto), readFunction(proto, name)]))
  const source = sourceOf(Object.assign(copyMessage(message), { functions: [] }))
  const graph = new Inliner(functions, model.graph, name).whole()
  checkGraph(graph, name)
  return { ...model, opsets, graph, source }
}

function keyOfFunction(proto: FunctionProto): string {
  return JSON.stringify([plainDomain(proto.domain), proto.name, overloadOf(proto, OVERLOAD.function)])
}

function keyOfCall(node: Node): string {
  const message = messageOf<object>(node.source)
  return JSON.stringify([node.domain, node.opType, message === undefined ? '' : overloadOf(message, OVERLOAD.node)])
}

function overloadOf(message: object, field: number): string {
  return new TextDecoder().decode(unknownPayloads(message, field).at(-1) ?? new Uint8Array(0))
}

// From a copy: reading takes the values out of the messages.
function readFunction(original: FunctionProto, name: string): ModelFunction {
  const proto = deepCopy(messages.FunctionProto, original)
  const defaults = unknownPayloads(proto, DEFAULTS).map((bytes) => {
    const attribute = decodeMessage(messages.AttributeProto, bytes)
    return [attribute.name, readDefault(attribute, name)] as const
  })
  const body = readBody(proto.node, name)
  const twice = proto.input.find((input) => body.initializers.has(input))
  if (twice !== undefined)
    throw new TtqError('model', `${name}: function "${proto.name}": value "${twice}" is defined twice`)
  return { inputs: proto.input, outputs: proto.output, defaults: Object.fromEntries(defaults), body }
}

type Rename = (name: ValueName) => ValueName

class Inliner {
  private readonly taken: Set<ValueName>
  private made = 0
  /** Names of the functions' constants in the whole graph, once they are called. */
  private readonly shared = new Map<ModelFunction, ReadonlyMap<ValueName, ValueName>>()

  constructor(
    private readonly functions: ReadonlyMap<string, ModelFunction>,
    private readonly original: Graph,
    private readonly where: string,
  ) {
    this.taken = valueNames(original)
  }

  /**
   * The graph whose calls, and those of the graphs nested in it, are replaced. A constant of a function is one
   * initializer for all of its calls: a weight that they share is stored, and trained, once.
   */
  whole(): Graph {
    const graph = this.graph(this.original)
    const initializers = new Map(graph.initializers)
    for (const [{ body }, names] of this.shared)
      for (const [own, name] of names) initializers.set(name, body.initializers.get(own) as Tensor)
    return { ...graph, initializers }
  }

  private graph(graph: Graph): Graph {
    return { ...graph, nodes: graph.nodes.flatMap((node) => this.node(node, 0)) }
  }

  // What stands in the place of a node.
  private node(node: Node, depth: number): Node[] {
    const called = this.functions.get(keyOfCall(node))
    if (called === undefined) {
      if (subgraphs(node).length === 0) return [node]
      return [{ ...node, attributes: mapSubgraphs(node, (graph) => this.graph(graph)) }]
    }
    this.made += called.body.nodes.length
    if (this.made > MOST_NODES || depth > MOST_DEPTH)
      throw new TtqError('model', `${this.where}: its functions come to more than ${MOST_NODES} nodes`, {
        hint: 'look for functions that call one another',
        facts: { node: node.name, operator: node.opType },
      })
    return this.instance(called, node).flatMap((own) => this.node(own, depth + 1))
  }

  // The nodes of the body with the names and attributes of a call.
  private instance(called: ModelFunction, call: Node): Node[] {
    const prefix = call.name || call.outputs.find((output) => output !== '') || call.opType
    const names = new Map<ValueName, ValueName>([['', ''], ...this.constants(called, prefix)])
    called.inputs.forEach((input, i) => names.set(input, call.inputs[i] ?? ''))
    // A result that is an input, a constant, or another result as well, needs a node of its own.
    const copies: Node[] = []
    called.outputs.forEach((output, i) => {
      const target = call.outputs[i] ?? ''
      if (target === '') return
      if (!names.has(output)) names.set(output, target)
      else copies.push(identity(names.get(output) as ValueName, target))
    })
    const rename: Rename = (name) => {
      const known = names.get(name)
      if (known !== undefined) return known
      const fresh = this.fresh(prefix, name)
      names.set(name, fresh)
      return fresh
    }
    const values = { ...called.defaults, ...call.attributes }
    return [...renameGraph(called.body, rename, values, prefix).nodes, ...copies]
  }

  // What the constants of a function are called: after its first call.
  private constants(called: ModelFunction, prefix: string): ReadonlyMap<ValueName, ValueName> {
    const known = this.shared.get(called)
    if (known !== undefined) return known
    const names = new Map([...called.body.initializers.keys()].map((name) => [name, this.fresh(prefix, name)]))
    this.shared.set(called, names)
    return names
  }

  private fresh(prefix: string, name: ValueName): ValueName {
    let fresh = `${prefix}/${name}`
    for (let i = 2; this.taken.has(fresh); i++) fresh = `${prefix}/${name}_${i}`
    this.taken.add(fresh)
    return fresh
  }
}

function identity(from: ValueName, to: ValueName): Node {
  return { name: to, opType: 'Identity', domain: '', inputs: [from], outputs: [to], attributes: {} }
}

function renameGraph(graph: Graph, rename: Rename, values: Attributes, prefix: string): Graph {
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, name: rename(input.name) })),
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [rename(name), tensor])),
    nodes: graph.nodes.map((node) => ({
      ...node,
      name: node.name === '' ? '' : `${prefix}/${node.name}`,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
      attributes: mapSubgraphs({ attributes: giveValues(node.attributes, values) }, (nested) =>
        renameGraph(nested, rename, values, prefix),
      ),
    })),
    outputs: graph.outputs.map((output) => ({ ...output, name: rename(output.name) })),
  }
}

// Attributes that stand for those of the call (ref_attr_name); where the call has none, neither has the node.
function giveValues(attributes: Attributes, values: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, attribute]): [string, Attribute][] => {
      const reference = messageOf<{ refAttrName?: string }>(attribute.source)?.refAttrName ?? ''
      if (reference === '') return [[name, attribute]]
      return Object.hasOwn(values, reference) ? [[name, values[reference] as Attribute]] : []
    }),
  )
}
