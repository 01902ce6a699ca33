// A batch norm behind each ternary layer that has none, to train with, and the factor and shift that it becomes in the
// end.
import type { ChannelStatistics } from '../binding/channel-statistics.js'
import { consumers } from '../onnx/graph-queries.js'
import type { Graph, Model, Node, ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'
import { isMask } from '../training/trainable.js'
import { divideOut, rescaling, spatialAxes } from './divide-channels.js'
import { floats, type GraphEdit, perChannel, plainNode, startEdit } from './graph-edit.js'
import type { LayerChoice } from './layer-choice.js'
import type { NormParameters } from './own-norm.js'

/** A batch norm put behind a layer, by the names of its parts. */
export interface InsertedNorm {
  /** The layer's weight. */
  weight: ValueName
  /** Output of the batch norm: the name that the layer's output had before. */
  output: ValueName
  /** Initializers of the batch norm, [channels] each. */
  scale: ValueName
  shift: ValueName
  mean: ValueName
  variance: ValueName
  /** Axes of the output behind the channel axis. */
  spatialAxes: number
}

/** Of inserted batch norms. */
export const EPSILON = 1e-5
const MOMENTUM = 0.9

/**
 * Whether a batch norm should be put behind a layer: it is ternary, its output is of a form that batch norm takes, and
 * none follows yet (directly, or behind a bias). A mask in the bias's place has no mean that a shift could have.
 * @param rankOf rank of a value where known; a MatMul counts only with an output of rank 2
 */
export function needsNormalization(
  graph: Graph,
  choice: LayerChoice,
  rankOf: (value: ValueName) => number | undefined = () => undefined,
): boolean {
  const layer = rescaling(graph, choice)
  if (layer === undefined || (layer.bias !== undefined && isMask(layer.bias))) return false
  const [output] = choice.outputs
  if (output === undefined || (choice.op === 'MatMul' && rankOf(output) !== 2)) return false
  return !isNormalized(graph, output)
}

/** Whether a batch norm follows every use of a layer's weight, directly or behind a bias. */
export function followedByNorm(graph: Graph, { outputs }: LayerChoice): boolean {
  return outputs.every((output) => isNormalized(graph, output))
}

function isNormalized(graph: Graph, output: ValueName): boolean {
  const users = consumers(graph)
  const next = (value: ValueName): Node | undefined =>
    users.get(value)?.length === 1 ? users.get(value)?.[0] : undefined
  const behind = next(output)
  const isBias = behind?.opType === 'Add' && behind.inputs.some((input) => graph.initializers.has(input))
  const follower = isBias ? next(behind.outputs[0] as ValueName) : behind
  return follower?.opType === 'BatchNormalization'
}

/**
 * Puts a batch norm behind every ternary layer that `statistics` (by weight) has, divides the root mean square of each
 * output channel's weights out of them, and drops the layer's bias. The batch norm's running statistics are those of
 * the divided layer, its scale and shift such that its output has the mean and variance given: before quantization, the
 * network computes what it did.
 *
 * Root mean square because it fits best: relative squared error of the ternary fit, mean over output channels,
 * cifar10-resnet20 / ultraface-slim: undivided 0.264 / 0.482, divided by the largest magnitude 0.217 / 0.181, mean
 * magnitude 0.209 / 0.197, root mean square 0.207 / 0.180.
 *
 * @returns the new model, in which weights keep their names and `output` of each norm is the layer's old output
 */
export function insertBatchNorm(
  model: Model,
  choices: readonly LayerChoice[],
  statistics: ReadonlyMap<ValueName, ChannelStatistics>,
): { model: Model; inserted: InsertedNorm[] } {
  const edit = startEdit(model)
  const inserted: InsertedNorm[] = []
  for (const choice of choices) {
    const measured = statistics.get(choice.weight)
    const layer = rescaling(edit.graph, choice)
    if (measured === undefined || layer === undefined) continue
    const { divisor, raw } = divideOut(edit, choice, layer)
    const vector = (value: (channel: number, divisor: number) => number): Float32Array =>
      divisor.map((own, channel) => value(channel, own))
    const variance = vector((channel, own) => (measured.variance[channel] as number) / own ** 2)
    const norm = insertNorm(edit, choice, raw, {
      scale: vector((channel, own) => own * Math.sqrt((variance[channel] as number) + EPSILON)),
      shift: vector((channel) => measured.mean[channel] as number),
      mean: vector((channel, own) => ((measured.mean[channel] as number) - (layer.bias?.[channel] ?? 0)) / own),
      variance,
    })
    inserted.push(norm)
  }
  return { model: edit.finish(), inserted }
}

/** Puts a batch norm between `raw` and the name of a layer's output. */
export function insertNorm(
  edit: GraphEdit,
  choice: LayerChoice,
  raw: ValueName,
  parameters: Omit<NormParameters, 'epsilon'>,
): InsertedNorm {
  const vector = (kind: keyof typeof parameters): ValueName =>
    edit.initializer(`${choice.weight}.norm_${kind}`, float32([parameters[kind].length], parameters[kind]))
  const norm: InsertedNorm = {
    weight: choice.weight,
    output: choice.outputs[0] as ValueName,
    spatialAxes: spatialAxes(choice),
    scale: vector('scale'),
    shift: vector('shift'),
    mean: vector('mean'),
    variance: vector('variance'),
  }
  const inputs = [raw, norm.scale, norm.shift, norm.mean, norm.variance]
  edit.insertBehind(raw, [
    plainNode('BatchNormalization', inputs, norm.output, {
      epsilon: { float: EPSILON },
      momentum: { float: MOMENTUM },
    }),
  ])
  return norm
}

/**
 * Turns each inserted batch norm into a factor and a shift per channel (Mul, Add), which take the names of its scale
 * and shift.
 */
export function foldInsertedNorms(model: Model, inserted: readonly InsertedNorm[]): Model {
  const edit = startEdit(model)
  for (const norm of inserted) {
    const [scale, shift, mean, variance] = [norm.scale, norm.shift, norm.mean, norm.variance].map((name) =>
      floats(edit.graph, name),
    )
    const factor = (scale as Float32Array).map(
      (value, channel) => value / Math.sqrt((variance?.[channel] as number) + EPSILON),
    )
    const offset = (shift as Float32Array).map(
      (value, channel) => value - (mean?.[channel] as number) * (factor[channel] as number),
    )
    edit.graph.initializers.set(norm.scale, perChannel(factor, norm.spatialAxes))
    edit.graph.initializers.set(norm.shift, perChannel(offset, norm.spatialAxes))
    const index = edit.graph.nodes.findIndex((node) => node.outputs[0] === norm.output)
    const old = edit.graph.nodes[index]
    if (old?.opType !== 'BatchNormalization')
      throw new Error(`internal: "${norm.output}" is not the output of a batch norm`)
    const scaled = edit.fresh(`${norm.output}_scaled`)
    edit.graph.nodes.splice(
      index,
      1,
      plainNode('Mul', [old.inputs[0] as ValueName, norm.scale], scaled),
      plainNode('Add', [scaled, norm.shift], norm.output),
    )
  }
  return edit.finish()
}
