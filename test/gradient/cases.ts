// The cases of the rule tests, at least one per rule. Inputs keep away from kinks and from ties.
import { GraphBuilder } from '../../src/onnx/graph-builder.js'
import type { Graph, ValueName } from '../../src/onnx/model.js'
import { float32, int64, type Tensor } from '../../src/tensor/tensor.js'
import { awayFrom, uniform, type GradientCase } from './gradient-case.js'

const conv = (
  title: string,
  x: readonly number[],
  w: readonly number[],
  attributes: GradientCase['attributes'] = {},
  bias = false,
): GradientCase => ({
  opType: 'Conv',
  title,
  inputs: { x: uniform(x), w: uniform(w), ...(bias ? { b: uniform([w[0] as number]) } : {}) },
  attributes: { kernel_shape: w.slice(2), ...attributes },
})

const BATCH_NORM_EPSILON = 0.01

// Batch normalisation in training mode, term by term as ONNX defines it (momentum 0.8), because ONNX Runtime's CPU
// kernel refuses it.
function batchNormReference(dims: readonly number[]): Graph {
  const b = new GraphBuilder(['x', 'scale', 'bias', 'mean', 'variance', 'y', 'next_mean', 'next_variance'])
  for (const [name, shape] of [
    ['x', dims],
    ['scale', [dims[1] as number]],
    ['bias', [dims[1] as number]],
  ] as const)
    b.input(name, 'float32', shape)
  const axes = b.constant(int64(dims.flatMap((_, axis) => (axis === 1 ? [] : [axis]))))
  const perChannel = (value: ValueName): ValueName =>
    b.emit('Reshape', [value, b.constant(int64([dims[1] as number, ...dims.slice(2).map(() => 1)]))])
  const mean = b.emit('ReduceMean', ['x', axes], { keepdims: 0 })
  const centred = b.emit('Sub', ['x', perChannel(mean)])
  const variance = b.emit('ReduceMean', [b.emit('Mul', [centred, centred]), axes], { keepdims: 0 })
  const sigma = b.emit('Sqrt', [b.emit('Add', [variance, b.constant(float32([], [BATCH_NORM_EPSILON]))])])
  const scaled = b.emit('Mul', [b.emit('Div', [centred, perChannel(sigma)]), perChannel('scale')])
  const define = (opType: string, inputs: ValueName[], output: ValueName): void => {
    b.push({ name: output, opType, domain: '', inputs, outputs: [output], attributes: {} })
    b.output(output)
  }
  define('Add', [scaled, perChannel('bias')], 'y')
  const blend = (old: ValueName, batch: ValueName, output: ValueName): void => {
    define('Add', [
      b.emit('Mul', [old, b.constant(float32([], [0.8]))]),
      b.emit('Mul', [batch, b.constant(float32([], [0.2]))]),
    ], output)
  }
  blend('mean', mean, 'next_mean')
  blend('variance', variance, 'next_variance')
  for (const [name, tensor] of Object.entries(runningStatistics(dims[1] as number))) b.initializers.set(name, tensor)
  return b.build('reference')
}

function runningStatistics(channels: number): Record<ValueName, Tensor<'float32'>> {
  return { mean: uniform([channels]), variance: uniform([channels], 0.5, 2) }
}

const batchNormTraining = (title: string, dims: readonly number[]): GradientCase => {
  const forward = batchNormReference(dims)
  return {
    opType: 'BatchNormalization',
    title,
    inputs: { x: uniform(dims), scale: uniform([dims[1] as number], 0.5, 2), bias: uniform([dims[1] as number]) },
    constants: {
      mean: forward.initializers.get('mean') as Tensor,
      variance: forward.initializers.get('variance') as Tensor,
    },
    attributes: { training_mode: 1, momentum: { float: 0.8 }, epsilon: { float: BATCH_NORM_EPSILON } },
    outputs: ['y', 'next_mean', 'next_variance'],
    forward,
  }
}

export const CASES: readonly GradientCase[] = [
  conv('3x3, padding 1, bias', [2, 3, 5, 6], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }, true),
  conv('no padding, default attributes', [1, 2, 5, 4], [3, 2, 2, 3]),
  conv('stride 2 that leaves a row over', [2, 2, 6, 7], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('stride 2, elements in no window', [1, 2, 8, 8], [2, 2, 3, 3], { strides: [3, 3] }),
  conv('1x1', [2, 3, 4, 4], [5, 3, 1, 1]),
  conv('1x1 stride 2', [2, 3, 5, 4], [2, 3, 1, 1], { strides: [2, 2] }),
  conv('dilation 2, padding 2', [1, 2, 6, 6], [2, 2, 3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }),
  conv('two groups', [2, 4, 5, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }, true),
  conv('two groups, stride 2', [2, 4, 5, 5], [6, 2, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('wide image', [1, 2, 3, 70], [2, 2, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('wide image, stride 2, dilation 2', [1, 2, 5, 70], [2, 2, 3, 3], {
    pads: [1, 1, 1, 1],
    strides: [1, 2],
    dilations: [1, 2],
  }),
  conv('many filters of one channel', [2, 1, 5, 5], [8, 1, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('many channels on small images', [3, 24, 2, 2], [20, 24, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('many channels on small images, two groups, stride 2', [3, 24, 3, 3], [20, 12, 3, 3], {
    group: 2,
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  conv('three-dimensional', [1, 2, 3, 4, 3], [2, 2, 2, 3, 3], { pads: [1, 1, 1, 0, 1, 1] }),
  conv('depthwise', [2, 3, 5, 5], [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
  conv('depthwise, stride 2', [2, 3, 6, 6], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv('depthwise, multiplier 2', [2, 3, 5, 5], [6, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
  conv('depthwise on small images', [2, 3, 2, 2], [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
  conv('depthwise, multiplier 2, stride 2', [2, 3, 5, 5], [6, 1, 3, 3], {
    group: 3,
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  conv('one filter per group of two channels, stride 2', [2, 6, 5, 5], [3, 2, 3, 3], {
    group: 3,
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  conv('one-dimensional, depthwise', [2, 3, 7], [3, 1, 3], { group: 3, pads: [1, 1] }),
  conv('auto_pad SAME_UPPER, even kernel', [1, 2, 5, 6], [2, 2, 4, 2], { auto_pad: 'SAME_UPPER' }),
  conv('auto_pad SAME_LOWER, stride 2', [1, 2, 5, 6], [2, 2, 3, 4], { auto_pad: 'SAME_LOWER', strides: [2, 2] }),
  conv('auto_pad VALID', [1, 2, 5, 6], [2, 2, 3, 3], { auto_pad: 'VALID' }),
  conv('asymmetric padding', [1, 2, 5, 6], [2, 2, 3, 3], { pads: [0, 1, 2, 0] }),
  conv('padding wider than the kernel', [1, 2, 4, 4], [2, 2, 2, 2], { pads: [2, 3, 2, 2] }),
  conv(
    'one-dimensional, stride 2, dilation 2',
    [2, 3, 9],
    [4, 3, 3],
    { strides: [2], dilations: [2], pads: [2, 1] },
    true,
  ),
  conv('kernel as large as the image', [2, 2, 4, 4], [3, 2, 4, 4]),

  {
    opType: 'ConvTranspose',
    title: 'stride 2, output padding, bias',
    inputs: { x: uniform([2, 3, 3, 4]), w: uniform([3, 4, 3, 3]), b: uniform([4]) },
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  },
  {
    opType: 'ConvTranspose',
    title: 'stride 1, dilation 2',
    inputs: { x: uniform([2, 3, 4, 4]), w: uniform([3, 2, 2, 3]) },
    attributes: { kernel_shape: [2, 3], dilations: [2, 2], pads: [1, 1, 0, 1] },
  },
  {
    opType: 'ConvTranspose',
    title: 'two groups, one-dimensional',
    inputs: { x: uniform([2, 4, 5]), w: uniform([4, 3, 2]) },
    attributes: { kernel_shape: [2], group: 2, strides: [2] },
  },
  {
    opType: 'ConvTranspose',
    title: 'three-dimensional, two groups',
    inputs: { x: uniform([1, 4, 2, 3, 2]), w: uniform([4, 2, 2, 3, 2]) },
    attributes: { kernel_shape: [2, 3, 2], group: 2, strides: [2, 1, 2], pads: [0, 1, 1, 1, 1, 0] },
  },
  {
    opType: 'ConvTranspose',
    title: 'depthwise, stride 2',
    inputs: { x: uniform([2, 3, 4, 4]), w: uniform([3, 1, 4, 4]) },
    attributes: { kernel_shape: [4, 4], group: 3, strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  ...(['SAME_UPPER', 'SAME_LOWER', 'VALID'] as const).map((way): GradientCase => ({
    opType: 'ConvTranspose',
    title: `auto_pad ${way}`,
    inputs: { x: uniform([1, 2, 4, 3]), w: uniform([2, 3, 4, 3]) },
    attributes: { kernel_shape: [4, 3], auto_pad: way, strides: [2, 2] },
  })),
  {
    opType: 'ConvTranspose',
    title: 'a shape to give, with less padding in front',
    inputs: { x: uniform([1, 2, 4, 3]), w: uniform([2, 3, 4, 3]) },
    attributes: { kernel_shape: [4, 3], strides: [2, 2], auto_pad: 'SAME_UPPER', output_shape: [7, 6] },
  },
  {
    opType: 'ConvTranspose',
    title: 'a shape to give, more padding in front',
    inputs: { x: uniform([1, 2, 4, 3]), w: uniform([2, 3, 4, 3]) },
    attributes: { kernel_shape: [4, 3], strides: [2, 2], output_shape: [9, 6], pads: [0, 0, 0, 0] },
  },

  { opType: 'Gemm', title: 'plain, bias vector', inputs: { a: uniform([3, 4]), b: uniform([4, 5]), c: uniform([5]) } },
  {
    opType: 'Gemm',
    title: 'transB, scalar bias, alpha and beta',
    inputs: { a: uniform([3, 4]), b: uniform([5, 4]), c: uniform([]) },
    attributes: { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
  },
  {
    opType: 'Gemm',
    title: 'transA, column bias',
    inputs: { a: uniform([4, 3]), b: uniform([4, 5]), c: uniform([3, 1]) },
    attributes: { transA: 1 },
  },
  {
    opType: 'Gemm',
    title: 'both transposed, no bias',
    inputs: { a: uniform([4, 3]), b: uniform([5, 4]) },
    attributes: { transA: 1, transB: 1 },
  },

  { opType: 'MatMul', title: 'two matrices', inputs: { a: uniform([3, 4]), b: uniform([4, 2]) } },
  { opType: 'MatMul', title: 'batch times weight', inputs: { a: uniform([2, 3, 4]), b: uniform([4, 2]) } },
  { opType: 'MatMul', title: 'broadcast batches', inputs: { a: uniform([2, 1, 3, 4]), b: uniform([3, 4, 2]) } },
  { opType: 'MatMul', title: 'equal batches', inputs: { a: uniform([2, 3, 4]), b: uniform([2, 4, 2]) } },
  { opType: 'MatMul', title: 'vector times matrices', inputs: { a: uniform([4]), b: uniform([3, 4, 2]) } },
  { opType: 'MatMul', title: 'matrices times vector', inputs: { a: uniform([2, 3, 4]), b: uniform([4]) } },
  { opType: 'MatMul', title: 'vector times vector', inputs: { a: uniform([4]), b: uniform([4]) } },
  { opType: 'MatMul', title: 'weight on the left', inputs: { a: uniform([3, 4]), b: uniform([2, 4, 5]) } },

  { opType: 'Add', title: 'broadcast both ways', inputs: { a: uniform([2, 1, 3]), b: uniform([4, 1]) } },
  { opType: 'Add', title: 'scalar', inputs: { a: uniform([2, 3]), b: uniform([]) } },
  { opType: 'Sub', title: 'per channel', inputs: { a: uniform([2, 3, 2, 2]), b: uniform([3, 1, 1]) } },
  { opType: 'Mul', title: 'per channel', inputs: { a: uniform([2, 3, 2, 2]), b: uniform([1, 3, 1, 1]) } },
  { opType: 'Mul', title: 'same shape', inputs: { a: uniform([2, 3]), b: uniform([2, 3]) } },
  { opType: 'Div', title: 'broadcast', inputs: { a: uniform([2, 3]), b: uniform([2, 1], 0.5, 2) } },
  { opType: 'Sum', title: 'three inputs', inputs: { a: uniform([2, 3]), b: uniform([3]), c: uniform([2, 1]) } },
  { opType: 'Pow', title: 'constant square', inputs: { x: uniform([2, 3]) }, constants: { p: float32([], [2]) } },
  {
    opType: 'Pow',
    title: 'constant 1.5',
    inputs: { x: uniform([2, 3], 0.5, 2) },
    constants: { p: float32([1], [1.5]) },
  },
  {
    opType: 'Pow',
    title: 'integer exponents',
    inputs: { x: uniform([2, 3], 0.5, 2) },
    constants: { p: int64([2, 3, -1]) },
  },
  { opType: 'Pow', title: 'learned exponent', inputs: { x: uniform([2, 3], 0.5, 2), p: uniform([3], 1, 3) } },
  {
    opType: 'Max',
    title: 'three inputs, broadcast',
    inputs: { a: float32([2, 3], [1, 5, 2, 7, 0, 3]), b: float32([3], [2, 4, 2.5]), c: float32([2, 1], [1.5, 4.5]) },
  },
  { opType: 'Max', title: 'two inputs', inputs: { a: uniform([2, 3]), b: uniform([2, 3], -0.93, 1.07) } },
  { opType: 'Min', title: 'two inputs', inputs: { a: uniform([2, 3]), b: uniform([2, 3], -0.93, 1.07) } },
  {
    opType: 'Where',
    title: 'broadcast',
    inputs: { a: uniform([2, 3]), b: uniform([3]) },
    constants: { c: { type: 'bool', dims: [2, 1], data: Uint8Array.of(1, 0) } },
    order: ['c', 'a', 'b'],
  },
  {
    opType: 'Expand',
    title: 'new and repeated axes',
    inputs: { x: uniform([3, 1]) },
    constants: { shape: int64([2, 3, 4]) },
  },
  { opType: 'Neg', title: 'plain', inputs: { x: uniform([5]) } },
  { opType: 'Abs', title: 'both signs', inputs: { x: awayFrom([0], [6], -1, 1) } },
  { opType: 'Reciprocal', title: 'plain', inputs: { x: uniform([5], 0.5, 2) } },
  { opType: 'Exp', title: 'plain', inputs: { x: uniform([5]) } },
  { opType: 'Log', title: 'plain', inputs: { x: uniform([5], 0.5, 2) } },
  { opType: 'Sqrt', title: 'plain', inputs: { x: uniform([5], 0.5, 2) } },
  { opType: 'Erf', title: 'plain', inputs: { x: uniform([5], -2, 2) } },

  { opType: 'Relu', title: 'both sides', inputs: { x: awayFrom([0], [2, 5], -1, 1) } },
  { opType: 'LeakyRelu', title: 'default slope', inputs: { x: awayFrom([0], [2, 5], -1, 1) } },
  {
    opType: 'LeakyRelu',
    title: 'slope 0.3',
    inputs: { x: awayFrom([0], [2, 5], -1, 1) },
    attributes: { alpha: { float: 0.3 } },
  },
  {
    opType: 'PRelu',
    title: 'slope per channel',
    inputs: { x: awayFrom([0], [2, 3, 2, 2], -1, 1), slope: uniform([3, 1, 1], 0.1, 0.5) },
  },
  {
    opType: 'Elu',
    title: 'alpha 0.7',
    inputs: { x: awayFrom([0], [2, 5], -1, 1) },
    attributes: { alpha: { float: 0.7 } },
  },
  {
    opType: 'Clip',
    title: '0 to 6',
    inputs: { x: awayFrom([0, 6], [3, 5], -3, 9) },
    constants: { lo: float32([], [0]), hi: float32([], [6]) },
  },
  {
    opType: 'Clip',
    title: 'upper bound only',
    inputs: { x: awayFrom([0.5], [3, 5], -1, 1) },
    constants: { hi: float32([], [0.5]) },
    order: ['x', '', 'hi'],
  },
  { opType: 'Clip', title: 'no bounds', inputs: { x: uniform([4]) } },
  { opType: 'Sigmoid', title: 'plain', inputs: { x: uniform([6], -3, 3) } },
  { opType: 'Tanh', title: 'plain', inputs: { x: uniform([6], -2, 2) } },
  { opType: 'HardSigmoid', title: 'default', inputs: { x: awayFrom([-2.5, 2.5], [12], -4, 4) } },
  {
    opType: 'HardSigmoid',
    title: 'alpha 1/6',
    inputs: { x: awayFrom([-3, 3], [12], -5, 5) },
    attributes: { alpha: { float: 1 / 6 }, beta: { float: 0.5 } },
  },
  { opType: 'HardSwish', title: 'all three parts', inputs: { x: awayFrom([-3, 3], [12], -5, 5) } },
  { opType: 'Softplus', title: 'plain', inputs: { x: uniform([6], -3, 3) } },

  { opType: 'Softmax', title: 'last axis', inputs: { x: uniform([3, 4], -2, 2) } },
  { opType: 'Softmax', title: 'axis 1 of 3', inputs: { x: uniform([2, 3, 2], -2, 2) }, attributes: { axis: 1 } },
  { opType: 'LogSoftmax', title: 'last axis', inputs: { x: uniform([3, 4], -2, 2) } },
  { opType: 'LogSoftmax', title: 'axis 1 of 3', inputs: { x: uniform([2, 3, 2], -2, 2) }, attributes: { axis: 1 } },

  {
    opType: 'ReduceSum',
    title: 'some axes, kept',
    inputs: { x: uniform([2, 3, 4]) },
    constants: { axes: int64([0, -1]) },
    attributes: { keepdims: 1 },
  },
  { opType: 'ReduceSum', title: 'all axes, dropped', inputs: { x: uniform([2, 3]) }, attributes: { keepdims: 0 } },
  {
    opType: 'ReduceSum',
    title: 'no axes, no reduction',
    inputs: { x: uniform([2, 3]) },
    attributes: { noop_with_empty_axes: 1 },
  },
  {
    opType: 'ReduceMean',
    title: 'space, dropped',
    inputs: { x: uniform([2, 3, 2, 4]) },
    constants: { axes: int64([2, 3]) },
    attributes: { keepdims: 0 },
  },
  {
    opType: 'ReduceSumSquare',
    title: 'one axis',
    inputs: { x: uniform([2, 3, 4]) },
    constants: { axes: int64([1]) },
    attributes: { keepdims: 0 },
  },
  { opType: 'ReduceL2', title: 'last axis, kept', inputs: { x: uniform([2, 3]) }, constants: { axes: int64([-1]) } },
  {
    opType: 'ReduceMax',
    title: 'one axis, dropped',
    inputs: { x: uniform([2, 5]) },
    constants: { axes: int64([1]) },
    attributes: { keepdims: 0 },
  },
  { opType: 'ReduceMin', title: 'kept', inputs: { x: uniform([2, 5]) }, constants: { axes: int64([0]) } },
  { opType: 'GlobalAveragePool', title: '2-D', inputs: { x: uniform([2, 3, 3, 4]) } },
  { opType: 'GlobalMaxPool', title: '2-D', inputs: { x: uniform([2, 3, 3, 2]) } },

  {
    opType: 'MaxPool',
    title: '2x2 stride 2',
    inputs: { x: uniform([2, 3, 4, 6]) },
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  },
  {
    opType: 'MaxPool',
    title: 'overlapping, padding 1',
    inputs: { x: uniform([2, 2, 7, 6]) },
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    opType: 'MaxPool',
    title: 'ceil_mode',
    inputs: { x: uniform([1, 2, 6, 7]) },
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
  },
  {
    opType: 'MaxPool',
    title: 'dilation 2',
    inputs: { x: uniform([1, 2, 6, 7]) },
    attributes: { kernel_shape: [2, 3], dilations: [2, 2] },
  },
  {
    opType: 'MaxPool',
    title: 'auto_pad SAME_UPPER',
    inputs: { x: uniform([1, 2, 5, 5]) },
    attributes: { kernel_shape: [2, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' },
  },
  {
    opType: 'MaxPool',
    title: 'one-dimensional',
    inputs: { x: uniform([2, 2, 9]) },
    attributes: { kernel_shape: [3], strides: [2], pads: [1, 1] },
  },
  {
    opType: 'AveragePool',
    title: '2x2 stride 2',
    inputs: { x: uniform([2, 3, 4, 6]) },
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  },
  {
    opType: 'AveragePool',
    title: 'padding not counted',
    inputs: { x: uniform([1, 2, 5, 6]) },
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    opType: 'AveragePool',
    title: 'padding counted',
    inputs: { x: uniform([1, 2, 5, 6]) },
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 },
  },
  {
    opType: 'AveragePool',
    title: 'ceil_mode',
    inputs: { x: uniform([1, 2, 6, 7]) },
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
  },
  {
    opType: 'AveragePool',
    title: 'ceil_mode, padding counted',
    inputs: { x: uniform([1, 2, 6, 6]) },
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1, count_include_pad: 1 },
  },
  {
    opType: 'AveragePool',
    title: 'elements in no window',
    inputs: { x: uniform([1, 2, 8, 7]) },
    attributes: { kernel_shape: [2, 2], strides: [3, 3] },
  },
  {
    opType: 'AveragePool',
    title: 'auto_pad SAME_LOWER, one-dimensional',
    inputs: { x: uniform([2, 2, 7]) },
    attributes: { kernel_shape: [4], strides: [2], auto_pad: 'SAME_LOWER' },
  },

  ...(['Identity', 'Dropout'] as const).map((opType): GradientCase => ({
    opType,
    title: 'plain',
    inputs: { x: uniform([2, 3]) },
  })),
  { opType: 'Cast', title: 'to float', inputs: { x: uniform([2, 3]) }, attributes: { to: 1 }, single: true },
  { opType: 'Reshape', title: 'with -1', inputs: { x: uniform([2, 6]) }, constants: { shape: int64([3, -1]) } },
  { opType: 'Flatten', title: 'axis 2', inputs: { x: uniform([2, 3, 2, 2]) }, attributes: { axis: 2 } },
  { opType: 'Squeeze', title: 'one axis', inputs: { x: uniform([2, 1, 3]) }, constants: { axes: int64([1]) } },
  { opType: 'Unsqueeze', title: 'two axes', inputs: { x: uniform([2, 3]) }, constants: { axes: int64([0, 3]) } },
  {
    opType: 'Transpose',
    title: 'rotation of three axes',
    inputs: { x: uniform([2, 3, 4]) },
    attributes: { perm: [1, 2, 0] },
  },
  { opType: 'Transpose', title: 'default reversal', inputs: { x: uniform([2, 3, 4]) } },
  {
    opType: 'Concat',
    title: 'three parts',
    inputs: { a: uniform([2, 1, 2]), b: uniform([2, 3, 2]), c: uniform([2, 2, 2]) },
    attributes: { axis: -2 },
  },
  { opType: 'Concat', title: 'one part', inputs: { a: uniform([2, 3]) }, attributes: { axis: 0 } },
  {
    opType: 'Split',
    title: 'unequal parts, the middle one unused',
    inputs: { x: uniform([2, 6]) },
    constants: { split: int64([1, 2, 3]) },
    attributes: { axis: 1 },
    outputs: ['p', 'q', 'r'],
    differentiated: ['p', 'r'],
  },
  {
    opType: 'Split',
    title: 'num_outputs',
    inputs: { x: uniform([5, 2]) },
    attributes: { axis: 0, num_outputs: 2 },
    outputs: ['p', 'q'],
    differentiated: ['p', 'q'],
  },
  {
    opType: 'Slice',
    title: 'negative start, large end',
    inputs: { x: uniform([3, 5]) },
    constants: { starts: int64([-4]), ends: int64([2 ** 31]), axes: int64([1]) },
  },
  {
    opType: 'Slice',
    title: 'steps 2 and -2',
    inputs: { x: uniform([5, 6]) },
    constants: { starts: int64([1, -1]), ends: int64([5, -7]), axes: int64([0, 1]), steps: int64([2, -2]) },
  },
  {
    opType: 'Slice',
    title: 'step -2 on the first axis, 2 on a wide last one',
    inputs: { x: uniform([5, 70]) },
    constants: { starts: int64([-1, 3]), ends: int64([-6, 70]), axes: int64([0, -1]), steps: int64([-2, 2]) },
  },
  {
    opType: 'Slice',
    title: 'all axes',
    inputs: { x: uniform([3, 4]) },
    constants: { starts: int64([0, 1]), ends: int64([2, 3]) },
  },
  { opType: 'Pad', title: 'zeros around', inputs: { x: uniform([2, 3]) }, constants: { pads: int64([1, 0, 0, 2]) } },
  {
    opType: 'Pad',
    title: 'value and axes, one negative',
    inputs: { x: uniform([2, 3, 4]) },
    constants: { pads: int64([1, -1, 0, 2]), value: float32([], [0.5]), axes: int64([0, -1]) },
  },
  {
    opType: 'Gather',
    title: 'repeated and negative indices',
    inputs: { x: uniform([2, 4, 3]) },
    constants: { indices: int64([0, -1, 0, 2], [2, 2]) },
    attributes: { axis: 1 },
  },
  {
    opType: 'Gather',
    title: 'rows, one of them twice',
    inputs: { x: uniform([4, 3]) },
    constants: { indices: int64([3, 1, 3]) },
  },
  { opType: 'Gather', title: 'scalar index', inputs: { x: uniform([3, 4]) }, constants: { indices: int64([1], []) } },

  {
    opType: 'Resize',
    title: 'scales that keep the shape',
    inputs: { x: uniform([1, 1, 3, 5]) },
    constants: { scales: float32([4], [1, 1, 1.1, 1.1]) },
    order: ['x', '', 'scales'],
    attributes: { mode: 'linear' },
    single: true,
  },
  {
    opType: 'Resize',
    title: 'corners aligned, scales that leave a rest',
    inputs: { x: uniform([1, 1, 5, 4]) },
    constants: { scales: float32([4], [1, 1, 0.7, 1.6]) },
    order: ['x', '', 'scales'],
    attributes: { mode: 'cubic', coordinate_transformation_mode: 'align_corners' },
    single: true,
  },

  {
    opType: 'BatchNormalization',
    title: 'given statistics',
    inputs: { x: uniform([2, 3, 2, 2]), scale: uniform([3], 0.5, 2), bias: uniform([3]) },
    constants: { mean: float32([3], [0.1, -0.2, 0.3]), variance: float32([3], [0.5, 1, 2]) },
  },
  batchNormTraining('training mode, images', [2, 3, 3, 2]),
  batchNormTraining('training mode, vectors', [5, 3]),
  batchNormTraining('training mode, one-dimensional', [2, 3, 4]),
  {
    opType: 'InstanceNormalization',
    title: '2-D',
    inputs: { x: uniform([2, 3, 3, 2]), scale: uniform([3], 0.5, 2), bias: uniform([3]) },
  },
  {
    opType: 'LayerNormalization',
    title: 'last axis',
    inputs: { x: uniform([2, 3, 4]), scale: uniform([4], 0.5, 2), bias: uniform([4]) },
  },
  {
    opType: 'LayerNormalization',
    title: 'two axes, no bias',
    inputs: { x: uniform([2, 3, 4]), scale: uniform([3, 4], 0.5, 2) },
    attributes: { axis: 1, epsilon: { float: 0.01 } },
  },
]
