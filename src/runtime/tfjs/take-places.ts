// A part of a tensor: along each axis some places, each a step behind the one before.
import type { DeviceTensor, TensorFlow } from './tensorflow.js'

/** Along one axis. The step may be negative. */
export interface Places {
  start: number
  step: number
  count: number
}

/**
 * By slicing where the step is 1, and by gathering along each other axis, which is faster than a strided slice in every
 * backend: every other row and column of 64x16x32x32, 2.2 and 8.0 ms with TensorFlow, 54 and 79 in WebAssembly, 84 and
 * 287 in JavaScript (2 cores, busy).
 */
export function takePlaces(tf: TensorFlow, x: DeviceTensor, places: readonly Places[]): DeviceTensor {
  const whole = places.map(({ start, step, count }, axis) =>
    step === 1 ? { start, count } : { start: 0, count: x.shape[axis] as number },
  )
  const isAll = whole.every(({ start, count }, axis) => start === 0 && count === x.shape[axis])
  const sliced = isAll
    ? tf.clone(x)
    : tf.slice(
        x,
        whole.map(({ start }) => start),
        whole.map(({ count }) => count),
      )
  return places.reduce((part, { start, step, count }, axis) => {
    if (step === 1) return part
    const indices = Int32Array.from({ length: count }, (_, i) => start + i * step)
    return tf.gather(part, tf.tensor1d(indices, 'int32'), axis)
  }, sliced)
}
