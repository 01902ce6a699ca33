// A network as compress sees it, to be described.
import { foldConstants } from '../binding/prepare-network.js'
import { TtqError } from '../errors/ttq-error.js'
import type { Graph, Model } from '../onnx/model.js'
import type { Loader } from '../runtime/engine.js'

/**
 * The graph with what depends on constants alone computed: layers are looked for as compress does, behind constant
 * arithmetic. What ONNX Runtime cannot compute is described as it stands.
 */
export async function foldWherePossible(trial: Loader, model: Model): Promise<Graph> {
  try {
    return (await foldConstants(trial, model)).graph
  } catch (cause) {
    if (cause instanceof TtqError && cause.code !== 'interrupted') return model.graph
    throw cause
  }
}
