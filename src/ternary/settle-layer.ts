// A layer as solved, written into the network: values keep their names.
import { producers } from '../onnx/graph-queries.js'
import type { Model, Node, ValueName } from '../onnx/model.js'
import { floatTensor } from '../tensor/float-values.js'
import { float32 } from '../tensor/tensor.js'
import { removeBias, renameOutput } from './divide-channels.js'
import { startEdit } from './graph-edit.js'
import { EPSILON, type InsertedNorm, insertNorm } from './insert-batch-norm.js'
import { scaleChannels } from './insert-channel-scales.js'
import { isRecurrent, type LayerChoice } from './layer-choice.js'
import type { Place } from './layer-place.js'
import { normParameters } from './own-norm.js'
import { scaleInFront } from './recurrent-layers.js'
import type { Fit } from './fitted-layers.js'

/** What a layer's factors and shifts become: a Mul and an Add, or a batch norm to train with where one can stand. */
export type Behind = 'factors' | 'norm'

export interface Settled {
  model: Model
  /** Where the layer had no batch norm of its own, and was to have one. */
  inserted: InsertedNorm | undefined
}

/** The network with the layer as solved. A batch norm that the layer has takes factors and shifts up. */
export function settle(
  student: Model,
  choice: LayerChoice,
  { norm, type, outputRank }: Pick<Place, 'norm' | 'type' | 'outputRank'>,
  { layer, factors, shifts, mean, variance }: Fit,
  behind: Behind,
): Settled {
  const edit = startEdit(student)
  const { graph } = edit
  const levels = Float32Array.from(layer.codes, (code) => code * layer.wp)
  graph.initializers.set(choice.weight, floatTensor(type, choice.dims, levels))
  if (isRecurrent(choice)) {
    scaleInFront(edit, choice, { factor: Float32Array.from(factors), shift: Float32Array.from(shifts) })
    return { model: edit.finish(), inserted: undefined }
  }
  const node = producers(graph).get(choice.outputs[0] as ValueName) as Node
  // The layer's own bias goes with it: the shifts say all there is.
  removeBias(edit, choice, node)
  const own = norm && graph.nodes.find(({ outputs }) => outputs[0] === norm.outputs[0])
  const epsilon = own === undefined ? EPSILON : normParameters(graph, own).epsilon
  const normal = {
    scale: Float32Array.from(factors, (factor, c) => factor * Math.sqrt((variance[c] as number) + epsilon)),
    shift: Float32Array.from(shifts, (shift, c) => shift + (factors[c] as number) * (mean[c] as number)),
    mean: Float32Array.from(mean),
    variance: Float32Array.from(variance),
  }
  if (own !== undefined) {
    Object.entries(normal).forEach(([kind, values], i) => {
      own.inputs[i + 1] = edit.initializer(`${choice.weight}.norm_${kind}`, float32([values.length], values))
    })
    return { model: edit.finish(), inserted: undefined }
  }
  const raw = renameOutput(edit, choice, node)
  const isNorm = behind === 'norm' && type === 'float32' && (choice.op !== 'MatMul' || outputRank === 2)
  const inserted = isNorm ? insertNorm(edit, choice, raw, normal) : undefined
  if (inserted === undefined)
    scaleChannels(edit, choice, raw, { factor: Float32Array.from(factors), shift: Float32Array.from(shifts) })
  return { model: edit.finish(), inserted }
}
