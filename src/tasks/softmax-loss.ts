// The loss of class scores: cross-entropy with targets, divergence from teachers' scores, or both.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { float32 } from '../tensor/tensor.js'
import type { LossInput, LossOptions } from './task.js'
import { mapWeighted, type Weighted, weightedMean } from './weighted.js'

/** Probabilities below this count as much. */
const LEAST = 1e-30

interface ScoreValues {
  student: ValueName
  teachers: readonly Weighted<ValueName>[] | undefined
  /** Rows that sum to 1 (or 0, where nothing is known), in the shape of the scores. */
  targets: ValueName | undefined
  /** Axis along which the classes lie. */
  axis: number
  /** How many rows there are, and how many of them have targets, where that is another number. */
  rows: number
  targetRows?: ValueName | undefined
}

/** Scores of which a softmax makes what the network gives. */
export function asScores(b: GraphBuilder, { value, isProbabilities }: LossInput): ValueName {
  return isProbabilities ? logOf(b, value) : value
}

function logOf(b: GraphBuilder, probabilities: ValueName): ValueName {
  return b.emit('Log', [b.emit('Max', [probabilities, b.constant(float32([], [LEAST]))])])
}

/**
 * (1 - d) * CE(targets, student) + d * T^2 * KL(softmax(teacher / T) || softmax(student / T)), means over rows (Hinton
 * et al. 2015, arXiv 1503.02531, section 2). Of several teachers, softmax(teacher / T) is the mean.
 */
export function softmaxLoss(
  b: GraphBuilder,
  { student, teachers, targets, axis, rows, targetRows }: ScoreValues,
  { distill, temperature }: Pick<LossOptions, 'distill' | 'temperature'>,
): ValueName {
  const logSoftmax = (value: ValueName, name: string): ValueName => b.emit('LogSoftmax', [value], { axis }, name)
  const times = (value: ValueName, factor: number): ValueName =>
    b.emit('Mul', [value, b.constant(float32([], [factor]))])
  const terms: ValueName[] = []
  if (targets !== undefined) {
    const logProbabilities = logSoftmax(student, 'ttq:log_probabilities')
    const sum = b.emit('ReduceSum', [b.emit('Mul', [targets, logProbabilities])], { keepdims: 0 })
    terms.push(
      targetRows === undefined
        ? times(sum, -(1 - distill) / rows)
        : b.emit('Div', [times(sum, -(1 - distill)), targetRows]),
    )
  }
  if (teachers !== undefined) {
    const cool = b.constant(float32([], [1 / temperature]))
    const cooled = mapWeighted(teachers, (scores) => b.emit('Mul', [scores, cool]))
    const expected =
      cooled.length === 1
        ? logSoftmax((cooled[0] as Weighted<ValueName>).of, 'ttq:teacher_log_probabilities')
        : logOf(
            b,
            weightedMean(
              b,
              mapWeighted(cooled, (scores) => b.emit('Softmax', [scores], { axis })),
            ),
          )
    const actual = logSoftmax(b.emit('Mul', [student, cool]), 'ttq:cool_log_probabilities')
    const divergence = b.emit('Mul', [b.emit('Exp', [expected]), b.emit('Sub', [expected, actual])])
    const sum = b.emit('ReduceSum', [divergence], { keepdims: 0 })
    terms.push(times(sum, (distill * temperature ** 2) / rows))
  }
  return b.emit('Sum', terms)
}
