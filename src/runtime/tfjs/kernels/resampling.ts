// Kernels of resampling: along each axis, every output element is a sum of a few input elements by weights that depend
// on the sizes alone. So one matrix per axis does it, for all modes.
import { attribute } from '../../../onnx/attributes.js'
import type { Node } from '../../../onnx/model.js'
import { axisOf, type Call, type KernelTable, range } from '../call.js'
import { rearrange } from '../rearrange.js'

export const KERNELS: KernelTable = {
  Resize: {
    except: 'antialias, tf_crop_and_resize',
    limit: (node) => {
      if (attribute(node, 'antialias', 'int', 0) === 1) return 'antialias'
      return attribute(node, 'coordinate_transformation_mode', 'string', '') === 'tf_crop_and_resize'
        ? 'tf_crop_and_resize'
        : undefined
    },
    run: (call) => {
      const { tf } = call
      const { dims } = call.value(0)
      const axes = attribute(call.node, 'axes', 'ints', range(dims.length)).map((axis) =>
        axisOf(call, axis, dims.length),
      )
      const resized = axes.flatMap((axis, i) => {
        const line = lineOf(call, i, axes, dims)
        return line.length === line.input && line.scale === 1 ? [] : [{ axis, line }]
      })
      if (attribute(call.node, 'mode', 'string', 'nearest') === 'nearest')
        return rearrange(call, call.value(0), (x) =>
          resized.reduce(
            (y, { axis, line }) => tf.gather(y, tf.tensor1d(nearest(call.node, line), 'int32'), axis),
            tf.clone(x),
          ),
        )
      return call.result(
        resized.reduce(
          (y, { axis, line }) => {
            const order = range(y.rank)
              .with(axis, y.rank - 1)
              .with(y.rank - 1, axis)
            const last = tf.transpose(y, order)
            const matrix = tf.tensor2d(weights(call, line), [line.input, line.length])
            const rows = tf.matMul(tf.reshape(last, [-1, line.input]), matrix)
            return tf.transpose(tf.reshape(rows, last.shape.with(-1, line.length)), order)
          },
          tf.clone(call.float(0)),
        ),
      )
    },
  },
}

/** One axis. */
interface Line {
  input: number
  length: number
  scale: number
}

function lineOf(call: Call, i: number, axes: readonly number[], dims: readonly number[]): Line {
  const [scales, sizes] = [call.numbers(2) ?? [], call.numbers(3) ?? []]
  const input = dims[axes[i] as number] as number
  if (sizes.length === 0) {
    const scale = scales[i] ?? call.refuse('it has neither scales nor sizes')
    return { input, length: Math.floor(input * scale), scale }
  }
  const policy = attribute(call.node, 'keep_aspect_ratio_policy', 'string', 'stretch')
  const ratios = axes.map((axis, j) => (sizes[j] as number) / (dims[axis] as number))
  if (policy === 'stretch') return { input, length: sizes[i] as number, scale: ratios[i] as number }
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  return { input, length: Math.round(input * scale), scale }
}

// Where an output element lies among the input's. https://onnx.ai/onnx/operators/onnx__Resize.html
function source(node: Node, { input, length, scale }: Line, place: number): number {
  const mode = attribute(node, 'coordinate_transformation_mode', 'string', 'half_pixel')
  switch (mode) {
    case 'asymmetric':
      return place / scale
    case 'align_corners':
      return length === 1 ? 0 : (place * (input - 1)) / (length - 1)
    case 'pytorch_half_pixel':
      return length > 1 ? (place + 0.5) / scale - 0.5 : 0
    case 'half_pixel_symmetric': {
      const adjustment = length / (input * scale)
      return (input / 2) * (1 - adjustment) + (place + 0.5) / scale - 0.5
    }
    default:
      return (place + 0.5) / scale - 0.5
  }
}

function nearest(node: Node, line: Line): Int32Array {
  const mode = attribute(node, 'nearest_mode', 'string', 'round_prefer_floor')
  return Int32Array.from({ length: line.length }, (_, i) => {
    const place = source(node, line, i)
    const isHalf = place - Math.floor(place) === 0.5
    const rounded =
      mode === 'floor' || (mode === 'round_prefer_floor' && isHalf)
        ? Math.floor(place)
        : mode === 'ceil'
          ? Math.ceil(place)
          : Math.round(place)
    return Math.min(line.input - 1, Math.max(0, rounded))
  })
}

// [input, length]
function weights(call: Call, line: Line): Float32Array {
  const { node } = call
  const isCubic = attribute(node, 'mode', 'string', 'nearest') === 'cubic'
  const excludesOutside = attribute(node, 'exclude_outside', 'int', 0) === 1
  const sharpness = attribute(node, 'cubic_coeff_a', 'float', -0.75)
  const matrix = new Float32Array(line.input * line.length)
  for (let i = 0; i < line.length; i++) {
    const found = source(node, line, i)
    const place = isCubic ? found : Math.min(line.input - 1, Math.max(0, found))
    const first = Math.floor(place) - (isCubic ? 1 : 0)
    const taps = range(isCubic ? 4 : 2, first).map((tap) => {
      const isOutside = tap < 0 || tap >= line.input
      const weight = isCubic ? cubic(Math.abs(place - tap), sharpness) : 1 - Math.abs(place - tap)
      return { tap: Math.min(line.input - 1, Math.max(0, tap)), weight: isOutside && excludesOutside ? 0 : weight }
    })
    const sum = excludesOutside ? taps.reduce((total, { weight }) => total + weight, 0) : 1
    for (const { tap, weight } of taps) {
      const at = tap * line.length + i
      matrix[at] = (matrix[at] as number) + weight / sum
    }
  }
  return matrix
}

// Keys' kernel.
function cubic(distance: number, a: number): number {
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance ** 2 + 1
  if (distance < 2) return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
  return 0
}
