// A network with ternary weights, before packing.
import type { Model, ValueName } from '../onnx/model.js'
import type { TernaryWeights } from '../tensor/ternary.js'

export interface TernaryLayer extends TernaryWeights {
  /** Threshold as a share of max|latent weight|; null where the method has none. */
  threshold: number | null
}

export interface TernaryNetwork {
  /** Runs as it stands: its ternary initializers hold +wp, 0 and -wn. */
  model: Model
  layers: ReadonlyMap<ValueName, TernaryLayer>
}
