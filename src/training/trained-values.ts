// What training has made of a network's parameters, at some point of its course.
import type { ValueName } from '../onnx/model.js'

export interface TrainedValues {
  /** Effective value of every parameter, quantized where ternary. */
  values: ReadonlyMap<ValueName, Float32Array>
  /** State slots of the update graphs (latent weights, scales, momentum) by name. */
  state: ReadonlyMap<ValueName, Float32Array>
}
