// Which value of one graph is which of another, by what the nodes do and not by names: packed files have short ones.
import { subgraphs } from './attributes.js'
import type { Graph, Node, ValueName } from './model.js'

/**
 * The names of the second graph -> those of the first, where both have the same operators connected in the same way and
 * the same names of inputs and outputs. Attributes and tensors may differ.
 * @returns undefined where they are connected otherwise
 */
export function pairValues(first: Graph, second: Graph): Map<ValueName, ValueName> | undefined {
  const pairs = new Pairs()
  return pairGraphs(first, second, pairs) ? pairs.names : undefined
}

// Each name of one side belongs to one of the other; '' is an input or output that is left out.
class Pairs {
  readonly names = new Map<ValueName, ValueName>()
  readonly #taken = new Set<ValueName>()

  add(first: ValueName, second: ValueName): boolean {
    if (first === '' || second === '') return first === second
    const known = this.names.get(second)
    if (known !== undefined) return known === first
    if (this.#taken.has(first)) return false
    this.names.set(second, first)
    this.#taken.add(first)
    return true
  }
}

function pairGraphs(first: Graph, second: Graph, pairs: Pairs, isNested = false): boolean {
  const values = (side: 'inputs' | 'outputs'): boolean =>
    isNested
      ? pairAll(namesOf(first[side]), namesOf(second[side]), pairs)
      : namesOf(first[side]).join('\0') === namesOf(second[side]).join('\0') &&
        pairAll(namesOf(first[side]), namesOf(second[side]), pairs)
  return (
    values('inputs') &&
    first.nodes.length === second.nodes.length &&
    first.nodes.every((node, i) => pairNodes(node, second.nodes[i] as Node, pairs)) &&
    values('outputs')
  )
}

function pairNodes(first: Node, second: Node, pairs: Pairs): boolean {
  const nested = [subgraphs(first), subgraphs(second)] as const
  return (
    first.opType === second.opType &&
    first.domain === second.domain &&
    pairAll(first.inputs, second.inputs, pairs) &&
    nested[0].length === nested[1].length &&
    nested[0].every((graph, i) => pairGraphs(graph, nested[1][i] as Graph, pairs, true)) &&
    pairAll(first.outputs, second.outputs, pairs)
  )
}

function pairAll(first: readonly ValueName[], second: readonly ValueName[], pairs: Pairs): boolean {
  return first.length === second.length && first.every((name, i) => pairs.add(name, second[i] as ValueName))
}

function namesOf(values: Graph['inputs']): ValueName[] {
  return values.map(({ name }) => name)
}
