// The table of operators whose definition changed between opset 1 and 18 in a way that a node must be rewritten for.
// Operators that only gained types, attributes with a neutral default or negative axes are not in it.
// Source: the operator histories of https://onnx.ai/onnx/operators/
import { DATA_TYPES, type DataType } from '../tensor/data-type.js'
import { float32, int64, type Tensor } from '../tensor/tensor.js'
import { attribute, attributes, withoutAttributes } from './attributes.js'
import type { GraphBuilder } from './graph-builder.js'
import type { Node, ValueName } from './model.js'
import type { ValueFacts } from './value-facts.js'

export interface UpgradeContext {
  /** Where the upgraded nodes go. */
  readonly builder: GraphBuilder
  readonly facts: ValueFacts
  readonly initializer: (name: ValueName) => Tensor | undefined
  readonly isUsed: (name: ValueName) => boolean
  /** Says that a node's old form has no counterpart. */
  readonly refuse: (node: Node, reason: string) => never
}

/** Writes the opset 18 form of `node` to the context's builder; the node's outputs keep their names. */
type Upgrade = (node: Node, context: UpgradeContext) => void

interface UpgradeRule {
  /** Nodes of opsets below this one are rewritten. */
  readonly before: number
  readonly upgrade: Upgrade
}

const INT64_MAX = 2n ** 63n - 1n

// Reading makes INT64_MAX, the "to the end" of old Slice nodes, the double 2^63.
function ints(values: readonly number[]): Tensor {
  const data = BigInt64Array.from(values, (value) => {
    const exact = BigInt(value)
    return exact > INT64_MAX ? INT64_MAX : exact < -INT64_MAX ? -INT64_MAX : exact
  })
  return { type: 'int64', dims: [values.length], data }
}

function trimmed(inputs: readonly ValueName[]): ValueName[] {
  return inputs.slice(0, inputs.findLastIndex((input) => input !== '') + 1)
}

/** Attributes of integers that became inputs, in the order of those inputs. */
function intsToInputs(...names: readonly string[]): Upgrade {
  return (node, { builder }) => {
    const inputs = names.map((name) => {
      const values = attribute(node, name, 'ints', undefined)
      return values === undefined ? '' : builder.constant(ints(values), `${node.outputs[0] ?? ''}_${name}`)
    })
    builder.push({
      ...node,
      inputs: trimmed([...node.inputs, ...inputs]),
      attributes: withoutAttributes(node.attributes, ...names),
    })
  }
}

function floatScalar(type: DataType | undefined, value: number, node: Node, context: UpgradeContext): Tensor {
  if (type === undefined || type === 'float32') return float32([], [value])
  if (type === 'float64') return { type, dims: [], data: Float64Array.of(value) }
  return context.refuse(node, `it works on ${type}, expected float32 or float64`)
}

// Clip 6: bounds are attributes.
const clip: Upgrade = (node, context) => {
  const type = context.facts.elementType(node.inputs[0] ?? '')
  const bound = (name: string): ValueName => {
    const value = attribute(node, name, 'float', undefined)
    if (value === undefined) return ''
    return context.builder.constant(floatScalar(type, value, node, context), `${node.outputs[0] ?? ''}_${name}`)
  }
  const inputs = trimmed([...node.inputs, bound('min'), bound('max')])
  context.builder.push({ ...node, inputs, attributes: withoutAttributes(node.attributes, 'min', 'max') })
}

// Pad 2: pads and value are attributes.
const pad: Upgrade = (node, context) => {
  const { builder } = context
  const value = attribute(node, 'value', 'float', 0)
  const type = context.facts.elementType(node.inputs[0] ?? '')
  const inputs = [
    ...node.inputs,
    builder.constant(ints(attribute(node, 'pads', 'ints', [])), `${node.outputs[0] ?? ''}_pads`),
  ]
  if (value !== 0)
    inputs.push(builder.constant(floatScalar(type, value, node, context), `${node.outputs[0] ?? ''}_value`))
  builder.push({ ...node, inputs, attributes: withoutAttributes(node.attributes, 'pads', 'value') })
}

// Split: equal parts were implied by the number of outputs; opset 18 wants that number said.
const split: Upgrade = (node, { builder }) => {
  const sizes = attribute(node, 'split', 'ints', undefined)
  const kept = withoutAttributes(node.attributes, 'split')
  if (sizes !== undefined) {
    const input = builder.constant(ints(sizes), `${node.outputs[0] ?? ''}_split`)
    builder.push({ ...node, inputs: [node.inputs[0] ?? '', input], attributes: kept })
  } else if ((node.inputs[1] ?? '') === '') {
    const equal = attributes({ num_outputs: node.outputs.length })
    builder.push({ ...node, inputs: node.inputs.slice(0, 1), attributes: { ...kept, ...equal } })
  } else builder.push(node)
}

// TopK 1: k is an attribute.
const topK: Upgrade = (node, { builder }) => {
  const k = builder.constant(int64([attribute(node, 'k', 'int', 0)]), `${node.outputs[0] ?? ''}_k`)
  builder.push({ ...node, inputs: [...node.inputs, k], attributes: withoutAttributes(node.attributes, 'k') })
}

// Dropout 7 and 10: the ratio is an attribute; the mask was of another type.
const dropout: Upgrade = (node, context) => {
  const ratio = context.builder.constant(
    float32([], [attribute(node, 'ratio', 'float', 0.5)]),
    `${node.outputs[0] ?? ''}_ratio`,
  )
  const inputs = [...node.inputs, ratio]
  context.builder.push({
    ...node,
    inputs,
    outputs: firstOutput(node, context),
    attributes: withoutAttributes(node.attributes, 'ratio', 'is_test'),
  })
}

// BatchNormalization 7 and 9 with 5 outputs, and 14 with training_mode and 3 outputs, were exported in the middle of
// training.
const batchNormalization: Upgrade = (node, context) => {
  if (attribute(node, 'spatial', 'int', 1) === 0) context.refuse(node, 'it has spatial = 0 (statistics per activation)')
  context.builder.push({
    ...node,
    outputs: firstOutput(node, context),
    attributes: withoutAttributes(node.attributes, 'spatial', 'training_mode', 'is_test'),
  })
}

function firstOutput(node: Node, { isUsed, refuse }: UpgradeContext): ValueName[] {
  const used = node.outputs.slice(1).find(isUsed)
  if (used !== undefined) refuse(node, `its further output "${used}" is used`)
  return node.outputs.slice(0, 1)
}

// Softmax, LogSoftmax, Hardmax before 13 see x as [product of dims before axis, product of the rest] and work along the
// rest.
const flatSoftmax: Upgrade = (node, { builder, facts }) => {
  const axis = attribute(node, 'axis', 'int', 1)
  const x = node.inputs[0] ?? ''
  const rank = facts.rank(x)
  const last = { ...node.attributes, ...attributes({ axis: -1 }) }
  if (axis === -1 || axis + 1 === rank) {
    builder.push({ ...node, attributes: last })
    return
  }
  const name = node.outputs[0] ?? ''
  const flat = builder.emit('Flatten', [x], { axis }, `${name}_flat`)
  const shape = builder.emit('Shape', [x], {}, `${name}_shape`)
  const result = builder.fresh(`${name}_rows`)
  builder.push({ ...node, inputs: [flat], outputs: [result], attributes: last })
  builder.push({
    name: `${name}_unflat`,
    opType: 'Reshape',
    domain: '',
    inputs: [result, shape],
    outputs: node.outputs,
    attributes: {},
  })
}

// Upsample 7 (scales are an attribute), Upsample 9 and Resize 10 map a pixel i to i / scale; `nearest` takes the pixel
// below when it enlarges, and in ONNX Runtime the pixel above when it shrinks.
const resize10: Upgrade = (node, context) => {
  const listed = attribute(node, 'scales', 'floats', undefined)
  const scales =
    listed === undefined
      ? (node.inputs[1] ?? '')
      : context.builder.constant(float32([listed.length], listed), `${node.outputs[0] ?? ''}_scales`)
  const known = listed ?? (context.initializer(scales)?.data as Float32Array | undefined) ?? []
  const [shrinks, grows] = [known.some((scale) => scale < 1), known.some((scale) => scale > 1)]
  const mode = attribute(node, 'mode', 'string', 'nearest')
  if (mode === 'nearest' && shrinks && grows) context.refuse(node, 'it enlarges one axis and shrinks another')
  const nearest = mode === 'nearest' ? { nearest_mode: shrinks ? 'ceil' : 'floor' } : {}
  context.builder.push({
    ...node,
    opType: 'Resize',
    inputs: [node.inputs[0] ?? '', '', scales],
    attributes: attributes({
      mode: mode === 'bilinear' ? 'linear' : mode,
      coordinate_transformation_mode: 'asymmetric',
      ...nearest,
    }),
  })
}

// Resize 11 marks an absent roi or scales by an empty tensor.
const resize11: Upgrade = (node, context) => {
  if (attribute(node, 'coordinate_transformation_mode', 'string', '') === 'tf_half_pixel_for_nn') {
    context.refuse(node, 'coordinate_transformation_mode tf_half_pixel_for_nn no longer exists')
  }
  const inputs = node.inputs.map((input, i) => (i > 0 && context.initializer(input)?.data.length === 0 ? '' : input))
  context.builder.push({ ...node, inputs: trimmed(inputs) })
}

const scatter: Upgrade = (node, { builder }) => builder.push({ ...node, opType: 'ScatterElements' })

// RoiAlign 10 had no half-pixel shift; 16 has one by default.
const roiAlign: Upgrade = (node, { builder }) => {
  builder.push({
    ...node,
    attributes: { ...node.attributes, ...attributes({ coordinate_transformation_mode: 'output_half_pixel' }) },
  })
}

// Arithmetic and comparisons before 7 broadcast where it is said, the second operand from `axis` of the first on.
const aligned: Upgrade = (node, context) => {
  const { builder, facts, refuse } = context
  const axis = attribute(node, 'axis', 'int', undefined)
  const [a = '', b = ''] = node.inputs
  const plain = { ...node, attributes: withoutAttributes(node.attributes, 'axis', 'broadcast') }
  const [wide, narrow] = [facts.rank(a), facts.rank(b)]
  if (axis === undefined || attribute(node, 'broadcast', 'int', 0) === 0) {
    builder.push(plain)
    return
  }
  if (wide === undefined || narrow === undefined) refuse(node, 'it broadcasts along an axis of a value of unknown rank')
  const missing = (wide as number) - (narrow as number) - (axis < 0 ? axis + (wide as number) : axis)
  const axes = Array.from({ length: missing }, (_, i) => (narrow as number) + i)
  const name = node.outputs[0] ?? ''
  const operand =
    missing === 0 ? b : builder.emit('Unsqueeze', [b, builder.constant(ints(axes))], {}, `${name}_operand`)
  builder.push({ ...plain, inputs: [a, operand] })
}

// PRelu before 7 has a slope per channel, which is the second axis; since then it broadcasts from the last axis on.
const prelu6: Upgrade = (node, { builder, facts, refuse }) => {
  const [x = '', slope = ''] = node.inputs
  const [rank, slopeRank] = [facts.rank(x), facts.rank(slope)]
  if (rank === undefined || slopeRank === undefined)
    refuse(node, 'it has slopes per channel of a value of unknown rank')
  const axes = Array.from({ length: Math.max(0, (rank as number) - 2) }, (_, i) => 1 + i)
  const name = node.outputs[0] ?? ''
  const isPlain = slopeRank !== 1 || axes.length === 0
  const slopes = isPlain
    ? slope
    : builder.emit('Unsqueeze', [slope, builder.constant(ints(axes))], {}, `${name}_slopes`)
  builder.push({ ...node, inputs: [x, slopes] })
}

// Gemm 6 says whether its third input is broadcast, which it always may be since.
const gemm6: Upgrade = (node, { builder }) =>
  builder.push({ ...node, attributes: withoutAttributes(node.attributes, 'broadcast') })

// Cast before 6: the type by name.
const cast1: Upgrade = (node, { builder, refuse }) => {
  const name = attribute(node, 'to', 'string', '').toLowerCase()
  const type = { float: 'float32', double: 'float64' }[name] ?? name
  if (!Object.hasOwn(DATA_TYPES, type)) refuse(node, `it has the type "${name}"`)
  const to = attributes({ to: DATA_TYPES[type as DataType].onnx })
  builder.push({ ...node, attributes: { ...node.attributes, ...to } })
}

// Concat before 4 has a default.
const concat1: Upgrade = (node, { builder }) =>
  builder.push({ ...node, attributes: { ...attributes({ axis: 1 }), ...node.attributes } })

const old =
  (what: string): Upgrade =>
  (node, { refuse }) =>
    refuse(node, what)

const scan8: Upgrade = (node, { refuse }) => refuse(node, 'Scan 8 batches its sequences')

const reduce: readonly UpgradeRule[] = [{ before: 18, upgrade: intsToInputs('axes') }]
const softmax: readonly UpgradeRule[] = [{ before: 13, upgrade: flatSoftmax }]

const broadcasting: readonly UpgradeRule[] = [{ before: 7, upgrade: aligned }]
const recurrent: readonly UpgradeRule[] = [{ before: 7, upgrade: old('whether it gives a sequence is an attribute') }]

/** Operator -> its rules, the oldest form first: the first one whose `before` is above the model's opset is taken. */
export const UPGRADE_RULES: Readonly<Record<string, readonly UpgradeRule[]>> = {
  Add: broadcasting,
  And: broadcasting,
  BatchNormalization: [{ before: 18, upgrade: batchNormalization }],
  Cast: [{ before: 6, upgrade: cast1 }],
  Clip: [{ before: 11, upgrade: clip }],
  Concat: [{ before: 4, upgrade: concat1 }],
  Div: broadcasting,
  Dropout: [{ before: 12, upgrade: dropout }],
  Equal: broadcasting,
  GRU: recurrent,
  Gemm: [{ before: 7, upgrade: gemm6 }],
  Greater: broadcasting,
  Hardmax: softmax,
  LSTM: recurrent,
  Less: broadcasting,
  LogSoftmax: softmax,
  Mul: broadcasting,
  Or: broadcasting,
  Pad: [
    { before: 2, upgrade: old('its pads were called paddings') },
    { before: 11, upgrade: pad },
  ],
  PRelu: [{ before: 7, upgrade: prelu6 }],
  Pow: broadcasting,
  RNN: recurrent,
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  ReduceMax: reduce,
  ReduceMean: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  ReduceSum: [{ before: 13, upgrade: intsToInputs('axes') }],
  ReduceSumSquare: reduce,
  Reshape: [{ before: 5, upgrade: intsToInputs('shape') }],
  Resize: [
    { before: 11, upgrade: resize10 },
    { before: 18, upgrade: resize11 },
  ],
  RoiAlign: [{ before: 16, upgrade: roiAlign }],
  Scan: [{ before: 9, upgrade: scan8 }],
  Scatter: [{ before: 11, upgrade: scatter }],
  Slice: [{ before: 10, upgrade: intsToInputs('starts', 'ends', 'axes') }],
  Softmax: softmax,
  Split: [
    { before: 2, upgrade: old('its sizes may be an input') },
    { before: 18, upgrade: split },
  ],
  Squeeze: [{ before: 13, upgrade: intsToInputs('axes') }],
  Sub: broadcasting,
  Tile: [{ before: 6, upgrade: old('it repeats a single axis') }],
  TopK: [{ before: 10, upgrade: topK }],
  Unsqueeze: [{ before: 13, upgrade: intsToInputs('axes') }],
  Upsample: [
    { before: 7, upgrade: old('its scales are named one by one') },
    { before: 10, upgrade: resize10 },
  ],
  Xor: broadcasting,
}

/** The rules of a node's operator, the oldest form first; none where nothing has changed. */
export function upgradeRulesOf({ domain, opType }: Node): readonly UpgradeRule[] {
  return domain === '' && Object.hasOwn(UPGRADE_RULES, opType) ? (UPGRADE_RULES[opType] as readonly UpgradeRule[]) : []
}
