// The loss of answers yes or no: binary cross-entropy with labels, divergence from teachers' answers, or both.
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { elementCount, float32, int64 } from '../tensor/tensor.js'
import type { LossInput, LossOptions } from './task.js'
import { mapWeighted, type Weighted, weightedMean } from './weighted.js'

interface AnswerValues {
  student: LossInput
  teachers: readonly Weighted<LossInput>[] | undefined
  /** 0..1, and which of them count (1, else 0), of as many elements as the scores. */
  answers?: ValueName | undefined
  counted?: ValueName | undefined
}

/** Nearest probability to 0 and 1 that counts. */
const LEAST = 1e-7

/**
 * (1 - d) * BCE(labels, student) + d * T^2 * KL(sigmoid(teacher / T) || sigmoid(student / T)), means over answers; BCE
 * of a logit z and a label y is softplus(z) - y z. Of several teachers, sigmoid(teacher / T) is the mean.
 */
export function sigmoidLoss(
  b: GraphBuilder,
  { student, teachers, answers, counted }: AnswerValues,
  { distill, temperature }: Pick<LossOptions, 'distill' | 'temperature'>,
): ValueName {
  const number = (value: number): ValueName => b.constant(float32([], [value]))
  const own = asLogits(b, student)
  const terms: ValueName[] = []
  const crossEntropy = (logits: ValueName, share: ValueName): ValueName =>
    b.emit('Sub', [b.emit('Softplus', [logits]), b.emit('Mul', [share, logits])])
  if (answers !== undefined && counted !== undefined) {
    const dims = b.constant(int64(student.dims))
    const [labels, mask] = [b.emit('Reshape', [answers, dims]), b.emit('Reshape', [counted, dims])]
    const sum = b.emit('ReduceSum', [b.emit('Mul', [mask, crossEntropy(own, labels)])], { keepdims: 0 })
    // At least one: a batch may have no label that counts.
    const count = b.emit('Max', [b.emit('ReduceSum', [mask], { keepdims: 0 }), number(1)])
    terms.push(b.emit('Div', [b.emit('Mul', [sum, number(1 - distill)]), count]))
  }
  if (teachers !== undefined) {
    const cool = number(1 / temperature)
    const cooled = mapWeighted(teachers, (teacher) => b.emit('Mul', [asLogits(b, teacher), cool]))
    const share = weightedMean(
      b,
      mapWeighted(cooled, (logits) => b.emit('Sigmoid', [logits])),
    )
    const expected = cooled.length === 1 ? (cooled[0] as Weighted<ValueName>).of : logitsOf(b, share)
    const divergence = b.emit('Sub', [crossEntropy(b.emit('Mul', [own, cool]), share), crossEntropy(expected, share)])
    const sum = b.emit('ReduceSum', [divergence], { keepdims: 0 })
    terms.push(b.emit('Mul', [sum, number((distill * temperature ** 2) / elementCount(student.dims))]))
  }
  return b.emit('Sum', terms)
}

function asLogits(b: GraphBuilder, { value, isProbabilities }: LossInput): ValueName {
  return isProbabilities ? logitsOf(b, value) : value
}

function logitsOf(b: GraphBuilder, probabilities: ValueName): ValueName {
  const number = (each: number): ValueName => b.constant(float32([], [each]))
  const p = b.emit('Min', [b.emit('Max', [probabilities, number(LEAST)]), number(1 - LEAST)])
  return b.emit('Sub', [b.emit('Log', [p]), b.emit('Log', [b.emit('Sub', [number(1), p])])])
}
