// A layer that stays in full precision behind ternary ones, fitted anew: on what they give it now, it gives what the
// original gives.
import type { LeastSquares } from '../algebra/least-squares.js'
import type { WorkerPool } from '../execution/worker-pool.js'
import { largestMagnitude } from '../methods/threshold.js'
import { attribute } from '../onnx/attributes.js'
import { producers } from '../onnx/graph-queries.js'
import type { Model, Node, ValueName } from '../onnx/model.js'
import { floatTensor } from '../tensor/float-values.js'
import { removeBias, renameOutput } from './divide-channels.js'
import { plainNode, startEdit } from './graph-edit.js'
import type { LayerChoice } from './layer-choice.js'
import type { LayerMoments } from './layer-moments.js'
import type { Place } from './layer-place.js'
import { normParameters } from './own-norm.js'
import { inTarget } from './solve-layer.js'
import { fromRows } from './weight-rows.js'

/**
 * How strongly weights are drawn to what they were, as a share of the inputs' mean square: always, and times columns by
 * rows, because the fewer rows there are, the more of what is fitted is chance. cifar10-resnet20's last layer, 64
 * inputs, after 18 ternary ones; top-1, 87.77 before:
 *
 * | made-up images | 0.02 | columns/rows | 4 columns/rows |
 * |---|---|---|---|
 * | 32 | 81.60 | 87.05 | 87.89 |
 * | 256 | 87.67 | 88.18 | 88.12 |
 * | 1024 | 88.37 | 88.42 | 88.25 |
 */
const RIDGE = { always: 0.02, byRows: 2 } as const

/**
 * How much larger than before weights may become. Inputs that hardly vary any more (of 1 % of the weights a layer before
 * has kept) would be multiplied by thousands, and biases as large taken from that: rounded, nothing is left.
 */
const MOST_GROWN = 64

/** Weights, and a bias of the layer or a shift of its batch norm, by least squares. Values keep their names. */
export async function refit(
  pool: WorkerPool,
  student: Model,
  choice: LayerChoice,
  place: Place,
  moments: readonly LayerMoments[],
): Promise<Model> {
  const { rows, gain, product } = place
  const { columns, channels } = rows
  const ridge = RIDGE.always + (RIDGE.byRows * columns) / (moments[0] as LayerMoments).count
  const size = channels * columns
  const prior = inTarget(place, place.weights)
  const problems = moments.map(({ gram, cross }, group): LeastSquares => {
    return { gram, cross, prior: prior.slice(group * size, (group + 1) * size) }
  })
  // [groups, channels, columns], of the target
  const solved = Float64Array.from(
    (await pool.call(0, 'leastSquares', { problems, ridge })).flatMap((part) => [...part]),
  )
  const fitted = largestMagnitude(solved) > MOST_GROWN * largestMagnitude(prior) ? prior : solved
  const shifts = Float64Array.from({ length: moments.length * channels }, (_, channel) => {
    const { inputMean, outputMean } = moments[Math.floor(channel / channels)] as LayerMoments
    return inputMean.reduce(
      (left, mean, i) => left - mean * (fitted[channel * columns + i] as number),
      outputMean[channel % channels] as number,
    )
  })
  // A channel that its batch norm makes constant has no weights of its own.
  const weights = Float32Array.from(fitted, (value, i) => {
    const unit = product * (gain[Math.floor(i / columns)] as number)
    return unit === 0 ? (place.weights[i] as number) : value / unit
  })
  return write(student, choice, place, fromRows(rows.weightPlaces, weights), shifts)
}

function write(
  student: Model,
  choice: LayerChoice,
  { norm, type, gain }: Place,
  weights: Float32Array,
  shifts: Float64Array,
): Model {
  const edit = startEdit(student)
  const { graph } = edit
  graph.initializers.set(choice.weight, floatTensor(type, choice.dims, weights))
  const node = producers(graph).get(choice.outputs[0] as ValueName) as Node
  const values = Float32Array.from(shifts)
  const own = norm && graph.nodes.find(({ outputs }) => outputs[0] === norm.outputs[0])
  if (own !== undefined) {
    removeBias(edit, choice, node)
    const { mean } = normParameters(graph, own)
    const shift = Float32Array.from(shifts, (value, c) => value + (gain[c] as number) * (mean[c] as number))
    own.inputs[2] = edit.initializer(`${choice.weight}.norm_shift`, floatTensor('float32', [shift.length], shift))
  } else if (choice.op !== 'MatMul' && attribute(node, 'beta', 'float', 1) === 1) {
    const bias = edit.initializer(`${choice.weight}.bias`, floatTensor(type, [shifts.length], values))
    node.inputs = [...node.inputs.slice(0, 2), bias]
  } else {
    removeBias(edit, choice, node)
    const raw = renameOutput(edit, choice, node)
    const shift = edit.initializer(`${choice.weight}.shift`, floatTensor(type, [shifts.length], values))
    edit.insertBehind(raw, [plainNode('Add', [raw, shift], choice.outputs[0] as ValueName)])
  }
  return edit.finish()
}
