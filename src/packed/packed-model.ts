// What a .ttq file holds, as plain data. The byte layout is docs/ttq-format.md; pack.ts writes it, unpack.ts reads it.
import type { Model, ValueName } from '../onnx/model.js'
import type { TernaryWeights } from '../tensor/ternary.js'
import type { RestForm } from './stored-form.js'

/** A network whose chosen initializers are ternary. */
export interface PackedModel {
  /** The network; initializers named in `ternary` or `rest` hold the decoded float values, so it runs as it stands. */
  model: Model
  /** Codes and scales of each ternary initializer, by name, in the graph's order. */
  ternary: ReadonlyMap<ValueName, TernaryWeights>
  /**
   * How single other initializers are stored, by name, in the graph's order; those not named are stored as they are.
   */
  rest?: ReadonlyMap<ValueName, RestForm>
  /** Provenance, free text pairs: producer, method, source file, preprocessing, and that as data under `pixels`. */
  metadata: Readonly<Record<string, string>>
}
