// Reading and making node attributes.
import { TtqError } from '../errors/ttq-error.js'
import type { Attribute, Attributes, Graph, Node } from './model.js'

type Values = { [A in Attribute as A['kind']]: A extends { value: infer V } ? V : never }

/**
 * The value of a node's attribute, or `fallback` when the node does not have it.
 * @throws TtqError `model` when the attribute has another kind
 */
export function attribute<K extends Exclude<Attribute['kind'], 'other'>, F extends Values[K] | undefined>(
  node: Node,
  name: string,
  kind: K,
  fallback: F,
): Values[K] | F {
  const found = node.attributes[name]
  if (found === undefined) return fallback
  if (found.kind !== kind) {
    throw new TtqError(
      'model',
      `onnx: ${describeNode(node)}: attribute "${name}" is of kind ${found.kind}, expected ${kind}`,
    )
  }
  return (found as unknown as { value: Values[K] }).value
}

/** Attributes from plain values: number[] -> ints, string -> string; wrap floats as {float}. Others come ready-made. */
export function attributes(
  values: Record<string, number | string | readonly number[] | { float: number } | Attribute | undefined>,
): Attributes {
  const result: Attributes = {}
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (typeof value === 'number') result[name] = { kind: 'int', value }
    else if (typeof value === 'string') result[name] = { kind: 'string', value }
    else if ('kind' in value) result[name] = value
    else if ('float' in value) result[name] = { kind: 'float', value: value.float }
    else result[name] = { kind: 'ints', value }
  }
  return result
}

/** Attributes without those of these names. */
export function withoutAttributes(attrs: Attributes, ...names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attrs).filter(([name]) => !names.includes(name)))
}

/** `node "conv1" (Conv)`, or its first output where the node has no name: how every message names a node. */
export function describeNode(node: Node): string {
  return `node "${node.name || (node.outputs[0] ?? '')}" (${node.domain ? `${node.domain}.` : ''}${node.opType})`
}

/** The graphs nested in a node's attributes (bodies of If, Loop, Scan), in the attributes' order. */
export function subgraphs(node: Node): Graph[] {
  return Object.values(node.attributes).flatMap((attribute) => {
    if (attribute.kind === 'graph') return [attribute.value]
    return attribute.kind === 'graphs' ? attribute.value : []
  })
}

/** The attributes of a node that are one graph each, and these graphs. */
export function bodiesOf({ attributes: own }: Node): [string, Graph][] {
  return Object.entries(own).flatMap(([name, attribute]): [string, Graph][] =>
    attribute.kind === 'graph' ? [[name, attribute.value]] : [],
  )
}

/** A node's attributes with every graph nested in them changed; the others are shared. */
export function mapSubgraphs(node: Pick<Node, 'attributes'>, change: (graph: Graph) => Graph): Attributes {
  const changed = (attribute: Attribute): Attribute => {
    if (attribute.kind === 'graph') return { ...attribute, value: change(attribute.value) }
    return attribute.kind === 'graphs' ? { ...attribute, value: attribute.value.map(change) } : attribute
  }
  return Object.fromEntries(Object.entries(node.attributes).map(([name, attribute]) => [name, changed(attribute)]))
}
