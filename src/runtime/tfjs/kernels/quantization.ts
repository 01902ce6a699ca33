// Kernels between floats and quantized integers.
import { attribute } from '../../../onnx/attributes.js'
import { dataTypeOfOnnx } from '../../../tensor/data-type.js'
import { axisOf, type Call, type KernelTable } from '../call.js'
import type { DeviceTensor } from '../tensorflow.js'
import { integerArray, isIntegerType } from '../value.js'

const except = 'scales of blocks, types other than 8- and 16-bit integers'

export const KERNELS: KernelTable = {
  DequantizeLinear: {
    except,
    limit,
    run: (call) => {
      const { tf } = call
      const x = tf.cast(call.tensor(0), 'float32')
      const scale = along(call, 1, x.rank)
      return call.result(tf.mul(call.has(2) ? tf.sub(x, along(call, 2, x.rank)) : x, scale), call.value(1).type)
    },
  },
  QuantizeLinear: {
    except,
    limit,
    run: (call) => {
      const { tf, node } = call
      const x = call.float(0)
      const named = dataTypeOfOnnx(attribute(node, 'output_dtype', 'int', 0))
      const type = call.has(2) ? call.value(2).type : (named ?? 'uint8')
      const bounds = BOUNDS[type] ?? call.refuse(`it gives ${type}, expected integers of 8 or 16 bits`)
      const steps = tf.round(tf.div(x, along(call, 1, x.rank)))
      const shifted = call.has(2) ? tf.add(steps, along(call, 2, x.rank)) : steps
      const whole = tf.clipByValue(shifted, ...bounds).dataSync()
      return call.host({ type, dims: x.shape, data: integerArray(type, Array.from(whole, BigInt)) })
    },
  },
}

const BOUNDS: Readonly<Record<string, [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
}

function limit(node: Parameters<typeof attribute>[0]): string | undefined {
  return attribute(node, 'block_size', 'int', 0) === 0 ? undefined : 'scales of blocks'
}

// A number, or one per element of an axis.
function along(call: Call, index: number, rank: number): DeviceTensor {
  const { tf } = call
  const value = call.value(index)
  if (!value.isFloat && !isIntegerType(value.type)) call.refuse(`input ${index} is ${value.type}, expected integers`)
  const numbers = tf.cast(value.toDevice(tf), 'float32')
  if (numbers.rank === 0 || numbers.size === 1) return tf.reshape(numbers, [])
  const axis = axisOf(call, attribute(call.node, 'axis', 'int', 1), rank)
  return tf.reshape(numbers, [numbers.size, ...Array.from({ length: rank - 1 - axis }, () => 1)])
}
