// Running a network once to see the shapes of all values and its shape arithmetic as they really are, instead of a
// shape rule per operator.
import { GraphBuilder } from '../onnx/graph-builder.js'
import { cloneModel, valueNames } from '../onnx/graph-queries.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { operatorOf } from '../onnx/operators.js'
import { writeModel } from '../onnx/write-model.js'
import { type Feeds, type Loader, withLoaded } from './engine.js'
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

/** Computes some values of a graph that depend on nothing but initializers. */
export async function evaluateConstants(
  loader: Loader,
  model: Model,
  names: readonly ValueName[],
): Promise<Map<ValueName, Tensor>> {
  if (names.length === 0) return new Map()
  const probe = cloneModel(model)
  const wanted = new Set(names)
  probe.graph.nodes = model.graph.nodes.filter((node) => node.outputs.some((output) => wanted.has(output)))
  probe.graph.inputs = []
  probe.graph.outputs = names.map((name) => ({ name, type: undefined }))
  return await withLoaded(
    loader,
    writeModel(probe),
    UNCHANGED,
    async (graph) => new Map(Object.entries(await graph.run({}))),
  )
}

const UNCHANGED = { threads: 1, optimization: 'disabled' } as const

function tensorOutputs(graph: Graph): ValueName[] {
  return graph.nodes
    .filter((node) => operatorOf(node).notTensor !== true)
    .flatMap(({ outputs }) => outputs.filter((output) => output !== ''))
}
