// A plain factor per channel behind each ternary layer, where nothing is trained.
import type { Model, ValueName } from '../onnx/model.js'
import { divideOut, rescaling, spatialAxes } from './divide-channels.js'
import { perChannel, plainNode, startEdit } from './graph-edit.js'
import type { LayerChoice } from './layer-choice.js'

/** Before this opset, Mul and Add broadcast by attributes only: there are no factors then. */
const BROADCASTS = 7

/**
 * Divides the root mean square of each output channel's weights out of every ternary layer and multiplies behind it
 * (Mul; the layer's bias, if any, by an Add): equal to the original up to rounding, for networks that are quantized
 * without training.
 */
export function insertChannelScales(model: Model, choices: readonly LayerChoice[]): Model {
  const edit = startEdit(model)
  if (edit.opset < BROADCASTS) return model
  for (const choice of choices) {
    const layer = rescaling(edit.graph, choice)
    if (layer === undefined) continue
    const { divisor, raw } = divideOut(edit, choice, layer)
    const output = choice.outputs[0] as ValueName
    const factor = edit.initializer(`${choice.weight}.channel_scale`, perChannel(divisor, spatialAxes(choice)))
    if (layer.bias === undefined) {
      edit.insertBehind(raw, [plainNode('Mul', [raw, factor], output)])
      continue
    }
    const scaled = edit.fresh(`${output}_scaled`)
    const bias = edit.initializer(`${choice.weight}.channel_shift`, perChannel(layer.bias, spatialAxes(choice)))
    edit.insertBehind(raw, [plainNode('Mul', [raw, factor], scaled), plainNode('Add', [scaled, bias], output)])
  }
  return edit.finish()
}
