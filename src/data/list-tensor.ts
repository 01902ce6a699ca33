// Lists of numbers (or, of labels, texts) as a tensor.
import type { Tensor } from '../tensor/tensor.js'

const [LEAST, MOST] = [-(2 ** 31), 2 ** 31 - 1] as const

/**
 * int32 where all are whole numbers that it holds, texts where one is a text, else float64. @param dims default: one
 */
export function listTensor(values: readonly (number | string)[], dims: readonly number[] = [values.length]): Tensor {
  if (values.some((value) => typeof value === 'string')) return { type: 'string', dims, data: values.map(String) }
  const numbers = values as readonly number[]
  return numbers.every((value) => Number.isInteger(value) && value >= LEAST && value <= MOST)
    ? { type: 'int32', dims, data: Int32Array.from(numbers) }
    : { type: 'float64', dims, data: Float64Array.from(numbers) }
}
