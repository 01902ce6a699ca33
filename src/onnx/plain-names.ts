// Names that engines can be told: they are C strings there, and end at the first NUL.
import { GraphBuilder } from './graph-builder.js'
import { valueNames } from './graph-queries.js'
import type { Model, ValueName } from './model.js'
import { renameValues } from './rename-values.js'

export interface PlainNamed {
  model: Model
  /** The new name of each value that has one. */
  names: ReadonlyMap<ValueName, ValueName>
}

/** The model with other names for values whose names hold NUL characters; all others as they are. */
export function plainNames(model: Model): PlainNamed {
  const all = valueNames(model.graph)
  const odd = [...all].filter((name) => name.includes('\0'))
  if (odd.length === 0) return { model, names: new Map() }
  const builder = new GraphBuilder(all)
  const names = new Map(odd.map((name) => [name, builder.fresh(name.replaceAll('\0', '_'))]))
  return { model: { ...model, graph: renameValues(model.graph, names) }, names }
}
