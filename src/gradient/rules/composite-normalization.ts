// Normalisations written out as operators that have rules: by groups, by root mean square, with a sum or an embedding
// in front, over channels next to one another. x is [N,C,...].
import { attribute, attributes } from '../../onnx/attributes.js'
import type { Node, ValueName } from '../../onnx/model.js'
import { DATA_TYPES } from '../../tensor/data-type.js'
import { elementCount, float32 } from '../../tensor/tensor.js'
import type { Expansion, ExpansionScope, RuleTable, Shape } from '../rule.js'

export const RULES = {
  // y = scale xhat + bias with mean and variance per image and group of channels. Scale and bias are per group
  // (opset 18) or per channel (21). https://onnx.ai/onnx/operators/onnx__GroupNormalization.html
  GroupNormalization: {
    expand: (node, g) => {
      const [x = '', scale = '', bias = ''] = node.inputs
      const shape = g.shape(x)
      const groups = attribute(node, 'num_groups', 'int', 1)
      const [zeros, ones] = [0, 1].map((value) => g.constant(float32([groups], new Float32Array(groups).fill(value))))
      const split = g.emit('Reshape', [x, g.ints([shape[0] as number, groups, -1])])
      const epsilon = { epsilon: { float: attribute(node, 'epsilon', 'float', 1e-5) } }
      const normal = g.emit('InstanceNormalization', [split, ones as string, zeros as string], epsilon)
      const whole = g.emit('Reshape', [normal, g.ints(shape)])
      const scaled = g.emit('Mul', [whole, perChannel(g, scale, shape)])
      g.define('Add', [scaled, perChannel(g, bias, shape)], node.outputs)
    },
  },

  RMSNormalization: rootMeanSquare(),
  // As ONNX Runtime calls it in networks that it has optimised.
  SimplifiedLayerNormalization: rootMeanSquare(),

  // Of the sum of x, skip and bias, which may be a result as well
  'com.microsoft.SkipLayerNormalization': {
    except: 'outputs of mean and deviation',
    limit: withoutStatistics,
    expand: (node, g) => {
      const [x = '', skip = '', scale = '', shift = '', bias = ''] = node.inputs
      const sum = sumOf(node, g, [x, skip, bias])
      const given = attributes({ axis: -1, epsilon: { float: attribute(node, 'epsilon', 'float', 1e-12) } })
      g.define('LayerNormalization', [sum, scale, ...(shift ? [shift] : [])], node.outputs.slice(0, 1), given)
    },
  },
  'com.microsoft.SkipSimplifiedLayerNormalization': {
    except: 'outputs of mean and deviation',
    limit: withoutStatistics,
    expand: (node, g) => {
      const [x = '', skip = '', scale = '', bias = ''] = node.inputs
      const sum = sumOf(node, g, [x, skip, bias])
      defineRootMeanSquare(g, sum, { scale, axes: [-1], epsilon: epsilonOf(node, 1e-12) }, node.outputs.slice(0, 1))
    },
  },

  // Of the sum of a word's, a place's and a segment's row of their tables
  'com.microsoft.EmbedLayerNormalization': {
    expand: (node, g) => {
      const [words = '', segments = '', wordTable = '', placeTable = '', segmentTable = ''] = node.inputs
      const [, , , , , scale = '', shift = '', mask = '', places = ''] = node.inputs
      const [y = '', lengths = '', sum = ''] = node.outputs
      const [batch, length] = g.shape(words) as [number, number]
      const rows = [
        g.emit('Gather', [wordTable, words]),
        g.emit('Gather', [placeTable, places || g.ints(Array.from({ length }, (_, place) => place))]),
        ...(segments && segmentTable ? [g.emit('Gather', [segmentTable, segments])] : []),
      ]
      const added = rows.reduce((all, row) => g.emit('Add', [all, row]))
      const given = attributes({ axis: -1, epsilon: { float: attribute(node, 'epsilon', 'float', 1e-12) } })
      g.define('LayerNormalization', [added, scale, shift], [y], given)
      if (sum) g.define('Identity', [added], [sum])
      if (lengths === '') return
      const counted = mask || g.emit('ConstantOfShape', [g.ints([batch, length])])
      const counts = g.emit('ReduceSum', [counted, g.ints([1])], { keepdims: 0 })
      g.define('Cast', [counts], [lengths], attributes({ to: DATA_TYPES.int32.onnx }))
    },
  },

  // y = x / (bias + alpha mean of squares of the channels around)^beta, in windows of `size` channels
  LRN: {
    expand: (node, g) => {
      const x = node.inputs[0] as ValueName
      const shape = g.shape(x)
      const size = attribute(node, 'size', 'int', 1)
      const square = g.emit('Mul', [x, x])
      const [batch, channels] = shape as [number, number]
      const column = g.emit('Reshape', [square, g.ints([batch, 1, channels, elementCount(shape.slice(2))])])
      const pads = [Math.floor((size - 1) / 2), 0, Math.ceil((size - 1) / 2), 0]
      const mean = g.emit('AveragePool', [column], { kernel_shape: [size, 1], pads, count_include_pad: 1 })
      const share = g.emit('Mul', [mean, g.scalar(attribute(node, 'alpha', 'float', 1e-4))])
      const base = g.emit('Add', [share, g.scalar(attribute(node, 'bias', 'float', 1))])
      const divisor = g.emit('Pow', [base, g.scalar(attribute(node, 'beta', 'float', 0.75))])
      g.define('Div', [x, g.emit('Reshape', [divisor, g.ints(shape)])], node.outputs)
    },
  },

  // y = x / norm along an axis, where that is not zero
  LpNormalization: {
    expand: (node, g) => {
      const x = node.inputs[0] as ValueName
      const norm = attribute(node, 'p', 'int', 2) === 1 ? 'ReduceL1' : 'ReduceL2'
      const length = g.emit(norm, [x, g.ints([attribute(node, 'axis', 'int', -1)])], { keepdims: 1 })
      const isZero = g.emit('Equal', [length, g.scalar(0)])
      g.define('Div', [x, g.emit('Where', [isZero, g.scalar(1), length])], node.outputs)
    },
  },

  // y = (x - mean) / (deviation + 1e-9)
  MeanVarianceNormalization: {
    expand: (node, g) => {
      const x = node.inputs[0] as ValueName
      const axes = g.ints(attribute(node, 'axes', 'ints', [0, 2, 3]))
      const mean = (value: ValueName): ValueName => g.emit('ReduceMean', [value, axes], { keepdims: 1 })
      const centred = g.emit('Sub', [x, mean(x)])
      const deviation = g.emit('Sqrt', [mean(g.emit('Mul', [centred, centred]))])
      g.define('Div', [centred, g.emit('Add', [deviation, g.scalar(1e-9)])], node.outputs)
    },
  },
} satisfies RuleTable

// y = scale x / sqrt(mean of x^2 + epsilon) over the axes from `axis` on.
// https://onnx.ai/onnx/operators/onnx__RMSNormalization.html
function rootMeanSquare(): Expansion {
  return {
    except: 'a second output',
    limit: (node) => ((node.outputs[1] ?? '') === '' ? undefined : 'its second output'),
    expand: (node, g) => {
      const [x = '', scale = ''] = node.inputs
      const rank = g.shape(x).length
      const axis = attribute(node, 'axis', 'int', -1)
      const first = axis < 0 ? axis + rank : axis
      const axes = Array.from({ length: rank - first }, (_, index) => first + index)
      defineRootMeanSquare(g, x, { scale, axes, epsilon: epsilonOf(node, 1e-5) }, node.outputs.slice(0, 1))
    },
  }
}

interface RootMeanSquare {
  scale: ValueName
  axes: readonly number[]
  epsilon: number
}

function defineRootMeanSquare(
  g: ExpansionScope,
  x: ValueName,
  { scale, axes, epsilon }: RootMeanSquare,
  outputs: readonly ValueName[],
): void {
  const square = g.emit('ReduceMean', [g.emit('Mul', [x, x]), g.ints(axes)], { keepdims: 1 })
  const size = g.emit('Sqrt', [g.emit('Add', [square, g.scalar(epsilon)])])
  g.define('Mul', [g.emit('Div', [x, size]), scale], outputs)
}

function epsilonOf(node: Node, usual: number): number {
  return attribute(node, 'epsilon', 'float', usual)
}

function withoutStatistics({ outputs }: Node): string | undefined {
  return outputs.slice(1, 3).some((output) => output !== '') ? 'its outputs of mean and deviation' : undefined
}

// The sum that is normalised, under the name of the fourth output where there is one.
function sumOf(node: Node, g: ExpansionScope, terms: readonly ValueName[]): ValueName {
  const sum = terms.filter((term) => term !== '').reduce((all, term) => g.emit('Add', [all, term]))
  const named = node.outputs[3] ?? ''
  if (named === '') return sum
  g.define('Identity', [sum], [named])
  return sum
}

// A vector per channel, or per group of channels, along axis 1.
function perChannel(g: ExpansionScope, vector: ValueName, shape: Shape): ValueName {
  const channels = shape[1] as number
  const count = elementCount(g.shape(vector))
  const each = channels / count
  const column = g.emit('Reshape', [vector, g.ints([count, 1])])
  const repeated = each === 1 ? column : g.emit('Expand', [column, g.ints([count, each])])
  return g.emit('Reshape', [repeated, g.ints([channels, ...shape.slice(2).map(() => 1)])])
}
