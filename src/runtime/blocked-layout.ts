// Puts a graph into ONNX Runtime's blocked layout wherever convolutions with variable weights make that worth while:
// the channels of a value [N,C,H,W] lie as [N, C/B, H, W, B] in memory, under the same dims. Values stay in it from one
// convolution to the next, through element-wise operators, batch norm and its sums; every other operator gets its
// inputs in the plain layout again.
import { attribute, attributes } from '../onnx/attributes.js'
import { cloneModel } from '../onnx/graph-queries.js'
import type { Attributes, Model, Node, ValueName } from '../onnx/model.js'
import { operatorOf } from '../onnx/operators.js'
import { elementCount, float32, int64 } from '../tensor/tensor.js'
import { BlockedGraph } from './blocked-graph.js'
import { BLOCKED_DOMAIN, blockedForm, orderWeights } from './blocked-convolution.js'

type Dims = readonly number[]

/**
 * @param shapes dims of as many values as are known, weights and gradients among them; what is unknown stays in the
 * plain layout
 * @param block channels per block, as probed by blockedChannels
 * @returns the same function of the same inputs, rounded differently
 */
export function blockLayout(model: Model, shapes: ReadonlyMap<ValueName, Dims>, block: number): Model {
  const layout = new BlockedGraph(model.graph, shapes, block)
  for (const node of model.graph.nodes) {
    if (ruleOf(node)?.(node, layout) !== true) layout.pass(node)
  }
  const blocked = cloneModel(model)
  blocked.graph = layout.finish()
  blocked.opsets.set(BLOCKED_DOMAIN, 1)
  return blocked
}

/** Writes a node in the blocked layout, if it can. @returns whether it did */
type LayoutRule = (node: Node, layout: BlockedGraph) => boolean

const RULES: ReadonlyMap<string, LayoutRule> = new Map<string, LayoutRule>([
  ['Conv', convolution],
  ['BatchNormalization', batchNormalization],
  ['Mul', (node, layout) => scalingPerChannel(node, layout) || elementwise(node, layout)],
  ['Add', (node, layout) => sum(node, layout) || elementwise(node, layout)],
  ['Relu', (node, layout) => activation(node, layout, attributes({ activation: 'Relu' })) || elementwise(node, layout)],
  ['ReduceSum', reduction],
  ['ReduceMean', reduction],
  ['GlobalAveragePool', reduction],
])

function ruleOf(node: Node): LayoutRule | undefined {
  if (node.domain !== '') return undefined
  return RULES.get(node.opType) ?? (operatorOf(node).elementwise === true ? elementwise : undefined)
}

function convolution(node: Node, layout: BlockedGraph): boolean {
  const [x = '', weight = '', ...bias] = node.inputs
  const [dims, output] = [layout.dimsOf(weight), layout.dimsOf(node.outputs[0] as ValueName)]
  const form = layout.isConstant(weight) ? undefined : blockedForm(node, dims, layout.block)
  if (form === undefined || dims === undefined || output === undefined || (form !== 'image' && !layout.canBlock(x)))
    return false
  const ordered = orderWeights(layout.b, layout.plain(weight), dims, form, layout.block)
  layout.defineConvolution(
    node,
    output,
    [form === 'image' ? layout.plain(x) : layout.blocked(x), ordered, ...bias.map((value) => layout.plain(value))],
    node.attributes,
  )
  return true
}

// Values of one shape, and single numbers.
function elementwise(node: Node, layout: BlockedGraph): boolean {
  const full = node.inputs.filter((input) => input !== '' && !isSingle(layout.dimsOf(input)))
  const dims = layout.dimsOf(full[0] ?? '')
  if (dims === undefined || !full.some((input) => layout.isBlocked(input))) return false
  if (!full.every((input) => layout.canBlock(input) && layout.dimsOf(input)?.join() === dims.join())) return false
  layout.define(node, dims, {
    inputs: node.inputs.map((input) => (full.includes(input) ? layout.blocked(input) : layout.plain(input))),
  })
  return true
}

function isSingle(dims: Dims | undefined): boolean {
  return dims !== undefined && dims.length < 4 && elementCount(dims) === 1
}

// With given statistics: y = scale / sigma x + (bias - mean scale / sigma).
function batchNormalization(node: Node, layout: BlockedGraph): boolean {
  const [x = '', ...rest] = node.inputs
  if (!layout.isBlocked(x) || node.outputs.length !== 1) return false
  const { b } = layout
  const [scale, bias, mean, variance] = rest.map((value) => layout.plain(value)) as [
    ValueName,
    ValueName,
    ValueName,
    ValueName,
  ]
  const sigma = b.emit('Sqrt', [
    b.emit('Add', [variance, b.constant(float32([], [attribute(node, 'epsilon', 'float', 1e-5)]))]),
  ])
  const slope = b.emit('Div', [scale, sigma])
  layout.defineScaling(node, x, slope, b.emit('Sub', [bias, b.emit('Mul', [mean, slope])]))
  return true
}

function scalingPerChannel(node: Node, layout: BlockedGraph): boolean {
  const [x, slope] = layout.isBlocked(node.inputs[0] ?? '') ? node.inputs : node.inputs.toReversed()
  const [dims, perChannel] = [layout.dimsOf(x ?? ''), layout.dimsOf(slope ?? '')]
  if (x === undefined || slope === undefined || !layout.isBlocked(x) || dims === undefined) return false
  if (perChannel?.slice(-3).join() !== `${dims[1]},1,1` || elementCount(perChannel) !== dims[1]) return false
  layout.defineScaling(node, x, layout.plain(slope))
  return true
}

function sum(node: Node, layout: BlockedGraph): boolean {
  const [a = '', b = ''] = node.inputs
  const dims = layout.dimsOf(a)?.join()
  if (a === b || dims === undefined || layout.dimsOf(b)?.join() !== dims || !layout.canBlock(a) || !layout.canBlock(b))
    return false
  return layout.mergeSum(node, a, b) || layout.mergeSum(node, b, a)
}

function activation(node: Node, layout: BlockedGraph, found: Attributes): boolean {
  return layout.mergeActivation(node, node.inputs[0] as ValueName, found)
}

// Over batch and space, or over space alone: first over the places of each block, which lie apart by B.
function reduction(node: Node, layout: BlockedGraph): boolean {
  const [x = ''] = node.inputs
  const dims = layout.dimsOf(x)
  const axes =
    node.opType === 'GlobalAveragePool' ? [2, 3] : layout.constantInts(node.inputs[1])?.toSorted((a, b) => a - b)
  const keep = node.opType === 'GlobalAveragePool' || attribute(node, 'keepdims', 'int', 1) === 1
  const overBatch = axes?.join() === '0,2,3'
  if (!layout.isBlocked(x) || dims === undefined || (!overBatch && axes?.join() !== '2,3')) return false
  const { b, block } = layout
  const [batch, channels, height, width] = dims as [number, number, number, number]
  const opType = node.opType === 'GlobalAveragePool' ? 'ReduceMean' : node.opType
  const reduce = (value: ValueName, shape: Dims, axis: number): ValueName =>
    b.emit(opType, [b.emit('Reshape', [value, b.constant(int64(shape))]), b.constant(int64([axis]))], { keepdims: 0 })
  const perImage = reduce(layout.blocked(x), [(batch * channels) / block, height * width, block], 1)
  const reduced = overBatch ? reduce(perImage, [batch, channels], 0) : perImage
  const result = [...(overBatch ? [] : [batch]), channels]
  const shape = keep ? [overBatch ? 1 : batch, channels, 1, 1] : result
  layout.pass({ ...node, opType: 'Reshape', inputs: [reduced, b.constant(int64(shape))], attributes: {} })
  return true
}
