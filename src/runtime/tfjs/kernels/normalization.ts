// Kernels of normalisations. x is [N,C,...].
import { attribute } from '../../../onnx/attributes.js'
import { axisOf, type Call, type KernelTable, range } from '../call.js'
import type { DeviceTensor, TensorFlow } from '../tensorflow.js'
import type { Value } from '../value.js'

export const KERNELS: KernelTable = {
  // One factor and one shift per channel. In training mode with the batch's statistics, and the running ones after it.
  BatchNormalization: (call) => {
    const { tf, node } = call
    const x = call.float(0)
    const epsilon = attribute(node, 'epsilon', 'float', 1e-5)
    const training = attribute(node, 'training_mode', 'int', 0) === 1
    const [mean, variance] = training
      ? moments(
          tf,
          x,
          range(x.rank).filter((axis) => axis !== 1),
          false,
        )
      : [call.float(3), call.float(4)]
    const slope = tf.div(call.float(1), tf.sqrt(tf.add(variance, epsilon)))
    const y = perChannel(tf, x, slope, tf.sub(call.float(2), tf.mul(mean, slope)))
    if (!training) return call.result(y)
    const momentum = attribute(node, 'momentum', 'float', 0.9)
    const blend = (index: number, batch: DeviceTensor): Value =>
      call.result(tf.add(tf.mul(call.float(index), momentum), tf.mul(batch, 1 - momentum)))
    return [call.result(y), blend(3, mean), blend(4, variance)]
  },

  InstanceNormalization: (call) => {
    const { tf } = call
    const x = call.float(0)
    const y = standardised(call, x, range(x.rank - 2, 2))
    return call.result(perChannel(tf, y, call.float(1), call.float(2)))
  },

  LayerNormalization: (call) => {
    const { tf, node } = call
    const x = call.float(0)
    const first = axisOf(call, attribute(node, 'axis', 'int', -1), x.rank)
    const axes = range(x.rank - first, first)
    const [mean, variance] = moments(tf, x, axes, true)
    const inverse = tf.rsqrt(tf.add(variance, attribute(node, 'epsilon', 'float', 1e-5)))
    const y = tf.mul(tf.mul(tf.sub(x, mean), inverse), call.float(1))
    const outputs = [call.has(2) ? tf.add(y, call.float(2)) : y, mean, inverse]
    return outputs.slice(0, node.outputs.length).map((output) => call.result(output))
  },

  // Up to opset 20, scale and bias are per group.
  GroupNormalization: (call) => {
    const { tf, node, opset } = call
    const x = call.float(0)
    const groups = attribute(node, 'num_groups', 'int', 1)
    const [batch, channels] = x.shape as [number, number]
    const grouped = tf.reshape(x, [batch, groups, -1])
    const y = tf.reshape(standardised(call, grouped, [2]), x.shape)
    const each = (index: number): DeviceTensor => {
      const given = call.float(index)
      if (opset > 20 || given.size === channels) return given
      return tf.reshape(tf.broadcastTo(tf.reshape(given, [groups, 1]), [groups, channels / groups]), [channels])
    }
    return call.result(perChannel(tf, y, each(1), each(2)))
  },

  RMSNormalization: (call) => rootMeanSquare(call),
  SimplifiedLayerNormalization: (call) => rootMeanSquare(call),

  LpNormalization: (call) => {
    const { tf, node } = call
    const x = call.float(0)
    const axis = axisOf(call, attribute(node, 'axis', 'int', -1), x.rank)
    const norm =
      attribute(node, 'p', 'int', 2) === 1 ? tf.sum(tf.abs(x), axis, true) : tf.sqrt(tf.sum(tf.square(x), axis, true))
    // Zeros stay zeros.
    return call.result(tf.div(x, tf.add(norm, tf.cast(tf.equal(norm, 0), 'float32'))))
  },

  MeanVarianceNormalization: (call) => {
    const { tf, node } = call
    const x = call.float(0)
    const axes = attribute(node, 'axes', 'ints', [0, 2, 3]).map((axis) => axisOf(call, axis, x.rank))
    const [mean, variance] = moments(tf, x, axes, true)
    return call.result(tf.div(tf.sub(x, mean), tf.add(tf.sqrt(variance), 1e-9)))
  },

  // x / (bias + alpha / size * sum of squares of the channels around)^beta
  LRN: (call) => {
    const { tf, node } = call
    const x = call.float(0)
    const size = attribute(node, 'size', 'int', 1)
    const [alpha, beta, bias] = (
      [
        ['alpha', 1e-4],
        ['beta', 0.75],
        ['bias', 1],
      ] as const
    ).map(([name, fallback]) => attribute(node, name, 'float', fallback)) as [number, number, number]
    const before = Math.floor((size - 1) / 2)
    const around = x.shape.map((_, axis): [number, number] => (axis === 1 ? [before, size - 1 - before] : [0, 0]))
    const squares = tf.pad(tf.square(x), around)
    const sum = range(size)
      .map((first) =>
        tf.slice(
          squares,
          x.shape.map((_, axis) => (axis === 1 ? first : 0)),
          x.shape,
        ),
      )
      .reduce((a, b) => tf.add(a, b))
    return call.result(tf.div(x, tf.pow(tf.add(tf.mul(sum, alpha / size), bias), beta)))
  },
}

// The variance is that of values whose mean is 0 already: the difference of two large numbers would have no correct
// digit left.
function moments(tf: TensorFlow, x: DeviceTensor, axes: number[], keep: boolean): [DeviceTensor, DeviceTensor] {
  const mean = tf.mean(x, axes, true)
  const variance = tf.mean(tf.square(tf.sub(x, mean)), axes, keep)
  return [keep ? mean : tf.squeeze(mean, axes), variance]
}

function standardised(call: Call, x: DeviceTensor, axes: number[]): DeviceTensor {
  const { tf, node } = call
  const [mean, variance] = moments(tf, x, axes, true)
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, attribute(node, 'epsilon', 'float', 1e-5))))
}

function perChannel(tf: TensorFlow, x: DeviceTensor, factor: DeviceTensor, shift: DeviceTensor): DeviceTensor {
  const along = (numbers: DeviceTensor): DeviceTensor =>
    x.rank < 2 ? numbers : tf.reshape(numbers, [numbers.size, ...range(x.rank - 2).map(() => 1)])
  return tf.add(tf.mul(x, along(factor)), along(shift))
}

function rootMeanSquare(call: Call): Value {
  const { tf, node } = call
  const x = call.float(0)
  const first = axisOf(call, attribute(node, 'axis', 'int', -1), x.rank)
  const mean = tf.mean(tf.square(x), range(x.rank - first, first), true)
  const inverse = tf.rsqrt(tf.add(mean, attribute(node, 'epsilon', 'float', 1e-5)))
  return call.result(tf.mul(tf.mul(x, inverse), call.float(1)))
}
