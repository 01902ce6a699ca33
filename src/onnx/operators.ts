// What is known of ONNX's operators, one row each: everything that asks "which operators ..." asks here. Gradient rules
// are a table of their own (src/gradient), and so are the conversions between opsets (upgrade-rules.ts).
// https://onnx.ai/onnx/operators
import { elementCount } from '../tensor/tensor.js'
import { attribute } from './attributes.js'
import type { Node } from './model.js'

/**
 * What a learned input is to its operator. `embedding` and `operand` (of arithmetic, where it may also be a constant of
 * the function) are stored like other weights, but nothing trains them.
 */
export type LearnedRole =
  'weight' | 'bias' | 'scale' | 'slope' | 'mean' | 'variance' | 'recurrent' | 'embedding' | 'operand'

/** Where a weight of these dimensions stands in its operator. */
export interface WeightPlace {
  /** Axis of the weight that counts output channels, of one group. */
  readonly channelAxis: number
  /**
   * Groups, along axis 0, that have output channels of their own: more than one only where `channelAxis` is another
   * axis, in a transposed convolution.
   */
  readonly groups: number
  /**
   * Axis of the first output that counts them, from the end where negative; undefined where it is no layer's weight.
   */
  readonly outputAxis: number | undefined
  /** Weights that one output value adds up. */
  readonly fanIn: number
}

export interface Operator {
  /** Position of each learned input -> what it is. What goes anywhere else is no learned value. */
  readonly learned?: Readonly<Record<number, LearnedRole>>
  /** For operators with an input of role `weight`. @param index its position */
  readonly place?: (node: Node, index: number, dims: readonly number[]) => WeightPlace
  /** It has weights, but none of a layer as ttq knows them. */
  readonly weights?: 'recurrent' | 'quantized' | 'fused'
  /** It turns integers into floating point: what it gives may be a weight that is quantized already. */
  readonly dequantizes?: true

  /** Its result has, element by element, the shape that its inputs are broadcast to. */
  readonly elementwise?: true
  /** Rank of the first result: a number, or that of the first input. */
  readonly rank?: number | 'of input'
  /** Element type of the first result; without it, that of the input `typeOf`. */
  readonly result?: 'bool' | 'int64' | 'attribute to' | 'unknown'
  /** Position of the input whose element type the result has. Default 0. */
  readonly typeOf?: number
  /** Its results speak of an input's shape, not of its values. */
  readonly shapeOnly?: true

  /** The same inputs may give other results. */
  readonly random?: true
  /** Its results are sequences or optionals, which cannot be initializers. */
  readonly notTensor?: true
  /** The shape of a result depends on values: of any input, or of the inputs at these positions. */
  readonly shapeFrom?: 'any input' | readonly number[]
}

const conv: NonNullable<Operator['place']> = (_node, _index, dims) => ({
  channelAxis: 0,
  groups: 1,
  outputAxis: 1,
  fanIn: elementCount(dims.slice(1)),
})

// [in, out / groups, ...]: every group of output channels sees its share of the input channels.
const convTranspose: Operator['place'] = (node, _index, dims) => {
  const groups = attribute(node, 'group', 'int', 1)
  return { channelAxis: 1, groups, outputAxis: 1, fanIn: elementCount(dims) / ((dims[1] as number) * groups) }
}

// The axis that the product does not sum over counts the channels. A matrix on the left side is no layer's.
const gemm: NonNullable<Operator['place']> = (node, index, dims) => {
  const turned = attribute(node, index === 0 ? 'transA' : 'transB', 'int', 0) !== 0
  const channelAxis = (index === 0) === turned ? 1 : 0
  return { channelAxis, groups: 1, outputAxis: index === 0 ? undefined : -1, fanIn: dims[1 - channelAxis] as number }
}

const matMul: NonNullable<Operator['place']> = (_node, index, dims) => ({
  channelAxis: dims.length - (index === 0 ? 2 : 1),
  groups: 1,
  outputAxis: index === 0 ? -2 : -1,
  fanIn: dims.at(index === 1 && dims.length > 1 ? -2 : -1) as number,
})

// Weights that training changes, but that ternary layers are not made of.
const noLayer =
  (place: NonNullable<Operator['place']>): Operator['place'] =>
  (...given) => ({ ...place(...given), outputAxis: undefined })

const RECURRENT: Operator = { learned: { 1: 'recurrent', 2: 'recurrent', 3: 'recurrent' }, weights: 'recurrent' }
const QUANTIZED: Operator = { weights: 'quantized', result: 'unknown' }
const UNARY: Operator = { elementwise: true, rank: 'of input' }
const RESHAPED: Operator = { rank: 'of input' }

const rows = (names: string, facts: Operator): [string, Operator][] => names.split(' ').map((name) => [name, facts])

/** Operators of ai.onnx by name, those of other domains by `domain.name`. */
const ROWS: readonly [string, Operator][] = [
  ['Conv', { learned: { 1: 'weight', 2: 'bias' }, place: conv, rank: 'of input' }],
  ['ConvTranspose', { learned: { 1: 'weight', 2: 'bias' }, place: convTranspose, rank: 'of input' }],
  ['Gemm', { learned: { 0: 'weight', 1: 'weight', 2: 'bias' }, place: gemm, rank: 2 }],
  ['MatMul', { learned: { 0: 'weight', 1: 'weight' }, place: matMul }],
  ['BatchNormalization', { learned: { 1: 'scale', 2: 'bias', 3: 'mean', 4: 'variance' }, rank: 'of input' }],
  ...rows('InstanceNormalization LayerNormalization', { learned: { 1: 'scale', 2: 'bias' }, rank: 'of input' }),
  ['PRelu', { learned: { 1: 'slope' }, ...UNARY }],
  ['Gather', { learned: { 0: 'embedding' } }],
  ['LSTM', { ...RECURRENT, learned: { ...RECURRENT.learned, 7: 'recurrent' } }],
  ...rows('GRU RNN', RECURRENT),
  ...rows(
    'ConvInteger MatMulInteger QLinearConv QLinearMatMul com.microsoft.DynamicQuantizeLSTM ' +
      'com.microsoft.DynamicQuantizeMatMul com.microsoft.MatMulNBits com.microsoft.MatMulIntegerToFloat ' +
      'com.microsoft.QGemm com.microsoft.QAttention',
    QUANTIZED,
  ),
  [
    'com.microsoft.FusedConv',
    { learned: { 1: 'weight', 2: 'bias' }, place: noLayer(conv), weights: 'fused', rank: 'of input' },
  ],
  [
    'com.microsoft.FusedGemm',
    { learned: { 0: 'weight', 1: 'weight', 2: 'bias' }, place: noLayer(gemm), weights: 'fused', rank: 2 },
  ],
  ...rows('com.microsoft.FusedMatMul com.microsoft.TransposeMatMul', {
    learned: { 0: 'weight', 1: 'weight' },
    place: noLayer(matMul),
    weights: 'fused',
  }),
  [
    'com.microsoft.Attention',
    { learned: { 1: 'weight', 2: 'bias' }, place: noLayer(matMul), weights: 'fused', rank: 'of input' },
  ],
  ['com.microsoft.MultiHeadAttention', { learned: { 3: 'bias' } }],
  ['com.microsoft.nchwc.Conv', { weights: 'fused' }],
  ['DequantizeLinear', { dequantizes: true, rank: 'of input', result: 'unknown' }],
  ['QuantizeLinear', { rank: 'of input', result: 'unknown' }],

  ...rows('Add Sub Mul', { learned: { 0: 'operand', 1: 'operand' }, elementwise: true }),
  ...rows('Div Max Min Sum Mean Pow', { elementwise: true }),
  ['Where', { elementwise: true, typeOf: 1 }],
  ...rows('Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor', { elementwise: true, result: 'bool' }),
  ...rows('Not IsNaN IsInf', { ...UNARY, result: 'bool' }),
  ['Cast', { ...UNARY, result: 'attribute to' }],
  ['CastLike', { rank: 'of input', typeOf: 1 }],
  ['Einsum', { learned: { 0: 'operand', 1: 'operand' } }],
  ...rows(
    'Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Clip Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish ' +
      'Identity LeakyRelu Log Mish Neg Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign ' +
      'Sqrt Swish Tan Tanh ThresholdedRelu com.microsoft.Gelu ' +
      'com.microsoft.QuickGelu',
    UNARY,
  ),
  ...rows('GroupNormalization', { learned: { 1: 'scale', 2: 'bias' }, rank: 'of input' }),
  ...rows('RMSNormalization SimplifiedLayerNormalization', { learned: { 1: 'scale' }, rank: 'of input' }),
  ['com.microsoft.SkipLayerNormalization', { learned: { 2: 'scale', 3: 'bias', 4: 'bias' }, rank: 'of input' }],
  ['com.microsoft.SkipSimplifiedLayerNormalization', { learned: { 2: 'scale', 3: 'bias' }, rank: 'of input' }],
  [
    'com.microsoft.EmbedLayerNormalization',
    { learned: { 2: 'embedding', 3: 'embedding', 4: 'embedding', 5: 'scale', 6: 'bias' }, typeOf: 2 },
  ],
  ...rows('com.microsoft.BiasGelu com.microsoft.FastGelu', { learned: { 1: 'bias' }, rank: 'of input' }),

  ...rows('Softmax LogSoftmax Hardmax Dropout LRN LpNormalization MeanVarianceNormalization CumSum', RESHAPED),
  ...rows('MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool', RESHAPED),
  ...rows('Concat Transpose', RESHAPED),
  ['Flatten', { rank: 2 }],
  ['Pad', { ...RESHAPED, shapeFrom: [1, 3] }],
  ['Slice', { ...RESHAPED, shapeFrom: [1, 2, 3, 4] }],
  ['Split', { ...RESHAPED, shapeFrom: [1] }],
  ['Resize', { ...RESHAPED, shapeFrom: [1, 2, 3] }],
  ['Upsample', { ...RESHAPED, shapeFrom: [1] }],
  ['Tile', { shapeFrom: [1, 2] }],
  ...rows('Reshape Squeeze Unsqueeze Expand AffineGrid CenterCropPad TopK', { shapeFrom: [1] }),
  ...rows(
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ' +
      'ReduceSumSquare',
    { shapeFrom: [1] },
  ),
  ...rows('BlackmanWindow HammingWindow HannWindow', { shapeFrom: [0] }),
  ['ConstantOfShape', { shapeFrom: [0], result: 'unknown' }],
  ['OneHot', { shapeFrom: [1], result: 'unknown' }],
  ['EyeLike', { result: 'unknown' }],
  ...rows('Col2Im DFT', { shapeFrom: [1, 2] }),
  ['MaxUnpool', { shapeFrom: [2] }],
  ['MelWeightMatrix', { shapeFrom: [0, 1] }],
  ['Range', { shapeFrom: [0, 1, 2] }],
  ['STFT', { shapeFrom: [1, 3] }],

  ...rows('Shape Size', { shapeOnly: true, result: 'int64' }),
  ...rows('ArgMax ArgMin', { result: 'int64' }),
  ...rows('NonZero NonMaxSuppression', { shapeFrom: 'any input', result: 'int64' }),
  ...rows('Compress Unique StringSplit TfIdfVectorizer ImageDecoder', { shapeFrom: 'any input' }),
  ...rows('RandomNormal RandomNormalLike RandomUniform RandomUniformLike Multinomial Bernoulli', { random: true }),
  ...rows('SequenceConstruct SequenceEmpty SequenceInsert SequenceErase SplitToSequence Optional SequenceMap', {
    notTensor: true,
  }),
  ...rows('If Loop Scan', { result: 'unknown' }),
]

const BY_NAME = new Map(ROWS)
if (BY_NAME.size !== ROWS.length) throw new Error('internal: an operator has two rows')

/** Names of all operators that the table has, as `operatorName` gives them. */
export const OPERATORS: readonly string[] = [...BY_NAME.keys()]

/** As reports name it: `Conv`, `com.microsoft.QGemm`. */
export function operatorName({ domain, opType }: Pick<Node, 'domain' | 'opType'>): string {
  return domain === '' ? opType : `${domain}.${opType}`
}

/** What is known of a node's operator; nothing of one that the table does not have. */
export function operatorOf(node: Pick<Node, 'domain' | 'opType'>): Operator {
  return BY_NAME.get(operatorName(node)) ?? NOTHING
}

const NOTHING: Operator = {}

/** Positions of a node's inputs that are learned, with what they are. */
export function learnedPositions(node: Pick<Node, 'domain' | 'opType'>): [index: number, role: LearnedRole][] {
  return Object.entries(operatorOf(node).learned ?? {}).map(([index, role]) => [Number(index), role])
}

/** Whether a node's operator is a layer: its weights could be ternary. */
export function isLayer(node: Pick<Node, 'domain' | 'opType'>): boolean {
  return operatorOf(node).place !== undefined
}
