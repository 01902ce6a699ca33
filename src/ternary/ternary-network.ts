// A network with ternary weights, before packing.
import type { Model, ValueName } from '../onnx/model.js'
import type { RestForm } from '../packed/stored-form.js'
import type { TernaryWeights } from '../tensor/ternary.js'

export interface TernaryLayer extends TernaryWeights {
  /** Threshold as a share of max|latent weight|; null where the method has none. */
  threshold: number | null
  /** After a training, where details are asked for: the weights that these were made from. */
  latent?: Float32Array | undefined
}

export interface TernaryNetwork {
  /** Runs as it stands: its ternary initializers hold +wp, 0 and -wn. */
  model: Model
  layers: ReadonlyMap<ValueName, TernaryLayer>
  /**
   * How other initializers are stored that are not stored as they are; the model holds the values that they stand for.
   */
  rest?: ReadonlyMap<ValueName, RestForm>
}
