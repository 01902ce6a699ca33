// The task of networks that give numbers: prices, positions, images. As many labels as outputs, of any size.
import type { NotScorable } from '../data/not-scorable.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { elementCount, float32, int64 } from '../tensor/tensor.js'
import { type Candidate, labelsFor, labelsPerSample, misfit, possibleOutputs, valuesPerSample } from './candidate.js'
import { sumOf } from './evaluation.js'
import { compareNumbers, likenessOfNumbers } from './number-likeness.js'
import { notFiniteSamples, ownNumbers } from './numbers.js'
import { peakOf, psnr } from './peak.js'
import { lossValueOf } from './output-end.js'
import { squaredLoss, varianceOf } from './squared-loss.js'
import type { LossInput, LossInputs, LossOptions, MetricRule, Task } from './task.js'
import { mapWeighted, weightedMean } from './weighted.js'

export interface Numbers {
  output: ValueName
  /** Numbers per sample. */
  count: number
  /** Of the labels: squared errors are divided by it, so that learning rates fit numbers of any size. */
  variance: number
  /** The largest value of an image; undefined where the output is none. */
  peak?: number | undefined
}

/** Each number has an R2 of its own up to so many; of images all pixels have one. */
const MOST_APART = 1000

const mse: MetricRule = {
  key: 'mse',
  name: 'MSE',
  unit: '',
  better: 'lower',
  of: (tally) => sumOf(tally, 'squares') / sumOf(tally, 'numbers'),
}

/** 1 - squared error / squared distance of labels from their mean; the mean over the numbers of a sample that vary. */
const r2: MetricRule = {
  key: 'r2',
  name: 'R2',
  unit: '',
  better: 'higher',
  of: ({ sums: { counts = [], totals = [], totalSquares = [], errors = [] } }) => {
    const shares = Array.from(errors, (error, i) => {
      const [count, total] = [counts[i] as number, totals[i] as number]
      const spread = (totalSquares[i] as number) - total ** 2 / count
      return spread > 1e-12 * (totalSquares[i] as number) ? 1 - error / spread : NaN
    }).filter((share) => !Number.isNaN(share))
    return shares.reduce((sum, share) => sum + share, 0) / shares.length
  },
}

/** The task of a network that gives so many numbers. */
export function regression(numbers: Numbers, others: readonly ValueName[] = []): Task {
  const { output, count, variance, peak } = numbers
  const apart = count <= MOST_APART ? count : 1
  return {
    name: 'regression',
    about: `${count} number${count === 1 ? '' : 's'} per sample${peak === undefined ? '' : `, an image up to ${peak}`}`,
    outputs: [output],
    others,
    metrics: [r2, mse, ...(peak === undefined ? [] : [psnr((tally) => mse.of(tally), peak)])],
    likeness: likenessOfNumbers([{ output, peak }]),
    lossValues: (graph, shapes) => [lossValueOf(graph, shapes, output, [])],
    checkLabels: (labels, samples) => {
      const given = labelsFor(labels, output)
      if (given === undefined) return { sample: 0, problem: `no labels for "${output}"` }
      if (given.data.length !== samples * count)
        return { sample: 0, problem: `${labelsPerSample(given)} labels, expected ${count}, as the output has numbers` }
      const bad = given.data.findIndex((label) => !(Math.abs(label) <= LARGEST_LABEL))
      if (bad < 0) return undefined
      const problem = `label ${given.data[bad]}, expected at most ${LARGEST_LABEL}, whose square float32 holds: scale them`
      return { sample: Math.floor(bad / count), problem }
    },
    targetInputs: (samples) => [{ elementType: 'float32', dims: [samples, count] }],
    targets: (labels, samples) => [
      float32([samples, count], labelsFor(labels, output)?.data ?? new Float32Array(samples * count)),
    ],
    addLoss: (builder, values, options) => addLoss(builder, values, options, variance),
    undecided: notFiniteSamples,
    score: ([given], labels, samples) => {
      const values = given === undefined ? new Float64Array() : ownNumbers(given, samples)
      const expected = labelsFor(labels, output)?.data ?? new Float32Array()
      const table = (): Float64Array => new Float64Array(apart)
      const [counts, totals, totalSquares, errors] = [table(), table(), table(), table()]
      let squares = 0
      const add = (to: Float64Array, at: number, value: number): void => {
        to[at] = (to[at] as number) + value
      }
      values.forEach((value, i) => {
        const [label, at] = [expected[i] as number, apart === 1 ? 0 : i % count]
        const error = (value - label) ** 2
        squares += error
        add(counts, at, 1)
        add(totals, at, label)
        add(totalSquares, at, label ** 2)
        add(errors, at, error)
      })
      return { sums: { numbers: [values.length], squares: [squares], counts, totals, totalSquares, errors } }
    },
    compare: (expected, found, samples) => compareNumbers(expected, found, samples),
  }
}

/** Losses are sums of squares in float32, which ends at 3.4e38. */
const LARGEST_LABEL = 1e15

/** An output with as many numbers as there are labels. */
export function regressionOf(candidate: Candidate): Task | NotScorable {
  const { labels } = candidate
  const fits = possibleOutputs(candidate).filter((output) => {
    const given = labelsFor(labels, output.name)
    return given === undefined
      ? Object.keys(labels).length === 0 && candidate.named !== undefined
      : labelsPerSample(given) === valuesPerSample(output)
  })
  const [first, ...others] = fits
  if (first === undefined)
    return misfit(candidate, 'no numbers to compare labels with', 'as many labels as an output has numbers')
  const given = labelsFor(labels, first.name)
  return regression(
    {
      output: first.name,
      count: valuesPerSample(first),
      variance: given === undefined ? 1 : varianceOf(given.data),
      peak: peakOf(first.dims, given?.data),
    },
    others.map(({ name }) => name),
  )
}

function addLoss(
  b: GraphBuilder,
  { student, teachers, targets }: LossInputs,
  { distill }: LossOptions,
  variance: number,
): ValueName {
  const [own] = student as readonly [LossInput]
  const terms: ValueName[] = []
  if (targets !== undefined) {
    const labels = b.emit('Reshape', [targets[0] as ValueName, b.constant(int64(own.dims))])
    terms.push(squaredLoss(b, own.value, labels, (1 - distill) / variance / elementCount(own.dims)))
  }
  if (teachers !== undefined) {
    const mean = weightedMean(
      b,
      mapWeighted(teachers, ([values]) => (values as LossInput).value),
    )
    terms.push(squaredLoss(b, own.value, mean, distill / variance / elementCount(own.dims)))
  }
  return b.emit('Sum', terms)
}
