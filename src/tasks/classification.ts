// The task of a classifier: one class per sample. The only place that knows labels, top-1 and class scores.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { TtqError } from '../errors/ttq-error.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { float32, int64 } from '../tensor/tensor.js'
import { ClassScores, findClassScores } from './class-scores.js'
import type { Evaluation, LossOptions, LossValues, Scored, Task } from './task.js'

export function classification(classes: number): Task {
  return {
    name: 'classification',
    findOutputs: (graph, observed, batch) => findClassScores(graph, observed, batch, classes),
    targetInput: (batch) => ({ elementType: 'float32', dims: [batch, classes] }),
    targets: ({ labels }, samples, options) => {
      const rows = new Float32Array(samples * classes)
      if (!options.unlabelled) fillRows(rows, labels, classes, options.labelSmoothing)
      return float32([samples, classes], rows)
    },
    addLoss: (builder, values, options) => addLoss(builder, values, options, classes),
    score: (output, { labels }, samples) => score(new ClassScores(output, samples), labels),
    evaluation,
    agreement,
    drop: (original, changed) =>
      original.score === null || changed.score === null
        ? 100 - agreement(changed, original)
        : original.score - changed.score,
    divergence: (expected, actual, samples) =>
      meanDivergence(new ClassScores(expected, samples), new ClassScores(actual, samples)),
    // Within the noise of a few hundred test samples around guessing.
    isAtChance: ({ score }) => score !== null && score < (100 / classes) * 1.5,
  }
}

// One row per sample: its class, smoothed (Szegedy et al. 2016, arXiv 1512.00567, section 7).
function fillRows(rows: Float32Array, labels: Int32Array, classes: number, smoothing: number): void {
  if (labels.length === 0)
    throw new TtqError(
      'data',
      'dataset: a training batch has no labels, expected one class per sample as in the first batch',
    )
  rows.fill(smoothing / classes)
  labels.forEach((label, i) => {
    rows[i * classes + label] = 1 - smoothing + smoothing / classes
  })
}

// (1 - d) * CE(labels, student) + d * T^2 * KL(softmax(teacher / T) || softmax(student / T))   (Hinton et al. 2015,
// arXiv 1503.02531, section 2). Rows of labels sum to 1.
function addLoss(
  b: GraphBuilder,
  { student, teacher, targets }: LossValues,
  { batch, distill, temperature }: LossOptions,
  classes: number,
): ValueName {
  const scores = (logits: ValueName): ValueName =>
    b.emit('Reshape', [logits, b.constant(int64([batch, classes]))], {}, 'ttq:scores')
  const logSoftmax = (value: ValueName, name: string): ValueName => b.emit('LogSoftmax', [value], { axis: -1 }, name)
  const studentScores = scores(student)
  const terms: ValueName[] = []
  if (distill < 1) {
    const logProbabilities = logSoftmax(studentScores, 'ttq:log_probabilities')
    const sum = b.emit('ReduceSum', [b.emit('Mul', [targets, logProbabilities])], { keepdims: 0 })
    terms.push(b.emit('Mul', [sum, b.constant(float32([], [-(1 - distill) / batch]))]))
  }
  if (teacher !== undefined) {
    const cool = b.constant(float32([], [1 / temperature]))
    const expected = logSoftmax(b.emit('Mul', [scores(teacher), cool]), 'ttq:teacher_log_probabilities')
    const actual = logSoftmax(b.emit('Mul', [studentScores, cool]), 'ttq:cool_log_probabilities')
    const divergence = b.emit('Mul', [b.emit('Exp', [expected]), b.emit('Sub', [expected, actual])])
    const sum = b.emit('ReduceSum', [divergence], { keepdims: 0 })
    terms.push(b.emit('Mul', [sum, b.constant(float32([], [(distill * temperature ** 2) / batch]))]))
  }
  return b.emit('Sum', terms)
}

function score(scores: ClassScores, labels: Int32Array): Scored {
  const decisions = Array.from({ length: scores.samples }, (_, sample) => scores.decision(sample))
  const own = labels.subarray(0, scores.samples)
  return {
    decisions,
    labelled: own.length,
    correct: decisions.filter((decision, sample) => decision === own[sample]).length,
    lossSum: own.reduce((sum, label, sample) => sum - (scores.logProbabilities(sample)[label] as number), 0),
    notFinite: decisions.flatMap((decision, sample) => (decision < 0 ? [sample] : [])),
    bytes: scores.bytes,
  }
}

function evaluation(parts: readonly Scored[]): Evaluation {
  const total = (count: (part: Scored) => number): number => parts.reduce((sum, part) => sum + count(part), 0)
  const decisions = Int32Array.from(parts.flatMap((part) => part.decisions))
  const samples = decisions.length
  const perSample = (sum: number): number | null =>
    total(({ labelled }) => labelled) === samples ? sum / samples : null
  const digest = parts.reduce((hash, part) => hash.update(part.bytes), sha256.create()).digest()
  let start = 0
  const notFinite = parts.flatMap((part) => {
    const found = part.notFinite.map((sample) => start + sample)
    start += part.decisions.length
    return found
  })
  return {
    score: perSample(100 * total(({ correct }) => correct)),
    loss: perSample(total(({ lossSum }) => lossSum)),
    samples,
    decisions,
    notFinite,
    digest: bytesToHex(digest),
  }
}

// Percent of samples, the same ones in the same order, on which two networks decide for the same class.
function agreement(a: Pick<Evaluation, 'decisions'>, b: Pick<Evaluation, 'decisions'>): number {
  const same = a.decisions.reduce(
    (count, decision, i) => count + (decision >= 0 && decision === b.decisions[i] ? 1 : 0),
    0,
  )
  return (100 * same) / a.decisions.length
}

// Of the class probabilities, in nats; infinite where the second network's are no probabilities.
function meanDivergence(expected: ClassScores, actual: ClassScores): number {
  let sum = 0
  for (let sample = 0; sample < expected.samples; sample++) {
    if (actual.decision(sample) < 0) return Infinity
    const [p, q] = [expected.logProbabilities(sample), actual.logProbabilities(sample)]
    // What has no probability adds nothing, whatever the other says of it.
    p.forEach((log, c) => {
      if (log > -Infinity) sum += Math.exp(log) * (log - (q[c] as number))
    })
  }
  return sum / expected.samples
}
