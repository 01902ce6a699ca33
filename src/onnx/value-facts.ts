// What the graph itself says about a value's rank and element type, without running it. A guess from declarations and a
// few operators: enough to convert old operators neatly, no shape inference.
import type { DataType } from '../tensor/data-type.js'
import { dataTypeOfOnnx } from '../tensor/data-type.js'
import { attribute } from './attributes.js'
import type { Graph, Node, TensorType, ValueName } from './model.js'

export interface ValueFacts {
  /** Number of dimensions, or undefined when the graph does not tell. */
  readonly rank: (value: ValueName) => number | undefined
  /** Element type, or undefined when the graph does not tell. */
  readonly elementType: (value: ValueName) => DataType | undefined
}

/** Their (first) result has the shape of their first input. */
const SAME_RANK = new Set([
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Elu',
  'Selu',
  'Clip',
  'Sigmoid',
  'HardSigmoid',
  'Tanh',
  'Softplus',
  'Softmax',
  'LogSoftmax',
  'Identity',
  'Dropout',
  'Cast',
  'BatchNormalization',
  'InstanceNormalization',
  'LRN',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'Conv',
  'ConvTranspose',
  'Pad',
  'Concat',
  'Split',
  'Transpose',
  'Slice',
  'Upsample',
  'Resize',
])

const RANK_2 = new Set(['Gemm', 'Flatten'])
const INT64_RESULT = new Set(['Shape', 'Size', 'ArgMax', 'ArgMin', 'NonZero', 'NonMaxSuppression'])
const OTHER_RESULT = new Set([
  'ConstantOfShape',
  'OneHot',
  'QuantizeLinear',
  'DequantizeLinear',
  'ConvInteger',
  'MatMulInteger',
  'EyeLike',
  'If',
  'Loop',
  'Scan',
])
const BOOL_RESULT = new Set([
  'Equal',
  'Greater',
  'Less',
  'GreaterOrEqual',
  'LessOrEqual',
  'And',
  'Or',
  'Not',
  'Xor',
  'IsNaN',
  'IsInf',
])

/** @param producer value -> the node that computes it (see producers) */
export function valueFacts(graph: Graph, producer: ReadonlyMap<ValueName, Node>): ValueFacts {
  const declared = new Map<ValueName, TensorType | undefined>(
    [...graph.inputs, ...graph.outputs].map(({ name, type }) => [name, type]),
  )
  const rank = (value: ValueName): number | undefined => {
    const known = graph.initializers.get(value)?.dims.length ?? declared.get(value)?.dims?.length
    const node = producer.get(value)
    if (known !== undefined || node === undefined || node.domain !== '') return known
    if (RANK_2.has(node.opType)) return 2
    if (node.opType === 'Reshape') return graph.initializers.get(node.inputs[1] ?? '')?.dims[0]
    return SAME_RANK.has(node.opType) ? rank(node.inputs[0] ?? '') : undefined
  }
  const elementType = (value: ValueName): DataType | undefined => {
    const known = graph.initializers.get(value)?.type ?? declared.get(value)?.elementType
    const node = producer.get(value)
    if (known !== undefined || node === undefined || node.domain !== '') return known
    if (INT64_RESULT.has(node.opType)) return 'int64'
    if (BOOL_RESULT.has(node.opType)) return 'bool'
    if (OTHER_RESULT.has(node.opType)) return undefined
    if (node.opType === 'Cast') return dataTypeOfOnnx(attribute(node, 'to', 'int', 0))
    return elementType(node.inputs[node.opType === 'Where' ? 1 : 0] ?? '')
  }
  return { rank, elementType }
}
