// Weights of LSTM, GRU and RNN as layers: what the node multiplies inside of it stands outside, too, while its weights
// are fitted; its factors per channel stand in front of it, on the weights, and its shifts go to the node's own biases.
// X is [steps, batch, inputs], W [directions, gates * size, inputs], R [directions, gates * size, size], B [directions,
// 2 * gates * size], Y [steps, directions, batch, size]. https://onnx.ai/onnx/operators/onnx__LSTM.html
import { ternaryScales } from '../methods/threshold.js'
import { attribute } from '../onnx/attributes.js'
import type { Graph, Node, ValueName } from '../onnx/model.js'
import { type FloatType, isFloatType } from '../tensor/data-type.js'
import { float32Values, floatTensor } from '../tensor/float-values.js'
import { int64, isType, type Tensor } from '../tensor/tensor.js'
import { type GraphEdit, plainNode } from './graph-edit.js'
import type { LayerChoice } from './layer-choice.js'

/** Positions of a recurrent node's inputs. */
const INPUTS = { x: 0, w: 1, r: 2, b: 3 } as const

/** The first result that a node has a name for. */
export function firstOutput({ outputs }: Node): ValueName {
  return outputs.find((name) => name !== '') ?? ''
}

/** The only node of a recurrent layer; undefined where several share its weight. */
export function recurrentNode({ nodes }: Graph, { weight, outputs }: LayerChoice): Node | undefined {
  return outputs.length === 1
    ? nodes.find((node) => firstOutput(node) === outputs[0] && node.inputs.includes(weight))
    : undefined
}

/** What names begin with that stand for a layer outside of where it is: the names of nodes are free there. */
export const prefixOf = (weight: ValueName): ValueName => `ttq:opened/${weight}/`
/** What such a layer gives, */
export const outside = (weight: ValueName): ValueName => `${prefixOf(weight)}outside`
/** and, of a recurrent one, what it multiplies. */
export const rowsOf = (weight: ValueName): ValueName => `${prefixOf(weight)}rows`

/**
 * What a recurrent layer multiplies and what it gives, samples first: of W, [batch, steps, inputs] and [batch, steps,
 * directions * gates * size], of R [batch, steps, directions, size] and [batch, steps, directions, gates * size], where
 * each step stands for the one before it.
 * @param seen X for W and Y for R, as values of the graph
 */
export function recurrentProduct(isHidden: boolean, weight: ValueName, seen: ValueName): readonly Node[] {
  const [rows, product] = [rowsOf(weight), outside(weight)]
  const [turned, sums, shape, matrix] = ['turned', 'sums', 'shape', 'matrix'].map(
    (name) => prefixOf(weight) + name,
  ) as [ValueName, ValueName, ValueName, ValueName]
  if (isHidden)
    return [
      plainNode('Transpose', [seen], rows, { perm: [2, 0, 1, 3] }),
      plainNode('Transpose', [weight], turned, { perm: [0, 2, 1] }),
      plainNode('MatMul', [seen, turned], sums),
      plainNode('Transpose', [sums], product, { perm: [2, 0, 1, 3] }),
    ]
  return [
    plainNode('Transpose', [seen], rows, { perm: [1, 0, 2] }),
    plainNode('Transpose', [weight], turned, { perm: [2, 0, 1] }),
    plainNode('Constant', [], shape, { value: { kind: 'tensor', value: int64([0, -1]) } }),
    plainNode('Reshape', [turned, shape], matrix),
    plainNode('MatMul', [rows, matrix], product),
  ]
}

/**
 * A recurrent node's weights that may be layers: [directions, gates * size, ...] with constant biases, or none.
 * @returns names of initializers of the graph
 */
export function recurrentWeights(node: Node, { initializers }: Graph): ValueName[] {
  const { w, r, b } = INPUTS
  const bias = node.inputs[b] ?? ''
  if (attribute(node, 'layout', 'int', 0) !== 0 || (bias !== '' && !initializers.has(bias))) return []
  return [w, r].flatMap((index) => {
    const name = node.inputs[index] ?? ''
    const tensor = initializers.get(name)
    return tensor?.dims.length === 3 && isFloatType(tensor.type) ? [name] : []
  })
}

/** Whether the weight is the one of the hidden state, and not of the input. */
export function isHiddenWeight(node: Node, weight: ValueName): boolean {
  return node.inputs.indexOf(weight) === INPUTS.r
}

/** What such a layer multiplies: the node's input, or the states that it gives; '' where it does not give them. */
export function seenBy(node: Node, weight: ValueName): ValueName {
  return (isHiddenWeight(node, weight) ? node.outputs[0] : node.inputs[INPUTS.x]) ?? ''
}

/**
 * Whether factors can stand in front of a recurrent node: it is the only one with this float32 weight, which is not
 * ternary as it is.
 */
export function isScalableInFront(graph: Graph, choice: LayerChoice): boolean {
  const tensor = graph.initializers.get(choice.weight)
  if (!choice.ternary || tensor === undefined || !isType(tensor, 'float32')) return false
  return ternaryScales(tensor.data) === undefined && recurrentNode(graph, choice) !== undefined
}

/**
 * Puts a factor per channel in front of a recurrent node, on its weight, and adds a shift to its biases.
 * @param scales [directions * gates * size] each
 */
export function scaleInFront(
  edit: GraphEdit,
  choice: LayerChoice,
  { factor, shift }: { factor: Float32Array; shift: Float32Array | undefined },
): void {
  const { weight, dims } = choice
  const [directions, channels] = dims as [number, number]
  const { nodes, initializers } = edit.graph
  const node = recurrentNode(edit.graph, choice) as Node
  const { type } = initializers.get(weight) as Tensor<FloatType>
  if (shift !== undefined) {
    const isHidden = isHiddenWeight(node, weight)
    const given = initializers.get(node.inputs[INPUTS.b] ?? '') as Tensor<FloatType> | undefined
    const biases = given === undefined ? new Float32Array(2 * directions * channels) : float32Values(given).slice()
    shift.forEach((value, i) => {
      const [direction, channel] = [Math.floor(i / channels), i % channels]
      if (isHidden && isReset(node, channel, channels)) return
      const at = (2 * direction + (isHidden ? 1 : 0)) * channels + channel
      biases[at] = (biases[at] as number) + value
    })
    while (node.inputs.length <= INPUTS.b) node.inputs.push('')
    const tensor = floatTensor(type, [directions, 2 * channels], biases)
    node.inputs[INPUTS.b] = edit.initializer(`${weight}.channel_shift`, tensor)
  }
  const scaled = edit.fresh(`${weight}_scaled`)
  const factors = edit.initializer(`${weight}.channel_scale`, floatTensor(type, [directions, channels, 1], factor))
  nodes.splice(nodes.indexOf(node), 0, plainNode('Mul', [weight, factors], scaled))
  node.inputs = node.inputs.map((name) => (name === weight ? scaled : name))
}

// Whether a channel of a GRU sees what is left of the hidden state behind a gate: what it misses on the average is not
// what it would miss of all of it.
function isReset(node: Node, channel: number, channels: number): boolean {
  return (
    node.opType === 'GRU' && attribute(node, 'linear_before_reset', 'int', 0) === 0 && channel >= (2 * channels) / 3
  )
}
