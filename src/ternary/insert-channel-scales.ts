// A plain factor per channel behind each ternary layer, where nothing is trained.
import type { FloatType } from '../tensor/data-type.js'
import { floatTensor } from '../tensor/float-values.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Model, ValueName } from '../onnx/model.js'
import { divideOut, divideWeights, rescaling, spatialAxes } from './divide-channels.js'
import { type GraphEdit, perChannel, plainNode, startEdit } from './graph-edit.js'
import { isRecurrent, type LayerChoice } from './layer-choice.js'
import { isScalableInFront, scaleInFront } from './recurrent-layers.js'

/** Before this opset, Mul and Add broadcast by attributes only: there are no factors then. */
const BROADCASTS = 7

/** Whether a Mul and an Add with one value per channel can stand behind a layer. */
export function takesChannelScales({ opsets }: Model): boolean {
  return (opsets.get('') ?? 0) >= BROADCASTS
}

/**
 * Divides the root mean square of each output channel's weights out of every ternary layer and multiplies behind it
 * (Mul; the layer's bias, if any, by an Add): equal to the original up to rounding, for networks that are quantized
 * without training.
 */
export function insertChannelScales(model: Model, choices: readonly LayerChoice[]): Model {
  if (!takesChannelScales(model)) return model
  const edit = startEdit(model)
  for (const choice of choices) {
    if (isRecurrent(choice)) {
      if (isScalableInFront(edit.graph, choice))
        scaleInFront(edit, choice, { factor: divideWeights(edit, choice), shift: undefined })
      continue
    }
    const layer = rescaling(edit.graph, choice)
    if (layer === undefined) continue
    const { divisor, raw } = divideOut(edit, choice, layer)
    scaleChannels(edit, choice, raw, { factor: divisor, shift: layer.bias })
  }
  return edit.finish()
}

/** Puts a factor and, where there is one, a shift per channel between `raw` and the name of a layer's output. */
export function scaleChannels(
  edit: GraphEdit,
  choice: LayerChoice,
  raw: ValueName,
  { factor, shift }: { factor: Float32Array; shift: Float32Array | undefined },
): void {
  const { type } = edit.graph.initializers.get(choice.weight) as Tensor<FloatType>
  const vector = (kind: string, values: Float32Array): ValueName => {
    const { dims, data } = perChannel(values, spatialAxes(choice))
    return edit.initializer(`${choice.weight}.${kind}`, floatTensor(type, dims, data))
  }
  const output = choice.outputs[0] as ValueName
  const scaled = shift === undefined ? output : edit.fresh(`${output}_scaled`)
  const nodes = [plainNode('Mul', [raw, vector('channel_scale', factor)], scaled)]
  if (shift !== undefined) nodes.push(plainNode('Add', [scaled, vector('channel_shift', shift)], output))
  edit.insertBehind(raw, nodes)
}
