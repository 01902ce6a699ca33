// What the kernels of TensorFlow.js are asked to compute: for every operator a few nodes, with random numbers.
import type { DataType } from '../../src/tensor/data-type.js'
import { elementCount, float32, int64, type Tensor, type TensorData } from '../../src/tensor/tensor.js'

type PlainAttributes = Readonly<Record<string, number | string | readonly number[] | { float: number }>>

export interface KernelCase {
  /** undefined: an input that is left out. */
  inputs: readonly (Tensor | undefined)[]
  attributes?: PlainAttributes
  /** Default 1. */
  outputs?: number
  /** Default 18. */
  opset?: number
}

let state = 1

/** Numbers between -2 and 2, or between `from` and `to`. */
function f(dims: readonly number[], from = -2, to = 2): Tensor {
  return float32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return from + ((to - from) * state) / 2 ** 32
    }),
  )
}

const i = (values: readonly number[], dims: readonly number[] = [values.length]): Tensor => int64(values, dims)

function typed(type: DataType, data: TensorData, dims: readonly number[] = [data.length]): Tensor {
  return { type, dims, data }
}

const b = (values: readonly number[], dims?: readonly number[]): Tensor => typed('bool', Uint8Array.from(values), dims)

const unary = (from = -2, to = 2, ...attributes: PlainAttributes[]): KernelCase[] =>
  [{}, ...attributes].map((each) => ({ inputs: [f([2, 3, 5], from, to)], attributes: each }))

/** Of floats: as they are, broadcast on either side, with a number; of integers beyond 32 bits. */
const binary = (from = -2, to = 2): KernelCase[] => [
  ...[[2, 3, 4], [3, 1], [4], []].map((dims) => ({ inputs: [f([2, 3, 4], from, to), f(dims, from, to)] })),
  { inputs: [f([3, 1], from, to), f([2, 1, 4], from, to)] },
]
const integers: KernelCase[] = [
  { inputs: [i([2 ** 40 + 1, -7, 9], [3]), i([3, 2, -2])] },
  { inputs: [i([1, 2, 3, 4, 5, 6], [2, 3]), i([2])] },
  { inputs: [typed('int32', Int32Array.of(7, -7)), typed('int32', Int32Array.of(2, 2))] },
]
const comparison: KernelCase[] = [
  ...binary(),
  ...integers,
  { inputs: [float32([3], [1, 2, 3]), float32([3], [1, 3, 2])] },
]
const logic: KernelCase[] = [
  { inputs: [b([0, 0, 1, 1]), b([0, 1, 0, 1])] },
  { inputs: [b([0, 1], [2, 1]), b([0, 1, 1])] },
]
const variadic: KernelCase[] = [
  { inputs: [f([2, 3])] },
  { inputs: [f([2, 3]), f([2, 3]), f([3])] },
  { inputs: [f([2, 3]), f([2, 1])] },
]

const reduction = (from = -2, to = 2): KernelCase[] => [
  { inputs: [f([2, 3, 4], from, to)] },
  { inputs: [f([2, 3, 4], from, to), i([1])], attributes: { keepdims: 0 } },
  { inputs: [f([2, 3, 4], from, to), i([-1, 0])] },
  { inputs: [f([2, 3, 4], from, to), i([0, 1, 2])], attributes: { keepdims: 0 } },
]
const integerReduction: KernelCase[] = [
  { inputs: [i([2 ** 40, 2, 3, -4, 5, 6], [2, 3]), i([1])], attributes: { keepdims: 0 } },
  { inputs: [i([2, 3, 4]), i([0])] },
]
const alongAxis: KernelCase[] = [
  { inputs: [f([2, 3, 4])] },
  { inputs: [f([2, 3, 4])], attributes: { axis: 1 } },
  { inputs: [f([2, 3, 4])], attributes: { axis: 0 } },
]
const argument: KernelCase[] = [
  ...alongAxis,
  { inputs: [f([2, 3])], attributes: { axis: -1, keepdims: 0 } },
  { inputs: [float32([2, 3], [1, 1, 0, 2, 3, 3])], attributes: { axis: 1, select_last_index: 1 } },
  { inputs: [float32([2, 3], [1, 1, 0, 2, 3, 3])], attributes: { axis: 1 } },
]

const pools: KernelCase[] = [
  { inputs: [f([2, 3, 6, 6])], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  { inputs: [f([1, 2, 7, 5])], attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] } },
  { inputs: [f([1, 2, 7, 5])], attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' } },
  { inputs: [f([1, 2, 6, 5])], attributes: { kernel_shape: [2, 2], strides: [1, 2], auto_pad: 'SAME_LOWER' } },
  { inputs: [f([1, 2, 9])], attributes: { kernel_shape: [3], strides: [2] } },
  { inputs: [f([1, 2, 4, 4, 4])], attributes: { kernel_shape: [2, 2, 2], strides: [2, 2, 2] } },
]
const ceiling: KernelCase[] = [
  { inputs: [f([1, 2, 6, 6])], attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } },
  {
    inputs: [f([1, 2, 7, 7])],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1, pads: [1, 1, 1, 1] },
  },
]

const resized = (attributes: PlainAttributes): KernelCase[] => [
  { inputs: [f([1, 2, 3, 4]), undefined, float32([4], [1, 1, 2, 1.5])], attributes },
  { inputs: [f([1, 2, 6, 7]), undefined, undefined, i([1, 2, 3, 5])], attributes },
]

const perChannel = (x: readonly number[], ...more: PlainAttributes[]): KernelCase[] =>
  [{}, ...more].map((attributes) => ({ inputs: [f(x), f([x[1] as number]), f([x[1] as number])], attributes }))

const channels = (count: number): Tensor[] => [f([count]), f([count]), f([count]), f([count], 0.5, 2)]

/** By operator, as the table of kernels names them. */
export const KERNEL_CASES: Readonly<Record<string, readonly KernelCase[]>> = {
  Add: [...binary(), ...integers],
  Sub: [...binary(), ...integers],
  Mul: [...binary(), ...integers],
  Div: [...binary(0.5, 2), ...integers],
  Pow: [...binary(0.5, 2), { inputs: [f([2, 3]), float32([], [2])] }, { inputs: [f([2, 3]), i([3])] }],
  Mod: [
    { inputs: [f([2, 3]), f([2, 3], 0.5, 1)], attributes: { fmod: 1 } },
    { inputs: [i([7, -7, 7, -7]), i([3, 3, -3, -3])] },
    { inputs: [i([7, -7, 7, -7]), i([3, 3, -3, -3])], attributes: { fmod: 1 } },
  ],
  Sum: variadic,
  Mean: variadic,
  Max: [...variadic, ...binary(), ...integers],
  Min: [...variadic, ...binary(), ...integers],
  Equal: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  And: logic,
  Or: logic,
  Xor: logic,
  Not: [{ inputs: [b([0, 1, 1])] }],
  Where: [
    { inputs: [b([0, 1, 1, 0, 1, 0], [2, 3]), f([2, 3]), f([2, 3])] },
    { inputs: [b([0, 1, 1, 0, 1, 0], [2, 3]), f([2, 3]), f([])] },
    { inputs: [b([0, 1], [2, 1]), f([3]), f([2, 3])] },
    { inputs: [b([0, 1]), i([2 ** 40, 2]), i([3])] },
  ],

  Abs: [...unary(), { inputs: [i([-3, 2 ** 40])] }],
  Neg: [...unary(), { inputs: [i([-3, 2 ** 40])] }],
  Sign: [...unary(), { inputs: [float32([3], [-1, 0, 2])] }, { inputs: [i([-3, 0, 5])] }],
  Relu: unary(),
  Acos: unary(-1, 1),
  Acosh: unary(1, 3),
  Asin: unary(-1, 1),
  Asinh: unary(),
  Atan: unary(),
  Atanh: unary(-0.9, 0.9),
  Ceil: unary(),
  Cos: unary(),
  Cosh: unary(),
  Erf: unary(),
  Exp: unary(),
  Floor: unary(),
  Log: unary(0.1, 3),
  Reciprocal: unary(0.5, 2),
  Round: [...unary(), { inputs: [float32([6], [0.5, 1.5, 2.5, -0.5, -1.5, 1.2])] }],
  Sigmoid: unary(-10, 10),
  Sin: unary(),
  Sinh: unary(),
  Softplus: unary(-30, 30),
  Sqrt: unary(0, 3),
  Tan: unary(-1, 1),
  Tanh: unary(),
  Celu: unary(-2, 2, { alpha: { float: 0.5 } }),
  Elu: unary(-2, 2, { alpha: { float: 0.5 } }),
  HardSigmoid: unary(-4, 4, { alpha: { float: 0.1 }, beta: { float: 0.4 } }),
  HardSwish: unary(-4, 4),
  LeakyRelu: unary(-2, 2, { alpha: { float: 0.3 } }),
  Mish: unary(),
  Selu: unary(-2, 2, { alpha: { float: 1.5 }, gamma: { float: 1.1 } }),
  Shrink: unary(-2, 2, { lambd: { float: 1 }, bias: { float: 0.5 } }),
  Softsign: unary(),
  Swish: unary(-2, 2, { alpha: { float: 1.5 } }).map((each) => ({ ...each, opset: 24 })),
  'com.microsoft.QuickGelu': unary(),
  ThresholdedRelu: unary(-2, 2, { alpha: { float: 0.5 } }),
  PRelu: [{ inputs: [f([2, 3, 4]), f([3, 1])] }, { inputs: [f([2, 3, 4]), f([1])] }],
  Clip: [
    { inputs: [f([2, 3]), float32([], [-1]), float32([], [0.5])] },
    { inputs: [f([2, 3]), undefined, float32([], [0.5])] },
    { inputs: [f([2, 3])] },
    { inputs: [i([1, 5, 9]), i([2], []), i([6], [])] },
  ],
  Gelu: unary(-2, 2, { approximate: 'tanh' }).map((each) => ({ ...each, opset: 20 })),
  'com.microsoft.Gelu': unary(),
  'com.microsoft.FastGelu': [{ inputs: [f([2, 3])] }, { inputs: [f([2, 3]), f([3])] }],
  'com.microsoft.BiasGelu': [{ inputs: [f([2, 3]), f([3])] }],
  IsNaN: [{ inputs: [float32([4], [1, NaN, Infinity, -Infinity])] }],
  IsInf: [{}, { detect_negative: 0 }, { detect_positive: 0 }].map((attributes) => ({
    inputs: [float32([4], [1, NaN, Infinity, -Infinity])],
    attributes: attributes as PlainAttributes,
  })),
  Identity: [{ inputs: [f([2, 3])] }, { inputs: [i([2 ** 60])] }],
  Dropout: [{ inputs: [f([2, 3])] }, { inputs: [f([2, 3]), float32([], [0.3])], outputs: 2 }],
  Cast: [
    { inputs: [float32([5], [-1.7, -0.4, 0, 1.5, 2e9])], attributes: { to: 7 } },
    { inputs: [float32([4], [-1.7, 0, 0.2, 3])], attributes: { to: 9 } },
    { inputs: [float32([3], [1, 0.1, 65504])], attributes: { to: 10 } },
    { inputs: [float32([3], [1, 0.1, 65504])], attributes: { to: 11 } },
    { inputs: [i([5, -7, 2 ** 33 + 5])], attributes: { to: 1 } },
    { inputs: [i([5, -7, 2 ** 33 + 5])], attributes: { to: 6 } },
    { inputs: [i([5, 0, -1])], attributes: { to: 9 } },
    { inputs: [b([0, 1, 1])], attributes: { to: 1 } },
    { inputs: [b([0, 1, 1])], attributes: { to: 7 } },
    { inputs: [typed('uint8', Uint8Array.of(0, 200, 255))], attributes: { to: 1 } },
    { inputs: [typed('float16', Uint16Array.of(0x3c00, 0xc000))], attributes: { to: 1 } },
    { inputs: [typed('float64', Float64Array.of(0.1, -3))], attributes: { to: 1 } },
  ],
  CastLike: [{ inputs: [f([2, 3]), i([1])] }, { inputs: [i([2, 3]), f([1])] }],

  Conv: [
    { inputs: [f([2, 3, 8, 8]), f([4, 3, 3, 3])], attributes: { pads: [1, 1, 1, 1] } },
    { inputs: [f([2, 3, 8, 7]), f([4, 3, 3, 2]), f([4])], attributes: { strides: [2, 1], pads: [1, 0, 0, 1] } },
    { inputs: [f([1, 2, 9, 9]), f([3, 2, 3, 3])], attributes: { strides: [2, 2], auto_pad: 'SAME_UPPER' } },
    { inputs: [f([1, 2, 8, 8]), f([3, 2, 3, 3])], attributes: { strides: [3, 3], auto_pad: 'SAME_LOWER' } },
    { inputs: [f([1, 2, 8, 8]), f([3, 2, 3, 3])], attributes: { dilations: [2, 2] } },
    { inputs: [f([1, 2, 9, 9]), f([3, 2, 3, 3])], attributes: { dilations: [2, 2], strides: [2, 2] } },
    { inputs: [f([1, 4, 6, 6]), f([6, 2, 3, 3]), f([6])], attributes: { group: 2 } },
    { inputs: [f([1, 4, 6, 6]), f([4, 1, 3, 3])], attributes: { group: 4, pads: [1, 1, 1, 1] } },
    { inputs: [f([1, 4, 6, 6]), f([8, 1, 3, 3])], attributes: { group: 4, strides: [2, 2] } },
    { inputs: [f([1, 4, 8, 8]), f([4, 1, 3, 3])], attributes: { group: 4, strides: [2, 1] } },
    { inputs: [f([1, 4, 8, 8]), f([4, 1, 3, 3])], attributes: { group: 4, dilations: [2, 2] } },
    { inputs: [f([1, 2, 3, 3]), f([2, 2, 2, 2])], attributes: { pads: [3, 3, 3, 3] } },
    { inputs: [f([2, 3, 9]), f([4, 3, 3]), f([4])], attributes: { strides: [2], pads: [1, 1] } },
    { inputs: [f([2, 4, 9]), f([4, 1, 3])], attributes: { group: 4, dilations: [2] } },
    { inputs: [f([1, 2, 4, 5, 6]), f([3, 2, 2, 3, 3])], attributes: { pads: [0, 1, 1, 0, 1, 1] } },
    { inputs: [f([1, 2, 5, 5, 5]), f([2, 1, 2, 2, 2])], attributes: { group: 2, dilations: [2, 2, 2] } },
  ],
  ConvTranspose: [
    { inputs: [f([2, 3, 4, 4]), f([3, 2, 3, 3])] },
    { inputs: [f([2, 3, 4, 5]), f([3, 2, 3, 3]), f([2])], attributes: { strides: [2, 2], pads: [1, 1, 0, 1] } },
    { inputs: [f([1, 3, 4, 4]), f([3, 2, 2, 2])], attributes: { strides: [3, 3], output_padding: [2, 1] } },
    { inputs: [f([1, 3, 4, 4]), f([3, 2, 3, 3])], attributes: { strides: [2, 2], auto_pad: 'SAME_UPPER' } },
    { inputs: [f([1, 3, 4, 4]), f([3, 2, 3, 3])], attributes: { strides: [2, 2], output_shape: [8, 8] } },
    { inputs: [f([1, 4, 4, 4]), f([4, 1, 3, 3])], attributes: { group: 2, strides: [2, 2] } },
    { inputs: [f([1, 4, 4, 4]), f([4, 1, 3, 3])], attributes: { group: 4, pads: [1, 1, 1, 1] } },
    { inputs: [f([1, 2, 4, 4]), f([2, 1, 3, 3])], attributes: { dilations: [2, 2] } },
    { inputs: [f([2, 3, 5]), f([3, 2, 3])], attributes: { strides: [2] } },
    { inputs: [f([1, 2, 3, 3, 3]), f([2, 2, 2, 2, 2])], attributes: { strides: [2, 2, 2] } },
  ],
  MatMul: [
    { inputs: [f([3, 4]), f([4, 2])] },
    { inputs: [f([2, 3, 4]), f([2, 4, 5])] },
    { inputs: [f([2, 3, 4]), f([4, 5])] },
    { inputs: [f([2, 1, 3, 4]), f([3, 4, 5])] },
    { inputs: [f([4]), f([4, 2])] },
    { inputs: [f([2, 3, 4]), f([4])] },
    { inputs: [f([4]), f([4])] },
  ],
  Gemm: [
    { inputs: [f([3, 4]), f([4, 2]), f([2])] },
    { inputs: [f([4, 3]), f([2, 4]), f([3, 1])], attributes: { transA: 1, transB: 1 } },
    { inputs: [f([3, 4]), f([4, 2]), f([3, 2])], attributes: { alpha: { float: 0.5 }, beta: { float: 2 } } },
    { inputs: [f([3, 4]), f([4, 2])] },
  ],
  Einsum: [
    { inputs: [f([2, 3, 4]), f([2, 4, 5])], attributes: { equation: 'bij,bjk->bik' } },
    { inputs: [f([2, 3]), f([4, 3])], attributes: { equation: 'ij, kj' } },
    { inputs: [f([2, 3])], attributes: { equation: 'ij->ji' } },
    { inputs: [f([2, 3])], attributes: { equation: 'ij->i' } },
    { inputs: [f([2, 3, 4]), f([3, 5])], attributes: { equation: 'abc,bd->dca' } },
    { inputs: [f([3]), f([4])], attributes: { equation: 'i,j->ij' } },
    { inputs: [f([3]), f([3])], attributes: { equation: 'i,i->' } },
  ],

  ReduceSum: [...reduction(), ...integerReduction, { inputs: [f([2, 3])], attributes: { noop_with_empty_axes: 1 } }],
  ReduceMean: reduction(),
  ReduceMax: [...reduction(), ...integerReduction],
  ReduceMin: [...reduction(), ...integerReduction],
  ReduceProd: [...reduction(), ...integerReduction],
  ReduceL1: reduction(),
  ReduceL2: reduction(),
  ReduceSumSquare: reduction(),
  ReduceLogSum: reduction(0.5, 2),
  ReduceLogSumExp: [...reduction(), { inputs: [float32([2], [100, 101])] }],
  Softmax: [...alongAxis, { inputs: [float32([1, 3], [1000, 1001, 999])] }],
  LogSoftmax: [...alongAxis, { inputs: [float32([1, 3], [1000, 1001, 900])] }],
  Hardmax: alongAxis,
  ArgMax: argument,
  ArgMin: argument,
  TopK: [
    { inputs: [f([3, 6]), i([2])], outputs: 2 },
    { inputs: [f([3, 6, 2]), i([3])], attributes: { axis: 1, largest: 0 }, outputs: 2 },
  ],
  CumSum: [
    { inputs: [f([2, 4]), i([1], [])] },
    { inputs: [f([2, 4]), i([-2], [])], attributes: { exclusive: 1 } },
    { inputs: [f([2, 4]), i([1], [])], attributes: { reverse: 1 } },
    { inputs: [i([1, 2, 3]), i([0], [])] },
  ],

  BatchNormalization: [
    { inputs: [f([2, 3, 4, 5]), ...channels(3)] },
    { inputs: [f([4, 3]), ...channels(3)], attributes: { epsilon: { float: 0.1 } } },
    { inputs: [f([2, 3, 7]), ...channels(3)] },
  ],
  InstanceNormalization: perChannel([2, 3, 4, 5], { epsilon: { float: 0.1 } }),
  LayerNormalization: [
    { inputs: [f([2, 3, 4]), f([4]), f([4])] },
    { inputs: [f([2, 3, 4]), f([3, 4])], attributes: { axis: 1, epsilon: { float: 0.1 } }, outputs: 3 },
  ],
  GroupNormalization: [
    { inputs: [f([2, 6, 3, 3]), f([6]), f([6])], attributes: { num_groups: 3 }, opset: 21 },
    { inputs: [f([2, 6, 3, 3]), f([3]), f([3])], attributes: { num_groups: 3 }, opset: 18 },
  ],
  RMSNormalization: [{ inputs: [f([2, 3, 4]), f([4])], opset: 23 }],
  SimplifiedLayerNormalization: [{ inputs: [f([2, 3, 4]), f([4])] }],
  LpNormalization: [{ inputs: [f([2, 3])] }, { inputs: [f([2, 3])], attributes: { p: 1, axis: 0 } }],
  MeanVarianceNormalization: [
    { inputs: [f([2, 3, 4, 5])] },
    { inputs: [f([2, 3, 4, 5])], attributes: { axes: [2, 3] } },
  ],
  LRN: [
    { inputs: [f([1, 6, 3, 3])], attributes: { size: 3 } },
    {
      inputs: [f([1, 6, 3, 3])],
      attributes: { size: 5, alpha: { float: 0.1 }, beta: { float: 0.5 }, bias: { float: 2 } },
    },
  ],

  MaxPool: [
    ...pools,
    ...ceiling,
    { inputs: [f([2, 3, 6, 6])], attributes: { kernel_shape: [2, 2], strides: [2, 2] }, outputs: 2 },
    {
      inputs: [f([2, 2, 7, 7])],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
      outputs: 2,
    },
    { inputs: [f([1, 2, 9, 9])], attributes: { kernel_shape: [3, 3], dilations: [2, 2] } },
  ],
  AveragePool: [
    ...pools,
    ...ceiling,
    { inputs: [f([1, 2, 5, 5])], attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 } },
  ],
  LpPool: [
    { inputs: [f([1, 2, 6, 6])], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    { inputs: [f([1, 2, 6, 6])], attributes: { kernel_shape: [3, 3], p: 3 } },
  ],
  GlobalAveragePool: [{ inputs: [f([2, 3, 4, 5])] }, { inputs: [f([2, 3, 4])] }],
  GlobalMaxPool: [{ inputs: [f([2, 3, 4, 5])] }],
  GlobalLpPool: [{ inputs: [f([2, 3, 4, 5])] }],

  Shape: [{ inputs: [f([2, 3, 4])] }, { inputs: [f([2, 3, 4])], attributes: { start: 1, end: -1 } }],
  Size: [{ inputs: [f([2, 3, 4])] }],
  Reshape: [
    { inputs: [f([2, 3, 4]), i([0, -1])] },
    { inputs: [f([2, 3, 4]), i([4, 6])] },
    { inputs: [i([2 ** 60, 1]), i([2, 1])] },
  ],
  Flatten: [{ inputs: [f([2, 3, 4])] }, { inputs: [f([2, 3, 4])], attributes: { axis: -1 } }],
  Squeeze: [{ inputs: [f([1, 3, 1])] }, { inputs: [f([1, 3, 1]), i([-1])] }],
  Unsqueeze: [{ inputs: [f([3, 4]), i([0, -1])] }, { inputs: [f([3, 4]), i([1])] }],
  Transpose: [
    { inputs: [f([2, 3, 4])] },
    { inputs: [f([2, 3, 4, 2, 2])], attributes: { perm: [1, 3, 4, 0, 2] } },
    { inputs: [i([2 ** 60 + 2 ** 20, 2, 3, 4, 5, 6], [2, 3])] },
  ],
  Expand: [{ inputs: [f([3, 1]), i([2, 1, 4])] }, { inputs: [i([5, 6]), i([2, 2])] }],
  Tile: [{ inputs: [f([2, 3]), i([2, 3])] }, { inputs: [i([5, 6]), i([2])] }],
  Concat: [
    { inputs: [f([2, 3]), f([2, 4])], attributes: { axis: 1 } },
    { inputs: [f([2, 3]), f([1, 3]), f([3, 3])], attributes: { axis: -2 } },
    { inputs: [i([2 ** 60]), i([2, 3])], attributes: { axis: 0 } },
    { inputs: [f([2, 3])], attributes: { axis: 0 } },
  ],
  Split: [
    { inputs: [f([2, 5])], attributes: { axis: 1, num_outputs: 2 }, outputs: 2 },
    { inputs: [f([2, 5]), i([2, 2, 1])], attributes: { axis: -1 }, outputs: 3 },
    { inputs: [i([1, 2, 3, 4])], attributes: { num_outputs: 2 }, outputs: 2 },
  ],
  Slice: [
    { inputs: [f([4, 5]), i([1, 0]), i([3, -1])] },
    { inputs: [f([4, 5]), i([0]), i([2 ** 40]), i([-1]), i([2])] },
    { inputs: [f([4, 5]), i([-1, 3]), i([-(2 ** 40), 0]), i([0, 1]), i([-1, -2])] },
    { inputs: [f([4, 5]), i([3]), i([2]), i([0])] },
    { inputs: [i([1, 2, 3, 4]), i([1]), i([4]), i([0]), i([2])] },
    { inputs: [i([1, 2, 3, 4]), i([-1]), i([0]), i([0]), i([-2])] },
    { inputs: [b([1, 0, 0, 1]), i([3]), i([0]), i([0]), i([-1])] },
  ],
  DepthToSpace: [
    { inputs: [f([1, 8, 2, 3])], attributes: { blocksize: 2 } },
    { inputs: [f([1, 8, 2, 3])], attributes: { blocksize: 2, mode: 'CRD' } },
  ],
  SpaceToDepth: [{ inputs: [f([1, 2, 4, 6])], attributes: { blocksize: 2 } }],
  Pad: [
    { inputs: [f([2, 3]), i([1, 0, 0, 2])] },
    { inputs: [f([2, 3]), i([0, -1, 1, 1]), float32([], [5])] },
    { inputs: [f([2, 3]), i([1, 2]), undefined, i([1])] },
    ...['reflect', 'edge', 'wrap'].map((mode) => ({
      inputs: [f([3, 4]), i([1, 2, 2, 1])],
      attributes: { mode },
      opset: 19,
    })),
  ],

  Gather: [
    { inputs: [f([4, 3]), i([0, -1, 2])] },
    { inputs: [f([2, 4]), i([1, 0, 3, 3], [2, 2])], attributes: { axis: 1 } },
    { inputs: [f([4, 3]), i([2], [])] },
    { inputs: [i([2 ** 60, 7, 9]), i([1], [])] },
  ],
  GatherElements: [
    { inputs: [f([3, 3]), i([1, 2, 0, 2, 0, 0], [2, 3])] },
    { inputs: [f([3, 3]), i([0, -1, 1, 1, 2, 0], [3, 2])], attributes: { axis: 1 } },
  ],
  GatherND: [
    { inputs: [f([2, 3, 4]), i([0, 1, 1, -1], [2, 2])] },
    { inputs: [f([2, 3, 4]), i([1, 0], [2, 1])], attributes: { batch_dims: 1 } },
    { inputs: [f([2, 3]), i([1], [1, 1])] },
  ],
  Compress: [
    { inputs: [f([3, 2]), b([0, 1, 1])], attributes: { axis: 0 } },
    { inputs: [f([3, 2]), b([0, 1, 0, 0, 1])] },
  ],
  ReverseSequence: [
    { inputs: [f([4, 3]), i([1, 3, 4])] },
    { inputs: [f([3, 4, 2]), i([4, 1, 2])], attributes: { batch_axis: 0, time_axis: 1 } },
  ],
  ScatterElements: [
    { inputs: [f([3, 3]), i([1, 0, 2, 0, 2, 1], [2, 3]), f([2, 3])] },
    { inputs: [f([5]), i([1, 1, -1]), f([3])], attributes: { reduction: 'add' } },
    { inputs: [f([2, 4]), i([1, 0, 3, 2], [2, 2]), f([2, 2])], attributes: { axis: 1, reduction: 'mul' } },
    { inputs: [f([2, 4]), i([1, 0, 3, 2], [2, 2]), f([2, 2])], attributes: { axis: 1, reduction: 'max' } },
  ],
  ScatterND: [
    { inputs: [f([4, 3]), i([1, 3], [2, 1]), f([2, 3])] },
    { inputs: [f([4, 3]), i([1, 2, 1, 2], [2, 2]), f([2])], attributes: { reduction: 'add' } },
    { inputs: [i([1, 2, 3]), i([1], [1, 1]), i([2 ** 60])] },
  ],
  NonZero: [{ inputs: [float32([2, 3], [0, 1, 0, 2, 0, 3])] }, { inputs: [b([1, 0, 1])] }],
  OneHot: [
    { inputs: [i([1, 0, -1]), i([3]), float32([2], [0, 1])] },
    { inputs: [i([1, 0, 2, 2], [2, 2]), i([3]), float32([2], [-1, 5])], attributes: { axis: 1 } },
    { inputs: [i([1, 0]), i([2]), i([0, 2 ** 60])], attributes: { axis: 0 } },
  ],
  ConstantOfShape: [{ inputs: [i([2, 3])] }],
  Range: [
    { inputs: [i([2], []), i([9], []), i([3], [])] },
    { inputs: [float32([], [1]), float32([], [0]), float32([], [-0.25])] },
  ],
  EyeLike: [{ inputs: [f([3, 4])] }, { inputs: [f([3, 4])], attributes: { k: 1 } }],
  Trilu: [
    { inputs: [f([3, 4])] },
    { inputs: [f([2, 3, 4]), i([1], [])], attributes: { upper: 0 } },
    { inputs: [f([3, 4]), i([-1], [])] },
  ],

  Resize: [
    ...['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'].flatMap((mode) => [
      ...resized({ mode: 'linear', coordinate_transformation_mode: mode }),
      ...resized({ mode: 'cubic', coordinate_transformation_mode: mode }),
      ...resized({ mode: 'nearest', coordinate_transformation_mode: mode }),
    ]),
    ...['floor', 'ceil', 'round_prefer_ceil'].flatMap((nearest) =>
      resized({ mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: nearest }),
    ),
    ...resized({ mode: 'cubic', cubic_coeff_a: { float: -0.5 }, exclude_outside: 1 }),
  ],

  DequantizeLinear: [
    {
      inputs: [typed('uint8', Uint8Array.of(0, 128, 255)), float32([], [0.1]), typed('uint8', Uint8Array.of(128), [])],
    },
    { inputs: [typed('int8', Int8Array.of(-3, 5, 7, 9), [2, 2]), float32([2], [0.1, 0.3])], attributes: { axis: 0 } },
  ],
  QuantizeLinear: [
    { inputs: [f([2, 3]), float32([], [0.03]), typed('uint8', Uint8Array.of(100), [])] },
    {
      inputs: [f([2, 3]), float32([3], [0.1, 0.2, 0.01]), typed('int8', Int8Array.of(0, 5, -5))],
      attributes: { axis: 1 },
    },
  ],
}
