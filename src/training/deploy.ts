// From trained values to the network that is packed: the original graph with other initializers.
import type { Model, ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'

/**
 * The network with these float32 values in the place of its initializers of the same names; other names are ignored.
 */
export function withValues(model: Model, values: ReadonlyMap<ValueName, Float32Array>): Model {
  const initializers = new Map(model.graph.initializers)
  for (const [name, data] of values) {
    const old = initializers.get(name)
    if (old !== undefined) initializers.set(name, float32(old.dims, data))
  }
  return { ...model, graph: { ...model.graph, initializers } }
}
