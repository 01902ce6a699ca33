// What training has made of a network's parameters, at some point of its course, and the network that has these values.
import type { Model, ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'

export interface TrainedValues {
  /** Every parameter as the network computes with it. */
  values: ReadonlyMap<ValueName, Float32Array>
  /** State slots of the update graphs (latent weights and their like, momentum) by name. */
  state: ReadonlyMap<ValueName, Float32Array>
}

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
