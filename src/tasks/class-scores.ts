// The scores of classes as a network gives them: one row of scores per sample, or per place of each sample.
import type { FloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'

/** Where an output's classes are. */
export interface ClassForm {
  /** Axis along which the classes' scores lie. */
  readonly axis: number
  readonly classes: number
  /** Whether they are probabilities, a softmax being behind the scores. */
  readonly isProbabilities: boolean
}

/** Below the smallest probability that float32 holds in full. */
const TINY = 1e-38

export class ClassScores {
  readonly classes: number
  /** Samples times places. */
  readonly rows: number
  private readonly values: Float32Array | Float64Array
  /** Values from one class to the next. */
  private readonly stride: number
  private readonly isProbabilities: boolean

  /** @param output [samples, ...], which may go on behind the samples: what filled up the batch */
  constructor(output: Tensor, samples: number, { axis, classes, isProbabilities }: ClassForm) {
    this.classes = classes
    this.isProbabilities = isProbabilities
    this.stride = elementCount(output.dims.slice(axis + 1))
    const length = samples * elementCount(output.dims.slice(1))
    this.rows = length / classes
    const { data, type } = output as Tensor<FloatType>
    this.values = numbersOf({ type, dims: [length], data: data.subarray(0, length) })
  }

  /** The class with the highest score, the first of equal ones; -1 where the scores decide nothing: some are NaN or
   * infinite upwards, or none is finite. (A score of -Infinity is a class that is ruled out.)
   */
  decision(row: number): number {
    let best = -1
    let highest = -Infinity
    for (let i = 0, at = this.start(row); i < this.classes; i++, at += this.stride) {
      const score = this.values[at] as number
      if (Number.isNaN(score) || score === Infinity) return -1
      if (score > highest) [best, highest] = [i, score]
    }
    return best
  }

  /** How many classes stand before this one. */
  rank(row: number, label: number): number {
    const first = this.start(row)
    const own = this.values[first + label * this.stride] as number
    let before = 0
    for (let i = 0, at = first; i < this.classes; i++, at += this.stride) {
      const score = this.values[at] as number
      if (score > own || (score === own && i < label)) before++
    }
    return before
  }

  /** Logarithms of the softmax. The largest score is taken off first, so that no exponential overflows. */
  logProbabilities(row: number): Float64Array {
    const logs = new Float64Array(this.classes)
    let largest = -Infinity
    for (let i = 0, at = this.start(row); i < this.classes; i++, at += this.stride) {
      const score = this.values[at] as number
      const log = this.isProbabilities ? Math.log(Math.max(score, TINY)) : score
      logs[i] = log
      largest = Math.max(largest, log)
    }
    let sum = 0
    for (const log of logs) sum += Math.exp(log - largest)
    const logSum = largest + Math.log(sum)
    return logs.map((log) => log - logSum)
  }

  private start(row: number): number {
    const { stride, classes } = this
    return Math.floor(row / stride) * classes * stride + (row % stride)
  }
}

/** Sums over the rows: how many decide for the same class, and the Kullback-Leibler divergence, nats. */
export function compareScores(expected: ClassScores, found: ClassScores): { agreeing: number; divergence: number } {
  let [agreeing, divergence] = [0, 0]
  for (let row = 0; row < expected.rows; row++) {
    const decision = found.decision(row)
    // What decides nothing agrees with nothing, and is infinitely far away.
    if (decision < 0) {
      divergence = Infinity
      continue
    }
    if (decision === expected.decision(row)) agreeing++
    divergence += divergenceOf(expected.logProbabilities(row), found.logProbabilities(row))
  }
  return { agreeing, divergence }
}

/** Kullback-Leibler divergence of `found` from `expected`, nats, both as logarithms of probabilities. */
export function divergenceOf(expected: Float64Array, found: Float64Array): number {
  let sum = 0
  // What has no probability adds nothing, whatever the other says of it.
  expected.forEach((log, c) => {
    if (log > -Infinity) sum += Math.exp(log) * (log - (found[c] as number))
  })
  return sum
}
