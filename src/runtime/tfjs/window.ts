// Where the windows of convolutions and pools lie.
import { attribute } from '../../onnx/attributes.js'
import type { Call } from './call.js'

type Dims = readonly number[]

/** One number per spatial axis in each. Window o begins at the input's element o * stride - begin. */
export interface Window {
  kernel: Dims
  strides: Dims
  dilations: Dims
  /** Elements from a window's first to its last. */
  reach: Dims
  begin: Dims
  /** Padding behind the input; less than what the last windows reach with ceil_mode. */
  end: Dims
  output: Dims
}

/**
 * The windows of a Conv or pool node, by the formulas of https://onnx.ai/onnx/operators/onnx__AveragePool.html
 * @param input spatial dims
 * @throws TtqError `unsupported` where the input is too small for a single one: TensorFlow.js may crash of empty
 * tensors
 */
export function windowOf(call: Call, kernel: Dims, input: Dims): Window {
  const { node } = call
  const ones = kernel.map(() => 1)
  const strides = orElse(attribute(node, 'strides', 'ints', []), ones)
  const dilations = orElse(attribute(node, 'dilations', 'ints', []), ones)
  const pads = orElse(
    attribute(node, 'pads', 'ints', []),
    [...kernel, ...kernel].map(() => 0),
  )
  const way = attribute(node, 'auto_pad', 'string', 'NOTSET') || 'NOTSET'
  const isCeiling = attribute(node, 'ceil_mode', 'int', 0) === 1
  const reach = kernel.map((size, axis) => (size - 1) * at(dilations, axis) + 1)
  const axes = input.map((size, axis) => {
    const [stride, width] = [at(strides, axis), at(reach, axis)]
    if (way === 'SAME_UPPER' || way === 'SAME_LOWER') {
      const output = Math.ceil(size / stride)
      const total = Math.max(0, (output - 1) * stride + width - size)
      const begin = way === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
      return { begin, end: total - begin, output }
    }
    const [begin, end] = way === 'VALID' ? [0, 0] : [at(pads, axis), at(pads, axis + kernel.length)]
    const steps = (size + begin + end - width) / stride
    if (!isCeiling) return { begin, end, output: Math.floor(steps) + 1 }
    // One more that begins behind the input would see padding alone.
    const last = Math.ceil(steps)
    return { begin, end, output: last * stride >= size + begin ? last : last + 1 }
  })
  if (axes.some(({ output }) => output < 1))
    call.refuse(`found an input of ${input.join('x')}, expected one that a window of ${reach.join('x')} fits into`)
  return {
    ...{ kernel, strides, dilations, reach },
    begin: axes.map(({ begin }) => begin),
    end: axes.map(({ end }) => end),
    output: axes.map(({ output }) => output),
  }
}

/** All places of a kernel: [0,0], [0,1], ... */
export function offsets(kernel: Dims): number[][] {
  return kernel.reduce<number[][]>(
    (found, size) => found.flatMap((start) => Array.from({ length: size }, (_, next) => [...start, next])),
    [[]],
  )
}

export function at(numbers: Dims, axis: number): number {
  return numbers[axis] as number
}

function orElse(found: Dims, fallback: Dims): Dims {
  return found.length > 0 ? found : fallback
}
