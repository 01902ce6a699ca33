// Which constant of one graph is which of another that differs in its operators: factors that compressing has put
// behind layers, a batch norm more, a layer less.
import { subgraphs } from './attributes.js'
import type { Graph, Node, ValueName } from './model.js'
import { isLayer, operatorName } from './operators.js'
import { hasShortNames } from './short-names.js'

/** A constant where it is used first. */
interface Use {
  name: ValueName
  /** What it is to the node: operator, place among its inputs, shape. */
  role: string
  ofLayer: boolean
}

/**
 * The names of the second graph's initializers -> those of the first. Equal names are the same tensor where both files
 * have names of their own; what they leave is paired by operator, place among its inputs and shape, in the graph's
 * order: weights of layers first, and then between one layer and the next what else there is. What one of them has not
 * is left out.
 */
export function pairTensors(first: Graph, second: Graph): Map<ValueName, ValueName> {
  const named =
    hasShortNames(first) || hasShortNames(second)
      ? []
      : [...second.initializers.keys()].filter((name) => first.initializers.has(name))
  const pairs = new Map(named.map((name) => [name, name]))
  const unnamed = (graph: Graph): Use[] => usesOf(graph).filter(({ name }) => !pairs.has(name))
  const [before, after] = [unnamed(first), unnamed(second)]
  const layers = (uses: readonly Use[]): number[] => uses.flatMap(({ ofLayer }, i) => (ofLayer ? [i] : []))
  const [layersBefore, layersAfter] = [layers(before), layers(after)]
  const fixed = longestCommon(
    layersBefore.map((i) => before[i]?.role),
    layersAfter.map((i) => after[i]?.role),
  ).map(([i, j]): [number, number] => [layersBefore[i] as number, layersAfter[j] as number])
  let [from, to] = [0, 0]
  for (const [i, j] of [...fixed, [before.length, after.length] as const]) {
    const own = (uses: readonly Use[], start: number, end: number): Use[] =>
      uses.slice(start, end).filter(({ ofLayer }) => !ofLayer)
    const [here, there] = [own(before, from, i), own(after, to, j)]
    const between = longestCommon(
      here.map(({ role }) => role),
      there.map(({ role }) => role),
    ).map(([a, b]) => [here[a], there[b]] as const)
    for (const [a, b] of [...between, [before[i], after[j]] as const]) if (a && b) pairs.set(b.name, a.name)
    ;[from, to] = [i + 1, j + 1]
  }
  return pairs
}

function usesOf({ initializers, nodes }: Graph): Use[] {
  const seen = new Set<ValueName>()
  const visit = (node: Node): Use[] => [
    ...node.inputs.flatMap((name, index) => {
      const tensor = initializers.get(name)
      if (tensor === undefined || seen.has(name)) return []
      seen.add(name)
      const role = `${operatorName(node)} ${index} ${tensor.type} ${tensor.dims.join('x')}`
      return [{ name, role, ofLayer: isLayer(node) && tensor.dims.length >= 2 }]
    }),
    ...subgraphs(node).flatMap((graph) => graph.nodes.flatMap(visit)),
  ]
  return nodes.flatMap(visit)
}

/** Cells of a table of two lists; of longer ones, equal beginnings and ends are paired alone. */
const MOST_CELLS = 2 ** 26

// The places of the longest sequence that is in both, equal beginnings and ends in any case.
function longestCommon<T>(first: readonly T[], second: readonly T[]): [number, number][] {
  const shorter = Math.min(first.length, second.length)
  let start = 0
  while (start < shorter && first[start] === second[start]) start++
  let end = 0
  while (end < shorter - start && first.at(-1 - end) === second.at(-1 - end)) end++
  const [rows, columns] = [first.length - start - end, second.length - start - end]
  const pairs = Array.from({ length: start }, (_, i): [number, number] => [i, i])
  if (rows * columns <= MOST_CELLS) {
    // How long it is from [row, column] on.
    const width = columns + 1
    const lengths = new Uint32Array((rows + 1) * width)
    const areEqual = (row: number, column: number): boolean => first[start + row] === second[start + column]
    for (let row = rows - 1; row >= 0; row--)
      for (let column = columns - 1; column >= 0; column--) {
        const at = row * width + column
        lengths[at] = areEqual(row, column)
          ? (lengths[at + width + 1] as number) + 1
          : Math.max(lengths[at + 1] as number, lengths[at + width] as number)
      }
    for (let row = 0, column = 0; row < rows && column < columns;) {
      const at = row * width + column
      if (areEqual(row, column)) pairs.push([start + row++, start + column++])
      else if ((lengths[at + width] as number) >= (lengths[at + 1] as number)) row++
      else column++
    }
  }
  for (let i = end; i > 0; i--) pairs.push([first.length - i, second.length - i])
  return pairs
}
