// Whether what a caller hands over is a Model at all; whether its graph is a legal one is check-graph.ts.
import { checkKind, checkObject, wrongArgument } from '../errors/check-argument.js'
import type { Graph, Model } from './model.js'

/** @throws TtqError `usage` for what is no Model, with the part that is missing */
export function checkModel(name: string, model: Model): void {
  checkObject(name, model, 'a Model, as readModel gives it')
  checkObject(`${name}.graph`, model.graph, 'a Graph')
  checkKind(`${name}.opsets`, model.opsets, 'Map')
  checkKind(`${name}.graph.initializers`, model.graph.initializers, 'Map')
  const lists: readonly (keyof Graph)[] = ['nodes', 'inputs', 'outputs']
  for (const list of lists)
    if (!Array.isArray(model.graph[list])) throw wrongArgument(`${name}.graph.${list}`, model.graph[list], 'an Array')
}
