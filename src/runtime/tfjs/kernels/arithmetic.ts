// Kernels of arithmetic, comparisons and logic, with broadcasting.
import { attribute } from '../../../onnx/attributes.js'
import type { Call, Kernel, KernelTable } from '../call.js'
import { areIntegers, broadcastDims, mapIntegers } from '../integers.js'
import type { DeviceTensor, TensorFlow } from '../tensorflow.js'
import type { Value } from '../value.js'

type OfTensors = (tf: TensorFlow, a: DeviceTensor, b: DeviceTensor) => DeviceTensor
type OfIntegers = (a: bigint, b: bigint) => bigint

/** Of two operands, or from left to right of any number. */
const arithmetic =
  (ofTensors: OfTensors, ofIntegers: OfIntegers): Kernel =>
  (call) => {
    const values = call.values()
    if (areIntegers(values))
      return mapIntegers(call, values, call.value(0).type, (...all) => all.reduce((a, b) => ofIntegers(a, b)))
    const [first, ...others] = operands(call)
    return call.result(others.reduce((a, b) => ofTensors(call.tf, a, b), call.tf.clone(first as DeviceTensor)))
  }

const comparison =
  (ofTensors: OfTensors, ofIntegers: (a: bigint, b: bigint) => boolean): Kernel =>
  (call) => {
    const values = call.values()
    if (areIntegers(values)) return mapIntegers(call, values, 'bool', (a, b) => BigInt(ofIntegers(a, b)))
    const [a, b] = alike(call, operands(call))
    return call.result(ofTensors(call.tf, a as DeviceTensor, b as DeviceTensor), 'bool')
  }

export const KERNELS: KernelTable = {
  Add: arithmetic(
    (tf, a, b) => tf.add(a, b),
    (a, b) => a + b,
  ),
  Sub: arithmetic(
    (tf, a, b) => tf.sub(a, b),
    (a, b) => a - b,
  ),
  Mul: arithmetic(
    (tf, a, b) => tf.mul(a, b),
    (a, b) => a * b,
  ),
  // Of integers: towards zero.
  Div: arithmetic(
    (tf, a, b) => tf.div(a, b),
    (a, b) => a / b,
  ),
  Sum: arithmetic(
    (tf, a, b) => tf.add(a, b),
    (a, b) => a + b,
  ),
  Max: (call) =>
    extreme(
      call,
      (tf, a, b) => tf.maximum(a, b),
      (a, b) => (a > b ? a : b),
    ),
  Min: (call) =>
    extreme(
      call,
      (tf, a, b) => tf.minimum(a, b),
      (a, b) => (a < b ? a : b),
    ),
  Mean: (call) => {
    const { tf } = call
    return call.result(
      tf.div(
        operands(call).reduce((a, b) => tf.add(a, b)),
        call.inputCount,
      ),
    )
  },
  Pow: (call) => {
    const values = call.values()
    if (areIntegers(values)) return mapIntegers(call, values, call.value(0).type, (a = 0n, b = 0n) => a ** b)
    const { tf } = call
    const [a, b] = alike(call, [call.float(0), tf.cast(call.tensor(1), 'float32')])
    return call.result(tf.pow(a as DeviceTensor, b as DeviceTensor))
  },
  // The sign of the remainder is the divisor's, or with fmod = 1 the dividend's.
  Mod: (call) => {
    const isC = attribute(call.node, 'fmod', 'int', 0) === 1
    return (isC ? arithmetic(remainder, (a, b) => a % b) : arithmetic(modulo, (a, b) => ((a % b) + b) % b))(call)
  },

  Equal: comparison(
    (tf, a, b) => tf.equal(a, b),
    (a, b) => a === b,
  ),
  Greater: comparison(
    (tf, a, b) => tf.greater(a, b),
    (a, b) => a > b,
  ),
  GreaterOrEqual: comparison(
    (tf, a, b) => tf.greaterEqual(a, b),
    (a, b) => a >= b,
  ),
  Less: comparison(
    (tf, a, b) => tf.less(a, b),
    (a, b) => a < b,
  ),
  LessOrEqual: comparison(
    (tf, a, b) => tf.lessEqual(a, b),
    (a, b) => a <= b,
  ),

  And: comparison(
    (tf, a, b) => tf.logicalAnd(a, b),
    (a, b) => a === 1n && b === 1n,
  ),
  Or: comparison(
    (tf, a, b) => tf.logicalOr(a, b),
    (a, b) => a === 1n || b === 1n,
  ),
  Xor: comparison(
    (tf, a, b) => tf.logicalXor(a, b),
    (a, b) => a !== b,
  ),
  Not: (call) => {
    const values = call.values()
    return areIntegers(values)
      ? mapIntegers(call, values, 'bool', (a) => 1n - a)
      : call.result(call.tf.logicalNot(call.tensor(0)))
  },

  Where: (call) => {
    const { tf } = call
    const values = call.values()
    const { type } = call.value(1)
    if (areIntegers(values)) return mapIntegers(call, values, type, (c, a, b) => (c === 0n ? b : a))
    const dims = broadcastDims(call, values)
    const [condition, a, b] = values.map((value) => spread(call, value, dims))
    return call.result(tf.where(condition as DeviceTensor, a as DeviceTensor, b as DeviceTensor), type)
  },
}

function extreme(call: Call, ofTensors: OfTensors, ofIntegers: OfIntegers): Value {
  const values = call.values()
  if (areIntegers(values))
    return mapIntegers(call, values, call.value(0).type, (...all) => all.reduce((a, b) => ofIntegers(a, b)))
  const [first, ...others] = alike(call, operands(call))
  return call.result(others.reduce((a, b) => ofTensors(call.tf, a, b), call.tf.clone(first as DeviceTensor)))
}

function remainder(tf: TensorFlow, a: DeviceTensor, b: DeviceTensor): DeviceTensor {
  const quotient = tf.div(a, b)
  const whole = tf.mul(tf.sign(quotient), tf.floor(tf.abs(quotient)))
  return tf.sub(a, tf.mul(whole, b))
}

function modulo(tf: TensorFlow, a: DeviceTensor, b: DeviceTensor): DeviceTensor {
  return tf.sub(a, tf.mul(tf.floor(tf.div(a, b)), b))
}

function operands(call: Call): DeviceTensor[] {
  return call.values().map((value) => value.toDevice(call.tf))
}

// The wasm backend broadcasts numbers and inner dims in these operators, but no outer ones.
function alike(call: Call, tensors: readonly DeviceTensor[]): DeviceTensor[] {
  const dims = broadcastDims(
    call,
    tensors.map(({ shape }) => ({ dims: shape })),
  )
  return tensors.map((tensor) =>
    tensor.size === 1 || tensor.shape.join() === dims.join() ? tensor : call.tf.broadcastTo(tensor, dims),
  )
}

// Filling takes a hundredth of the time that the cpu backend takes to tile a number.
function spread(call: Call, value: Value, dims: readonly number[]): DeviceTensor {
  const { tf } = call
  if (value.dims.join() === dims.join()) return value.toDevice(tf)
  if (!value.isOnHost || !value.isFloat || value.toHost().length !== 1)
    return tf.broadcastTo(value.toDevice(tf), [...dims])
  return tf.fill([...dims], value.toDevice(tf).dataSync()[0] as number)
}
