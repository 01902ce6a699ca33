// Running a network once with every intermediate value as an output: shapes and shape arithmetic as they really are,
// instead of a shape rule per operator.
import { cloneModel } from '../onnx/graph-queries.js'
import type { Graph, Model, ValueName } from '../onnx/model.js'
import { writeModel } from '../onnx/write-model.js'
import { Session, type Feeds } from '../runtime/session.js'
import type { Tensor } from '../tensor/tensor.js'

export interface Observation {
  /** Concrete dimensions of every value: inputs, initializers, node outputs. */
  shapes: Map<ValueName, readonly number[]>
  /** The values that were asked for. */
  values: Map<ValueName, Tensor>
}

/**
 * Runs the network on `feeds` and records the shape of every tensor value, and the contents of those in `keep`.
 * @throws TtqError `runtime` when the network does not run on these feeds
 */
export async function observe(model: Model, feeds: Feeds, keep: ReadonlySet<ValueName>): Promise<Observation> {
  const shapes = new Map<ValueName, readonly number[]>()
  const values = new Map<ValueName, Tensor>()
  for (const [name, tensor] of [...model.graph.initializers, ...Object.entries(feeds)]) shapes.set(name, tensor.dims)
  const names = nodeOutputs(model.graph)
  if (names.length === 0) return { shapes, values }
  const probe = cloneModel(model)
  probe.graph.outputs = names.map((name) => ({ name, type: undefined }))
  const session = await Session.create(writeModel(probe), { threads: 1, optimization: 'disabled' })
  try {
    for (const [name, tensor] of Object.entries(await session.run(feeds))) {
      shapes.set(name, tensor.dims)
      if (keep.has(name)) values.set(name, tensor)
    }
  } finally {
    await session.release()
  }
  return { shapes, values }
}

/** Computes some values of a graph that depend on nothing but initializers. */
export async function evaluateConstants(model: Model, names: readonly ValueName[]): Promise<Map<ValueName, Tensor>> {
  if (names.length === 0) return new Map()
  const probe = cloneModel(model)
  const wanted = new Set(names)
  probe.graph.nodes = model.graph.nodes.filter((node) => node.outputs.some((output) => wanted.has(output)))
  probe.graph.inputs = []
  probe.graph.outputs = names.map((name) => ({ name, type: undefined }))
  const session = await Session.create(writeModel(probe), { threads: 1, optimization: 'disabled' })
  try {
    return new Map(Object.entries(await session.run({})))
  } finally {
    await session.release()
  }
}

function nodeOutputs(graph: Graph): ValueName[] {
  return graph.nodes.flatMap((node) => node.outputs.filter((output) => output !== ''))
}
