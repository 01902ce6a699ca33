// A graph without its large ternary products: as many graphs as it takes to run everything around them.
import type { KernelProduct, Replacement } from './find-products.js'
import { type GraphBytes, inputField, type NodeBytes, outputField } from './graph-bytes.js'

/** What can run at once: nodes, and then products. */
interface Steps {
  nodes: NodeBytes[]
  products: KernelProduct[]
}

/** The nodes of a stage as a model of their own. */
export interface PartialModel {
  /** ONNX; as in the graph section, the initializers of the tensor table are empty. */
  bytes: Uint8Array
  initializers: ReadonlySet<string>
  /** What it is fed with. */
  inputs: readonly string[]
  /**
   * The inputs that networks of earlier stages compute, whose types are theirs. They stand at the end of the bytes, in
   * this order, as inputField writes them for type 0.
   */
  untyped: readonly string[]
}

export interface DividedStage {
  /** Runs first. */
  model: PartialModel | undefined
  products: readonly KernelProduct[]
}

const FLOAT = 1

/** Everything stands in the earliest stage that it can: a product in that of its input, what needs it in the next. */
export function divideGraph(graph: GraphBytes, replacements: ReadonlyMap<NodeBytes, Replacement>): DividedStage[] {
  const made = [...replacements.values()].flatMap(({ initializers }) => [...initializers])
  const whole = { ...graph, initializers: new Map([...graph.initializers, ...made]) }
  const steps = schedule(graph, replacements)
  return steps.map(({ products }, stage) => ({ model: partialModel(whole, steps, stage), products }))
}

function schedule({ nodes }: GraphBytes, replacements: ReadonlyMap<NodeBytes, Replacement>): Steps[] {
  const steps: Steps[] = []
  // From which stage on a value is there; what nothing computes is there from the first.
  const since = new Map<string, number>()
  const earliest = (uses: readonly string[]): number => Math.max(0, ...uses.map((use) => since.get(use) ?? 0))
  const stepsOf = (stage: number): Steps => (steps[stage] ??= { nodes: [], products: [] })
  const add = (node: NodeBytes): void => {
    const stage = earliest(node.uses)
    stepsOf(stage).nodes.push(node)
    for (const output of node.outputs) since.set(output, stage)
  }
  for (const node of nodes) {
    const replacement = replacements.get(node)
    if (replacement === undefined) {
      add(node)
      continue
    }
    const { product } = replacement
    const stage = earliest([product.input])
    stepsOf(stage).products.push(product)
    since.set(product.output, stage + 1)
    replacement.nodes.forEach(add)
  }
  return steps
}

// The model of one stage; undefined where nothing is to be computed for ONNX Runtime.
function partialModel(graph: GraphBytes, steps: readonly Steps[], stage: number): PartialModel | undefined {
  const { nodes } = steps[stage] as Steps
  const own = new Set(outputsOf(nodes))
  const wanted = new Set([
    ...graph.outputs.keys(),
    ...steps.slice(stage).flatMap(({ products }) => products.map(({ input }) => input)),
    ...steps.slice(stage + 1).flatMap((later) => later.nodes.flatMap(({ uses }) => uses)),
  ])
  const byKernel = new Set(steps.flatMap(({ products }) => products.map(({ output }) => output)))
  const byNodes = new Set(steps.slice(0, stage).flatMap((earlier) => outputsOf(earlier.nodes)))
  // An output of the network that nothing computes is one of its inputs or initializers.
  const given = stage > 0 ? [] : [...graph.outputs.keys()].filter((name) => isGiven(name, graph, byKernel))
  const outputs = [...[...own].filter((name) => wanted.has(name)), ...given]
  if (outputs.length === 0) return undefined
  const uses = new Set([...nodes.flatMap((node) => node.uses), ...given].filter((name) => !own.has(name)))
  const used = <Part>(all: ReadonlyMap<string, Part>): [string, Part][] => [...all].filter(([name]) => uses.has(name))
  const initializers = used(graph.initializers)
  const listed = used(graph.inputs)
  const products = [...uses].filter((name) => byKernel.has(name))
  const untyped = [...uses].filter((name) => byNodes.has(name))
  const fed = listed.map(([name]) => name).filter((name) => !graph.initializers.has(name))
  return {
    bytes: graph.model([
      ...nodes.map(({ bytes }) => bytes),
      ...initializers.map(([, bytes]) => bytes),
      ...outputs.map((name) => graph.outputs.get(name) ?? outputField(name)),
      ...listed.map(([, bytes]) => bytes),
      ...products.map((name) => inputField(name, FLOAT)),
      ...untyped.map((name) => inputField(name, 0)),
    ]),
    initializers: new Set(initializers.map(([name]) => name)),
    inputs: [...fed, ...products, ...untyped],
    untyped,
  }
}

function isGiven(name: string, { nodes }: GraphBytes, byKernel: ReadonlySet<string>): boolean {
  return !byKernel.has(name) && !nodes.some(({ outputs }) => outputs.includes(name))
}

function outputsOf(nodes: readonly NodeBytes[]): string[] {
  return nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '')
}
