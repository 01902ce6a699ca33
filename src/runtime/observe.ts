// Running a network once to see the shapes of all values and its shape arithmetic as they really are, instead of a
// shape rule per operator.
import { hasCode } from '../errors/ttq-error.js'
import { GraphBuilder } from '../onnx/graph-builder.js'
import { cloneModel, producers, removeUnusedNodes, valueNames } from '../onnx/graph-queries.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { operatorOf } from '../onnx/operators.js'
import { valueFacts } from '../onnx/value-facts.js'
import { writeModel } from '../onnx/write-model.js'
import { type Feeds, type Loader, withLoaded } from './engine.js'
import { EngineDied } from './engine-died.js'
import type { DataType } from '../tensor/data-type.js'
import type { Tensor } from '../tensor/tensor.js'

export interface Observation {
  /** Concrete dimensions of every tensor value: inputs, initializers, node outputs. */
  shapes: Map<ValueName, readonly number[]>
  /** The node outputs that were asked for. */
  values: Map<ValueName, Tensor>
}

/**
 * Runs the network on `feeds`. Only shapes leave the engine, and the values in `keep`: with every value as an output, a
 * ResNet-20 took 440 MB at a batch of 64.
 * @throws TtqError `runtime` when the network does not run on these feeds
 */
export async function observe(
  loader: Loader,
  model: Model,
  feeds: Feeds,
  keep: ReadonlySet<ValueName> = new Set(),
): Promise<Observation> {
  const given = [...model.graph.initializers, ...Object.entries(feeds)].map(([name, { dims }]) => [name, dims] as const)
  const names = tensorOutputs(model.graph)
  if (names.length === 0) return { shapes: new Map(given), values: new Map() }
  const { probe, shapeOf } = shapeProbe(model, names, keep)
  const results = await withLoaded(loader, writeModel(probe), UNCHANGED, (graph) => graph.run(feeds))
  const shapes = names.map((name): [ValueName, readonly number[]] => [
    name,
    Array.from(results[shapeOf.get(name) as ValueName]?.data as BigInt64Array, Number),
  ])
  const values = names.flatMap((name): [ValueName, Tensor][] =>
    keep.has(name) ? [[name, results[name] as Tensor]] : [],
  )
  return { shapes: new Map([...given, ...shapes]), values: new Map(values) }
}

// The network with the shape of each of these values as an output, and those of them that are kept.
function shapeProbe(
  model: Model,
  names: readonly ValueName[],
  keep: ReadonlySet<ValueName>,
): { probe: Model; shapeOf: Map<ValueName, ValueName> } {
  const probe = cloneModel(model)
  const b = new GraphBuilder(valueNames(model.graph))
  for (const node of probe.graph.nodes) b.push(node)
  const shapeOf = new Map(names.map((name) => [name, b.emit('Shape', [name], {}, `${name}_shape`)]))
  probe.graph.nodes = b.nodes
  probe.graph.outputs = [...shapeOf.values(), ...names.filter((name) => keep.has(name))].map((name) => ({
    name,
    type: undefined,
  }))
  if (!probe.opsets.has('')) probe.opsets.set('', OPSET)
  return { probe, shapeOf }
}

/** For networks that use none of ai.onnx's operators. */
const OPSET = 13

/**
 * Computes some values of a graph that depend on nothing but initializers. Those of types that JavaScript cannot hold
 * (bfloat16, float8), and those that the engine does not compute, are left out.
 */
export async function evaluateConstants(
  loader: Loader,
  model: Model,
  names: readonly ValueName[],
): Promise<Map<ValueName, Tensor>> {
  const { elementType } = valueFacts(model.graph, producers(model.graph))
  const found = new Map<ValueName, Tensor>()
  const certain = names.filter((name) => isFetched(elementType(name)) === true)
  for (const wanted of [
    certain,
    ...names.filter((name) => isFetched(elementType(name)) === undefined).map((name) => [name]),
  ])
    for (const [name, tensor] of await fetch(loader, model, wanted)) found.set(name, tensor)
  return found
}

// Whether values of a type can be fetched; undefined where the graph does not tell the type.
function isFetched(type: DataType | undefined): boolean | undefined {
  return type === undefined ? undefined : !/^(bfloat16|float8|float4|complex|u?int[24]$)/.test(type)
}

// All of them at once, or in halves where that fails, down to those that are to blame.
async function fetch(loader: Loader, model: Model, names: readonly ValueName[]): Promise<[ValueName, Tensor][]> {
  if (names.length === 0) return []
  const outputs = names.map((name) => ({ name, type: undefined }))
  const probe = writeModel({ ...model, graph: removeUnusedNodes({ ...model.graph, inputs: [], outputs }) })
  const limits = { bytes: FOLDING_BYTES + FOLDING_FACTOR * probe.length, milliseconds: FOLDING_TIME }
  try {
    return await withLoaded(loader, probe, { ...UNCHANGED, limits }, async (graph) =>
      Object.entries(await graph.run({})),
    )
  } catch (cause) {
    // Also where the engine died of it; a computation out of all proportion is an error.
    if (!hasCode(cause, 'runtime') || (cause instanceof EngineDied && cause.spent)) throw cause
    if (names.length === 1) return []
    const half = names.length >> 1
    return [...(await fetch(loader, model, names.slice(0, half))), ...(await fetch(loader, model, names.slice(half)))]
  }
}

/** Constants may take these bytes, and so many times those that they are computed from. */
const FOLDING_BYTES = 512 * 2 ** 20
const FOLDING_FACTOR = 8
/** Milliseconds. */
const FOLDING_TIME = 30_000

const UNCHANGED = { threads: 1, optimization: 'disabled' } as const

function tensorOutputs(graph: Graph): ValueName[] {
  return graph.nodes
    .filter((node) => operatorOf(node).notTensor !== true)
    .flatMap(({ outputs }) => outputs.filter((output) => output !== ''))
}
