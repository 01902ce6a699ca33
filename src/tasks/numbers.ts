// The numbers that a network gives, whatever they mean.
import type { FloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'

/** Of the first samples; what stands behind them filled up the batch. */
export function ownNumbers(output: Tensor, samples: number): Float32Array | Float64Array {
  const length = samples * elementCount(output.dims.slice(1))
  const { data, type } = output as Tensor<FloatType>
  return numbersOf({ type, dims: [length], data: data.subarray(0, length) })
}

/** The samples with numbers that are not finite. */
export function notFiniteSamples(outputs: readonly Tensor[], samples: number): number[] {
  const found = new Set<number>()
  for (const output of outputs) {
    const size = elementCount(output.dims.slice(1))
    ownNumbers(output, samples).forEach((value, at) => {
      if (!Number.isFinite(value)) found.add(Math.floor(at / size))
    })
  }
  return [...found].sort((a, b) => a - b)
}
