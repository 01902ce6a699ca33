// A model whose values have short names: nothing but the model itself knows most of them. What callers feed and fetch
// keeps its name.
import { subgraphs } from './attributes.js'
import { valueNames } from './graph-queries.js'
import type { Graph, Model, ValueName } from './model.js'
import type { GraphProto, ModelProto } from './proto.js'
import { renameValues } from './rename-values.js'
import { messageOf } from './source.js'

export interface ShortNamed {
  model: Model
  /** The new name of each value that has one. */
  names: ReadonlyMap<ValueName, ValueName>
}

/**
 * Shortens the names of everything that the graph and the graphs nested in it make themselves, drops those of nodes and
 * the shapes declared for intermediate values. Inputs and outputs of the network keep their names; so do strings, whose
 * bytes may be known by name only, and what quantization annotations name. A model with training information is left
 * as it is.
 */
export function shortNames(model: Model): ShortNamed {
  if ((messageOf<ModelProto>(model.source)?.trainingInfo ?? []).length > 0) return { model, names: new Map() }
  const { graph } = model
  const kept = new Set<ValueName>(['', ...[...graph.inputs, ...graph.outputs].map(({ name }) => name)])
  for (const name of annotatedNames(graph)) kept.add(name)
  const taken = valueNames(graph)
  const names = new Map<ValueName, ValueName>()
  let next = 0
  for (const name of madeValues(graph)) {
    if (kept.has(name) || names.has(name)) continue
    let short = (next++).toString(36)
    while (taken.has(short)) short = (next++).toString(36)
    names.set(name, short)
  }
  return { model: { ...model, graph: renameValues(graph, names) }, names }
}

/** Whether its initializers have names that shortNames gives: such a name says nothing of what it names. */
export function hasShortNames(graph: Graph): boolean {
  const made = valueNames(graph).size
  return [...graph.initializers.keys()].every((name) => {
    const count = parseInt(name, 36)
    // Some are skipped: those that are taken.
    return count < 2 * made && count.toString(36) === name
  })
}

// What a graph gives names to, its own and those of the graphs nested in it. No name means two things in a model.
function* madeValues({ initializers, nodes }: Graph): Generator<ValueName> {
  for (const [name, { type }] of initializers) if (type !== 'string') yield name
  for (const node of nodes) {
    yield* node.outputs
    for (const nested of subgraphs(node)) {
      for (const { name } of nested.inputs) yield name
      yield* madeValues(nested)
    }
  }
}

function annotatedNames(graph: Graph): ValueName[] {
  const annotations = messageOf<GraphProto>(graph.source)?.quantizationAnnotation ?? []
  const own = annotations.flatMap(({ tensorName, quantParameterTensorNames }) => [
    tensorName ?? '',
    ...(quantParameterTensorNames ?? []).map(({ value }) => value ?? ''),
  ])
  return [...own, ...graph.nodes.flatMap(subgraphs).flatMap(annotatedNames)]
}
