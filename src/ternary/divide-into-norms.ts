// Batch norm that is there already takes up the factors that are divided out of its layer's channels.
import type { Model, ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'
import { divideWeights, rescaling } from './divide-channels.js'
import { startEdit } from './graph-edit.js'
import type { LayerChoice } from './layer-choice.js'
import { normParameters, ownNorm } from './own-norm.js'

/**
 * Divides the root mean square of each output channel's weights out of every ternary convolution and Gemm that has a
 * batch norm directly behind it, and lets the batch norm make up for it: its running statistics, and its scale for the
 * sake of epsilon. The network computes what it did, and one pair of scales fits the layer better (cifar10-resnet20-bn:
 * relative squared error 0.207 instead of 0.248).
 */
export function divideIntoNorms(model: Model, choices: readonly LayerChoice[]): Model {
  const edit = startEdit(model)
  for (const choice of choices) {
    const layer = rescaling(edit.graph, choice)
    // A MatMul's channels are its last axis, which is the one of batch norm only at rank 2.
    const norm =
      layer === undefined || choice.op === 'MatMul' ? undefined : ownNorm(edit.graph, choice.outputs[0] as ValueName)
    if (layer === undefined || norm === undefined) continue
    const divisor = divideWeights(edit, choice)
    if (layer.bias !== undefined) {
      const bias = layer.bias.map((value, channel) => value / (divisor[channel] as number))
      layer.node.inputs[2] = edit.initializer(`${choice.weight}.divided_bias`, float32([bias.length], bias))
      delete layer.node.attributes['beta']
    }
    const { scale, mean, variance, epsilon } = normParameters(edit.graph, norm)
    const nextVariance = variance.map((value, channel) => value / (divisor[channel] as number) ** 2)
    const replace = (input: number, kind: string, values: Float32Array): void => {
      norm.inputs[input] = edit.initializer(`${choice.weight}.${kind}`, float32([values.length], values))
    }
    replace(
      1,
      'norm_scale',
      scale.map(
        (value, c) =>
          value *
          (divisor[c] as number) *
          Math.sqrt(((nextVariance[c] as number) + epsilon) / ((variance[c] as number) + epsilon)),
      ),
    )
    replace(
      3,
      'norm_mean',
      mean.map((value, channel) => value / (divisor[channel] as number)),
    )
    replace(4, 'norm_variance', nextVariance)
  }
  return edit.finish()
}
