// The independent engine: the operators of the rule tests written for TensorFlow.js, whose own gradients are the second
// witness.
import * as tf from '@tensorflow/tfjs'
import type { GradientCase, OutputWeights } from './gradient-case.js'

// One tensor per differentiated output.
type Engine = (inputs: tf.Tensor[], test: GradientCase) => tf.Tensor | tf.Tensor[]

const ints = (test: GradientCase, name: string): number[] | undefined => test.attributes?.[name] as number[] | undefined
const int = (test: GradientCase, name: string, fallback: number): number =>
  (test.attributes?.[name] as number | undefined) ?? fallback
const float = (test: GradientCase, name: string, fallback: number): number =>
  (test.attributes?.[name] as { float: number } | undefined)?.float ?? fallback
const constant = (test: GradientCase, name: string): number[] | undefined => {
  const tensor = test.constants?.[name]
  return tensor === undefined ? undefined : Array.from(tensor.data as ArrayLike<number | bigint>, Number)
}
const elementwise =
  (apply: (...inputs: tf.Tensor[]) => tf.Tensor): Engine =>
  (inputs) =>
    apply(...inputs)
const at = (inputs: tf.Tensor[], index: number): tf.Tensor => inputs[index] as tf.Tensor

// What a normalisation does along these axes, before scale and bias.
function normalized(x: tf.Tensor, axes: number[], epsilon: number): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, axes, true))
  return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), axes, true), epsilon)))
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

/** How TensorFlow.js computes each operator, and which cases it can judge; default all. */
export const ENGINES: Readonly<Record<string, { run: Engine; judges?: (test: GradientCase) => boolean }>> = {
  Conv: {
    // TensorFlow.js has no gradient of dilated convolutions.
    judges: (test) => ints(test, 'kernel_shape')?.length === 2 && ints(test, 'dilations') === undefined,
    run: ([x, w, b], test) => {
      const groups = int(test, 'group', 1)
      const [height, width] = ints(test, 'kernel_shape') as [number, number]
      const strides = ints(test, 'strides') ?? [1, 1]
      const images = spacePadded(toLast(x as tf.Tensor), test, [height, width], strides, 0)
      const filters = tf.transpose(w as tf.Tensor4D, [2, 3, 1, 0])
      const convolve = (part: tf.Tensor, filter: tf.Tensor): tf.Tensor =>
        tf.conv2d(part as tf.Tensor4D, filter as tf.Tensor4D, strides as [number, number], 'valid')
      const filterParts = groups === 1 ? [filters] : tf.split(filters, groups, 3)
      const y =
        groups === 1
          ? convolve(images, filters)
          : tf.concat(
              tf.split(images, groups, 3).map((part, group) => convolve(part, filterParts[group] as tf.Tensor)),
              3,
            )
      return toFirst(b === undefined ? y : tf.add(y, b))
    },
  },
  ConvTranspose: {
    // As for Conv; there are no groups, and padding is what the case says.
    judges: (test) =>
      ints(test, 'kernel_shape')?.length === 2 &&
      ints(test, 'dilations') === undefined &&
      int(test, 'group', 1) === 1 &&
      test.attributes?.['auto_pad'] === undefined &&
      ints(test, 'output_shape') === undefined,
    run: ([x, w, b], test) => {
      const { shape } = x as tf.Tensor4D
      const [kernel, strides, pads, extra] = [
        ints(test, 'kernel_shape') as number[],
        ints(test, 'strides') ?? [1, 1],
        ints(test, 'pads') ?? [0, 0, 0, 0],
        ints(test, 'output_padding') ?? [0, 0],
      ]
      const full = [0, 1].map((i) => ((shape[i + 2] as number) - 1) * (strides[i] as number) + (kernel[i] as number))
      const whole = tf.conv2dTranspose(
        toLast(x as tf.Tensor),
        tf.transpose(w as tf.Tensor4D, [2, 3, 1, 0]),
        [shape[0], full[0] as number, full[1] as number, (w as tf.Tensor4D).shape[1]],
        strides as [number, number],
        'valid',
      )
      const begin = [0, pads[0] as number, pads[1] as number, 0]
      const size = full.map(
        (length, i) => length - (pads[i] as number) - (pads[i + 2] as number) + (extra[i] as number),
      )
      const y = tf.slice(whole, begin, [-1, size[0] as number, size[1] as number, -1])
      return toFirst(b === undefined ? y : tf.add(y, b))
    },
  },
  Gemm: {
    run: ([a, b, c], test) => {
      const product = tf.mul(
        tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, int(test, 'transA', 0) === 1, int(test, 'transB', 0) === 1),
        float(test, 'alpha', 1),
      )
      return c === undefined ? product : tf.add(product, tf.mul(c, float(test, 'beta', 1)))
    },
  },
  // TensorFlow.js sums no broadcast gradients of batches and maxima back.
  MatMul: { judges: sameLeadingShape, run: elementwise((a, b) => tf.matMul(a, b)) },
  Add: { run: elementwise((a, b) => tf.add(a, b)) },
  Sub: { run: elementwise((a, b) => tf.sub(a, b)) },
  Mul: { run: elementwise((a, b) => tf.mul(a, b)) },
  Div: { run: elementwise((a, b) => tf.div(a, b)) },
  Sum: { run: (inputs) => inputs.reduce((a, b) => tf.add(a, b)) },
  Pow: { run: ([x, p], test) => tf.pow(x as tf.Tensor, p ?? tf.tensor(constant(test, 'p') as number[])) },
  Max: { judges: sameShape, run: (inputs) => inputs.reduce((a, b) => tf.maximum(a, b)) },
  Min: { judges: sameShape, run: (inputs) => inputs.reduce((a, b) => tf.minimum(a, b)) },
  Where: {
    run: (inputs, test) =>
      tf.where(
        tf.tensor(constant(test, 'c') as number[], test.constants?.['c']?.dims as number[], 'bool'),
        at(inputs, 0),
        at(inputs, 1),
      ),
  },
  Expand: { run: (inputs, test) => tf.add(at(inputs, 0), tf.zeros(constant(test, 'shape') as number[])) },
  Neg: { run: elementwise((x) => tf.neg(x)) },
  Abs: { run: elementwise((x) => tf.abs(x)) },
  Reciprocal: { run: elementwise((x) => tf.reciprocal(x)) },
  Exp: { run: elementwise((x) => tf.exp(x)) },
  Log: { run: elementwise((x) => tf.log(x)) },
  Sqrt: { run: elementwise((x) => tf.sqrt(x)) },
  Erf: { run: elementwise((x) => tf.erf(x)) },
  Relu: { run: elementwise((x) => tf.relu(x)) },
  LeakyRelu: { run: (inputs, test) => tf.leakyRelu(at(inputs, 0), float(test, 'alpha', 0.01)) },
  PRelu: { run: elementwise((x, slope) => tf.prelu(x, slope)) },
  Elu: {
    run: (inputs, test) =>
      tf.add(tf.relu(at(inputs, 0)), tf.mul(tf.expm1(tf.minimum(at(inputs, 0), 0)), float(test, 'alpha', 1))),
  },
  Clip: {
    run: (inputs, test) =>
      tf.clipByValue(at(inputs, 0), constant(test, 'lo')?.[0] ?? -1e9, constant(test, 'hi')?.[0] ?? 1e9),
  },
  Sigmoid: { run: elementwise((x) => tf.sigmoid(x)) },
  Tanh: { run: elementwise((x) => tf.tanh(x)) },
  Softplus: { run: elementwise((x) => tf.softplus(x)) },
  HardSigmoid: {
    run: (inputs, test) =>
      tf.clipByValue(tf.add(tf.mul(at(inputs, 0), float(test, 'alpha', 0.2)), float(test, 'beta', 0.5)), 0, 1),
  },
  HardSwish: { run: elementwise((x) => tf.mul(x, tf.clipByValue(tf.add(tf.div(x, 6), 0.5), 0, 1))) },
  Softmax: { judges: (test) => int(test, 'axis', -1) === -1, run: elementwise((x) => tf.softmax(x)) },
  LogSoftmax: { judges: (test) => int(test, 'axis', -1) === -1, run: elementwise((x) => tf.logSoftmax(x)) },
  ReduceSum: {
    judges: (test) => int(test, 'noop_with_empty_axes', 0) === 0,
    run: (inputs, test) => tf.sum(at(inputs, 0), constant(test, 'axes'), int(test, 'keepdims', 1) === 1),
  },
  ReduceMean: { run: (inputs, test) => tf.mean(at(inputs, 0), constant(test, 'axes'), int(test, 'keepdims', 1) === 1) },
  ReduceMax: { run: (inputs, test) => tf.max(at(inputs, 0), constant(test, 'axes'), int(test, 'keepdims', 1) === 1) },
  ReduceMin: { run: (inputs, test) => tf.min(at(inputs, 0), constant(test, 'axes'), int(test, 'keepdims', 1) === 1) },
  ReduceSumSquare: {
    run: (inputs, test) => tf.sum(tf.square(at(inputs, 0)), constant(test, 'axes'), int(test, 'keepdims', 1) === 1),
  },
  ReduceL2: {
    // TensorFlow.js gives NaN at 0.
    judges: (test) => !test.inputs['x']?.data.includes(0),
    run: (inputs, test) =>
      tf.sqrt(tf.sum(tf.square(at(inputs, 0)), constant(test, 'axes'), int(test, 'keepdims', 1) === 1)),
  },
  GlobalAveragePool: { run: elementwise((x) => tf.mean(x, [2, 3], true)) },
  GlobalMaxPool: { run: elementwise((x) => tf.max(x, [2, 3], true)) },
  MaxPool: {
    judges: (test) =>
      ints(test, 'kernel_shape')?.length === 2 &&
      ints(test, 'dilations') === undefined &&
      int(test, 'ceil_mode', 0) === 0,
    run: (inputs, test) => {
      const [kernel, strides] = [
        ints(test, 'kernel_shape') as [number, number],
        (ints(test, 'strides') ?? [1, 1]) as [number, number],
      ]
      return toFirst(
        tf.maxPool(spacePadded(toLast(at(inputs, 0)), test, kernel, strides, -1e9), kernel, strides, 'valid'),
      )
    },
  },
  AveragePool: {
    judges: (test) =>
      ints(test, 'kernel_shape')?.length === 2 &&
      int(test, 'ceil_mode', 0) === 0 &&
      (ints(test, 'pads') === undefined || int(test, 'count_include_pad', 0) === 1),
    run: (inputs, test) => {
      const [kernel, strides] = [
        ints(test, 'kernel_shape') as [number, number],
        (ints(test, 'strides') ?? [1, 1]) as [number, number],
      ]
      return toFirst(tf.avgPool(spacePadded(toLast(at(inputs, 0)), test, kernel, strides, 0), kernel, strides, 'valid'))
    },
  },
  BatchNormalization: {
    run: ([x, scale, bias], test) => {
      const { rank, shape } = x as tf.Tensor
      const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1)
      const wide = [shape[1] as number, ...Array.from({ length: rank - 2 }, () => 1)]
      const training = int(test, 'training_mode', 0) === 1
      const mean = training
        ? tf.mean(x as tf.Tensor, axes, true)
        : tf.reshape(tf.tensor(constant(test, 'mean') as number[]), wide)
      const variance = training
        ? tf.mean(tf.square(tf.sub(x as tf.Tensor, mean)), axes, true)
        : tf.reshape(tf.tensor(constant(test, 'variance') as number[]), wide)
      const xhat = tf.div(tf.sub(x as tf.Tensor, mean), tf.sqrt(tf.add(variance, float(test, 'epsilon', 1e-5))))
      return tf.add(tf.mul(xhat, tf.reshape(scale as tf.Tensor, wide)), tf.reshape(bias as tf.Tensor, wide))
    },
  },
  InstanceNormalization: {
    run: ([x, scale, bias], test) => {
      const { rank, shape } = x as tf.Tensor
      const wide = [shape[1] as number, ...range(2, rank).map(() => 1)]
      const y = normalized(x as tf.Tensor, range(2, rank), float(test, 'epsilon', 1e-5))
      return tf.add(tf.mul(y, tf.reshape(scale as tf.Tensor, wide)), tf.reshape(bias as tf.Tensor, wide))
    },
  },
  LayerNormalization: {
    run: ([x, scale, bias], test) => {
      const { rank } = x as tf.Tensor
      const axis = int(test, 'axis', -1)
      const y = normalized(x as tf.Tensor, range(axis < 0 ? axis + rank : axis, rank), float(test, 'epsilon', 1e-5))
      const scaled = tf.mul(y, scale as tf.Tensor)
      return bias === undefined ? scaled : tf.add(scaled, bias)
    },
  },
  Identity: { run: elementwise((x) => tf.clone(x)) },
  Dropout: { run: elementwise((x) => tf.clone(x)) },
  Cast: { run: elementwise((x) => tf.cast(x, 'float32')) },
  Flatten: {
    run: ([x], test) => {
      const { shape } = x as tf.Tensor
      const rows = shape.slice(0, int(test, 'axis', 1)).reduce((product, size) => product * size, 1)
      return tf.reshape(x as tf.Tensor, [rows, -1])
    },
  },
  Squeeze: { run: ([x], test) => tf.squeeze(x as tf.Tensor, constant(test, 'axes')) },
  Unsqueeze: {
    run: ([x], test) =>
      (constant(test, 'axes') as number[]).reduce((value, axis) => tf.expandDims(value, axis), x as tf.Tensor),
  },
  Split: {
    run: ([x], test) => {
      const axis = int(test, 'axis', 0)
      const length = (x as tf.Tensor).shape[axis] as number
      const count = int(test, 'num_outputs', 1)
      const even = range(0, count).map((i) =>
        Math.min(Math.ceil(length / count), length - i * Math.ceil(length / count)),
      )
      const parts = tf.split(x as tf.Tensor, constant(test, 'split') ?? even, axis)
      return (test.outputs ?? []).flatMap((name, i) =>
        test.differentiated?.includes(name) === true ? [parts[i] as tf.Tensor] : [],
      )
    },
  },
  Pad: {
    judges: (test) => test.attributes?.['mode'] === undefined,
    run: ([x], test) => {
      const { rank, shape } = x as tf.Tensor
      const pads = constant(test, 'pads') as number[]
      const axes = (constant(test, 'axes') ?? range(0, rank)).map((axis) => (axis < 0 ? axis + rank : axis))
      const around = (axis: number): [number, number] => {
        const place = axes.indexOf(axis)
        return place < 0 ? [0, 0] : [pads[place] as number, pads[place + axes.length] as number]
      }
      const all = range(0, rank).map(around)
      const kept = tf.slice(
        x as tf.Tensor,
        all.map(([before]) => Math.max(0, -before)),
        all.map(([before, after], axis) => (shape[axis] as number) + Math.min(0, before) + Math.min(0, after)),
      )
      const added = all.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)])
      return tf.pad(kept, added, constant(test, 'value')?.[0] ?? 0)
    },
  },
  Reshape: { run: (inputs, test) => tf.reshape(at(inputs, 0), constant(test, 'shape') as number[]) },
  Transpose: { run: (inputs, test) => tf.transpose(at(inputs, 0), ints(test, 'perm')) },
  Concat: {
    judges: ({ inputs }) => Object.keys(inputs).length > 1,
    run: (inputs, test) => tf.concat(inputs, int(test, 'axis', 0) + (int(test, 'axis', 0) < 0 ? 3 : 0)),
  },
  Slice: {
    run: (inputs, test) => {
      const { shape } = at(inputs, 0)
      const [starts, ends] = [constant(test, 'starts') as number[], constant(test, 'ends') as number[]]
      const axes = (constant(test, 'axes') ?? starts.map((_, axis) => axis)).map((axis) =>
        axis < 0 ? axis + shape.length : axis,
      )
      const steps = constant(test, 'steps') ?? starts.map(() => 1)
      const kept = shape.map((size, axis) => {
        const position = axes.indexOf(axis)
        const all = Array.from({ length: size }, (_, index) => index)
        if (position < 0) return all
        const [start, end, step] = [starts[position] as number, ends[position] as number, steps[position] as number]
        const from = start < 0 ? start + size : start
        const to = end < 0 ? end + size : Math.min(end, size)
        return step > 0
          ? all.filter((index) => index >= from && index < to && (index - from) % step === 0)
          : all.filter((index) => index <= from && index > to && (from - index) % -step === 0).reverse()
      })
      return kept.reduce((value, indices, axis) => tf.gather(value, tf.tensor1d(indices, 'int32'), axis), at(inputs, 0))
    },
  },
  Gather: {
    judges: (test) =>
      constant(test, 'indices')?.every((index) => index >= 0) === true &&
      test.constants?.['indices']?.dims.length !== 0,
    run: (inputs, test) =>
      tf.gather(
        at(inputs, 0),
        tf.tensor(constant(test, 'indices') as number[], test.constants?.['indices']?.dims as number[], 'int32'),
        int(test, 'axis', 0),
      ),
  },
}

/** Gradients of the weighted output by input. */
export async function engineGradients(
  test: GradientCase,
  weights: OutputWeights,
): Promise<Record<string, Float32Array>> {
  await tf.setBackend('cpu')
  const run = ENGINES[test.opType]?.run as Engine
  const inputs = Object.values(test.inputs).map(({ data, dims }) => tf.tensor(data, [...dims]))
  const loss = (...tensors: tf.Tensor[]): tf.Tensor => {
    const found = run(tensors, test)
    const outputs = Array.isArray(found) ? found : [found]
    return tf.addN(
      Object.values(weights).map(({ data, dims }, i) =>
        tf.sum(tf.mul(outputs[i] as tf.Tensor, tf.tensor(data, [...dims]))),
      ),
    )
  }
  const gradients = tf.grads(loss)(inputs)
  return Object.fromEntries(
    Object.keys(test.inputs).map((name, index) => [name, at(gradients, index).dataSync() as Float32Array]),
  )
}

function sameShape({ inputs }: GradientCase): boolean {
  return new Set(Object.values(inputs).map(({ dims }) => dims.join())).size === 1
}

function sameLeadingShape({ inputs }: GradientCase): boolean {
  const shapes = Object.values(inputs).map(({ dims }) => dims)
  return shapes.every(({ length }) => length > 1) && new Set(shapes.map((dims) => dims.slice(0, -2).join())).size === 1
}

function toLast(x: tf.Tensor): tf.Tensor4D {
  return tf.transpose(x as tf.Tensor4D, [0, 2, 3, 1])
}

function toFirst(y: tf.Tensor): tf.Tensor {
  return tf.transpose(y, [0, 3, 1, 2])
}

// Padding by hand, so that the engine's own rules about it do not matter.
function spacePadded(
  x: tf.Tensor4D,
  test: GradientCase,
  kernel: readonly number[],
  strides: readonly number[],
  value: number,
): tf.Tensor4D {
  const automatic = test.attributes?.['auto_pad'] as string | undefined
  const pads = ints(test, 'pads') ?? [0, 0, 0, 0]
  const sides = [0, 1].map((axis): [number, number] => {
    if (automatic === undefined || automatic === 'VALID') return [pads[axis] as number, pads[axis + 2] as number]
    const [size, stride] = [x.shape[axis + 1] as number, strides[axis] as number]
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + (kernel[axis] as number) - size)
    const less = Math.floor(total / 2)
    return automatic === 'SAME_UPPER' ? [less, total - less] : [total - less, less]
  })
  return tf.pad(x, [[0, 0], ...sides, [0, 0]], value)
}
