// Kernels of functions of one value, element by element.
import { attribute } from '../../../onnx/attributes.js'
import { dataTypeOfOnnx, type DataType, isFloatType } from '../../../tensor/data-type.js'
import { floatTensor } from '../../../tensor/float-values.js'
import type { Call, Kernel, KernelTable } from '../call.js'
import { areIntegers, mapIntegers } from '../integers.js'
import type { DeviceTensor, TensorFlow } from '../tensorflow.js'
import { integerArray, integersOf, isIntegerType, type Value } from '../value.js'

type OfTensor = (tf: TensorFlow, x: DeviceTensor, number: (name: string, fallback: number) => number) => DeviceTensor

/** @param ofIntegers where the operator takes integers, too */
const unary =
  (ofTensor: OfTensor, ofIntegers?: (a: bigint) => bigint): Kernel =>
  (call) => {
    const values = [call.value(0)]
    if (ofIntegers !== undefined && areIntegers(values))
      return mapIntegers(call, values, call.value(0).type, (a) => ofIntegers(a))
    return call.result(
      ofTensor(call.tf, call.float(0), (name, fallback) => attribute(call.node, name, 'float', fallback)),
    )
  }

/** @param named functions of TensorFlow.js that are what the operator is */
const plain = (...named: readonly (keyof TensorFlow & Lowercase<string>)[]): Record<string, Kernel> =>
  Object.fromEntries(
    named.map((name) => [
      `${name[0]?.toUpperCase()}${name.slice(1)}`,
      unary((tf, x) => (tf[name] as (x: DeviceTensor) => DeviceTensor)(x)),
    ]),
  )

export const KERNELS: KernelTable = {
  ...plain('acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'ceil', 'cos', 'cosh', 'erf', 'exp', 'floor', 'log'),
  ...plain('reciprocal', 'round', 'sigmoid', 'sin', 'sinh', 'softplus', 'sqrt', 'tan', 'tanh'),
  Abs: unary(
    (tf, x) => tf.abs(x),
    (a) => (a < 0n ? -a : a),
  ),
  Neg: unary(
    (tf, x) => tf.neg(x),
    (a) => -a,
  ),
  Sign: unary(
    (tf, x) => tf.sign(x),
    (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n),
  ),
  Relu: unary(
    (tf, x) => tf.relu(x),
    (a) => (a > 0n ? a : 0n),
  ),

  Celu: unary((tf, x, number) => {
    const alpha = number('alpha', 1)
    return tf.add(tf.relu(x), tf.mul(tf.expm1(tf.minimum(tf.div(x, alpha), 0)), alpha))
  }),
  Elu: unary((tf, x, number) => tf.add(tf.relu(x), tf.mul(tf.expm1(tf.minimum(x, 0)), number('alpha', 1)))),
  HardSigmoid: unary((tf, x, number) =>
    tf.clipByValue(tf.add(tf.mul(x, number('alpha', 0.2)), number('beta', 0.5)), 0, 1),
  ),
  HardSwish: unary((tf, x) => tf.mul(x, tf.clipByValue(tf.add(tf.div(x, 6), 0.5), 0, 1))),
  LeakyRelu: unary((tf, x, number) => tf.sub(tf.relu(x), tf.mul(tf.relu(tf.neg(x)), number('alpha', 0.01)))),
  Mish: unary((tf, x) => tf.mul(x, tf.tanh(tf.softplus(x)))),
  Selu: unary((tf, x, number) => {
    const negative = tf.mul(tf.expm1(tf.minimum(x, 0)), number('alpha', 1.6732632))
    return tf.mul(tf.add(tf.relu(x), negative), number('gamma', 1.050701))
  }),
  Shrink: unary((tf, x, number) => {
    const [lambda, bias] = [number('lambd', 0.5), number('bias', 0)]
    const beyond = tf.cast(tf.greater(tf.abs(x), lambda), 'float32')
    return tf.mul(beyond, tf.sub(x, tf.mul(tf.sign(x), bias)))
  }),
  Softsign: unary((tf, x) => tf.div(x, tf.add(tf.abs(x), 1))),
  Swish: unary(swish('alpha', 1)),
  'com.microsoft.QuickGelu': unary(swish('alpha', 1.702)),
  ThresholdedRelu: unary((tf, x, number) => tf.mul(x, tf.cast(tf.greater(x, number('alpha', 1)), 'float32'))),
  PRelu: (call) => {
    const { tf } = call
    const [x, slope] = [call.float(0), call.float(1)]
    return call.result(tf.sub(tf.relu(x), tf.mul(tf.relu(tf.neg(x)), slope)))
  },
  Clip: (call) => {
    const { tf } = call
    const [low = -Infinity] = call.numbers(1) ?? []
    const [high = Infinity] = call.numbers(2) ?? []
    if (areIntegers([call.value(0)])) {
      const bounds = [1, 2].map((i) => (call.has(i) ? integersOf(call.value(i).toTensor())[0] : undefined))
      return mapIntegers(call, [call.value(0)], call.value(0).type, (a = 0n) => clipped(a, bounds[0], bounds[1]))
    }
    const raised = low === -Infinity ? tf.clone(call.float(0)) : tf.maximum(call.float(0), low)
    return call.result(high === Infinity ? raised : tf.minimum(raised, high))
  },
  Gelu: (call) => call.result(gelu(call.tf, call.float(0), attribute(call.node, 'approximate', 'string', 'none'))),
  'com.microsoft.Gelu': (call) => call.result(gelu(call.tf, call.float(0), 'none')),
  'com.microsoft.FastGelu': (call) => call.result(gelu(call.tf, biased(call), 'tanh')),
  'com.microsoft.BiasGelu': (call) => call.result(gelu(call.tf, biased(call), 'none')),

  IsNaN: (call) => call.result(call.tf.isNaN(call.float(0)), 'bool'),
  IsInf: (call) => {
    const { tf, node } = call
    const x = call.float(0)
    const signs = [1, -1].filter(
      (sign) => attribute(node, sign > 0 ? 'detect_positive' : 'detect_negative', 'int', 1) === 1,
    )
    const found = signs.map((sign) => tf.equal(x, sign * Infinity))
    return call.result(
      found.reduce((a, b) => tf.logicalOr(a, b), tf.cast(tf.zerosLike(x), 'bool')),
      'bool',
    )
  },

  Identity: (call) => call.value(0).copy(call.tf),
  Dropout: (call) => {
    const { tf } = call
    const [ratio = 0.5, training = 0] = [call.numbers(1)?.[0], call.numbers(2)?.[0]]
    if (training !== 0 && ratio !== 0) call.refuse('it drops values at random (training_mode)')
    const { dims } = call.value(0)
    const mask = (): Value => call.result(tf.cast(tf.ones([...dims]), 'bool'), 'bool')
    return call.node.outputs.length > 1 ? [call.value(0).copy(tf), mask()] : call.value(0).copy(tf)
  },
  Cast: (call) => cast(call, dataTypeOfOnnx(attribute(call.node, 'to', 'int', 0))),
  CastLike: (call) => cast(call, call.value(1).type),
}

function swish(name: string, fallback: number): OfTensor {
  return (tf, x, number) => tf.mul(x, tf.sigmoid(tf.mul(x, number(name, fallback))))
}

function gelu(tf: TensorFlow, x: DeviceTensor, approximate: string): DeviceTensor {
  const bent =
    approximate === 'tanh'
      ? tf.tanh(tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI)))
      : tf.erf(tf.mul(x, Math.SQRT1_2))
  return tf.mul(tf.mul(x, 0.5), tf.add(bent, 1))
}

function biased(call: Call): DeviceTensor {
  return call.has(1) ? call.tf.add(call.float(0), call.float(1)) : call.float(0)
}

function clipped(a: bigint, low: bigint | undefined, high: bigint | undefined): bigint {
  const raised = low !== undefined && a < low ? low : a
  return high !== undefined && raised > high ? high : raised
}

// float16 is the only type of floats whose rounding shows: what comes behind it computes in float32.
function cast(call: Call, to: DataType | undefined): Value {
  const { tf } = call
  const value = call.value(0)
  const { dims } = value
  if (to === value.type) return value.copy(tf)
  if (to === undefined || !(isFloatType(to) || to === 'bool' || isIntegerType(to)) || value.type === 'string')
    return call.refuse(`it casts ${value.type} to ${to ?? 'an unknown type'}, expected numbers`)
  if (value.isFloat) {
    const x = value.toDevice(tf)
    if (to === 'float16') return call.host(floatTensor(to, dims, Float32Array.from(x.dataSync())))
    if (isFloatType(to)) return call.result(tf.clone(x), to)
    if (to === 'bool') return call.result(tf.notEqual(x, 0), to)
    const whole = Array.from(x.dataSync(), (number) => BigInt(Number.isFinite(number) ? Math.trunc(number) : 0))
    return call.host({ type: to, dims, data: integerArray(to, whole) })
  }
  if (value.type === 'bool' && isFloatType(to)) return call.result(tf.cast(value.toDevice(tf), 'float32'), to)
  if (!isFloatType(to)) return mapIntegers(call, [value], to, (a) => a)
  return call.host(floatTensor(to, dims, Float32Array.from(value.toHost() as ArrayLike<number | bigint>, Number)))
}
