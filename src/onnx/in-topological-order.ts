// Nodes, each behind those whose values it needs. The specification asks for it; ONNX Runtime does not, and some tools
// do not keep to it (converters to float16, which put their casts at the end).
import { subgraphs } from './attributes.js'
import { usedValues } from './graph-queries.js'
import type { Node, ValueName } from './model.js'

/** A node on the way to those that it needs. */
interface Step {
  node: number
  needs: readonly number[]
  /** How many of them are done. */
  done: number
}

/**
 * The nodes of a graph as they are where their order is right, else with those that are needed drawn forward. Of nodes
 * in a circle the order stays what it is.
 */
export function inTopologicalOrder(nodes: readonly Node[]): readonly Node[] {
  const makers = new Map<ValueName, number>()
  nodes.forEach(({ outputs }, i) => {
    for (const output of outputs) makers.set(output, i)
  })
  const needsOf = (i: number): number[] => {
    const node = nodes[i] as Node
    const used = subgraphs(node).length > 0 ? usedValues(node) : node.inputs
    return [...used].flatMap((value) => (value === '' ? [] : (makers.get(value) ?? [])))
  }
  const order: number[] = []
  const [done, begun] = [new Set<number>(), new Set<number>()]
  const begin = (node: number): Step => {
    begun.add(node)
    return { node, needs: needsOf(node), done: 0 }
  }
  for (let i = 0; i < nodes.length; i++) {
    const way = done.has(i) ? [] : [begin(i)]
    for (let step = way.at(-1); step !== undefined; step = way.at(-1)) {
      const needed = step.needs[step.done++]
      if (needed === undefined) {
        way.pop()
        done.add(step.node)
        order.push(step.node)
      } else if (!done.has(needed)) {
        if (begun.has(needed)) return nodes
        way.push(begin(needed))
      }
    }
  }
  return order.every((node, i) => node === i) ? nodes : order.map((i) => nodes[i] as Node)
}
