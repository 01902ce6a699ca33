// The tasks of networks that answer yes or no: one question per sample (binary) or several (multi-label), of images
// also one per pixel. Scores are logits or probabilities.
import type { NotScorable } from '../data/not-scorable.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { Graph, ValueName } from '../onnx/model.js'
import type { FloatType } from '../tensor/data-type.js'
import { numbersOf } from '../tensor/float-values.js'
import { float32, type Tensor } from '../tensor/tensor.js'
import { ANSWERS, IGNORED, isAnswer, shownAnswer, unsureAnswers } from './answers.js'
import {
  type Candidate,
  type CandidateOutput,
  labelsFor,
  labelsPerSample,
  misfit,
  possibleOutputs,
  valuesPerSample,
} from './candidate.js'
import { sumOf } from './evaluation.js'
import { notFiniteSamples, ownNumbers } from './numbers.js'
import { endOf, lossValueOf, SIGMOID } from './output-end.js'
import { sigmoidLoss } from './sigmoid-loss.js'
import type { LossInput, LossInputs, LossOptions, MetricRule, Tally, Task } from './task.js'
import { mapWeighted } from './weighted.js'

export interface Questions {
  output: ValueName
  /** Answers per sample. */
  count: number
  /** Whether the output holds probabilities and not logits. */
  isProbabilities: boolean
}

/** AUC keeps all scores; of maps with more answers per sample there are too many. */
const MOST_RANKED = 1000

const accuracy: MetricRule = {
  key: 'accuracy',
  name: 'accuracy',
  unit: '%',
  better: 'higher',
  of: (tally) =>
    (100 * (sumOf(tally, 'answers') - sumOf(tally, 'falseYes') - sumOf(tally, 'falseNo'))) / sumOf(tally, 'answers'),
}

/** Of all answers together (micro): 2 TP / (2 TP + FP + FN). Without a yes in labels or answers nothing is wrong. */
const f1: MetricRule = {
  key: 'f1',
  name: 'F1',
  unit: '%',
  better: 'higher',
  of: (tally) => {
    const [right, wrong] = [2 * sumOf(tally, 'trueYes'), sumOf(tally, 'falseYes') + sumOf(tally, 'falseNo')]
    return right + wrong === 0 ? 100 : (100 * right) / (right + wrong)
  },
}

const crossEntropy: MetricRule = {
  key: 'crossEntropy',
  name: 'binary cross-entropy',
  unit: 'nats',
  better: 'lower',
  of: (tally) => sumOf(tally, 'loss') / sumOf(tally, 'answers'),
}

/** Mean over the questions that have both answers. */
function auc(count: number): MetricRule {
  return {
    key: 'auc',
    name: 'AUC',
    unit: '',
    better: 'higher',
    of: ({ lists }) => {
      const { scores = new Float32Array(), labels = new Float32Array() } = lists ?? {}
      const found = Array.from({ length: count }, (_, question) => areaOf(scores, labels, count, question)).filter(
        (area) => !Number.isNaN(area),
      )
      return found.reduce((sum, area) => sum + area, 0) / found.length
    },
  }
}

/** The task of a network that answers so many questions. */
export function multilabel(questions: Questions, others: readonly ValueName[] = []): Task {
  const { output, count } = questions
  const isRanked = count <= MOST_RANKED
  const logitsOf = ([given]: readonly Tensor[], samples: number): Float64Array =>
    toLogits(ownNumbers(given as Tensor, samples), questions.isProbabilities)
  return {
    name: count === 1 ? 'binary' : 'multilabel',
    about:
      `${count === 1 ? 'one answer' : `${count} answers`} per sample, ` +
      (questions.isProbabilities ? 'probabilities' : 'logits'),
    outputs: [output],
    others,
    metrics: [f1, accuracy, ...(isRanked ? [auc(count)] : []), crossEntropy],
    likeness: [
      {
        key: 'agreement',
        name: 'agreement',
        unit: '%',
        better: 'higher',
        of: (tally) => (100 * sumOf(tally, 'agreeing')) / sumOf(tally, 'answers'),
      },
      {
        key: 'divergence',
        name: 'divergence',
        unit: 'nats',
        better: 'lower',
        of: (tally) => sumOf(tally, 'divergence') / sumOf(tally, 'answers'),
      },
    ],
    lossValues: (graph, shapes) => [
      {
        ...lossValueOf(graph, shapes, output, SIGMOID),
        ...(ends(graph, output) ? {} : { isProbabilities: questions.isProbabilities }),
      },
    ],
    checkLabels: (labels, samples) => {
      const given = labelsFor(labels, output)
      if (given === undefined) return { sample: 0, problem: `no labels for "${output}"` }
      if (given.data.length !== samples * count)
        return { sample: 0, problem: `${labelsPerSample(given)} labels, expected ${count}, one per answer` }
      const bad = given.data.findIndex((label) => !isAnswer(label))
      if (bad < 0) return undefined
      return {
        sample: Math.floor(bad / count),
        problem: `label ${shownAnswer(given.data[bad])} at ${bad % count}, expected ${ANSWERS}`,
      }
    },
    targetInputs: (samples) => Array.from({ length: 2 }, () => ({ elementType: 'float32', dims: [samples, count] })),
    // The answers, and which of them count.
    targets: (labels, samples) => {
      const given = labelsFor(labels, output)?.data ?? new Float32Array(samples * count)
      return [
        float32(
          [samples, count],
          given.map((label) => (IGNORED.includes(label) ? 0 : label)),
        ),
        float32(
          [samples, count],
          given.map((label) => (IGNORED.includes(label) ? 0 : 1)),
        ),
      ]
    },
    addLoss: (builder, values, options) => addLoss(builder, values, options),
    undecided: notFiniteSamples,
    score: (outputs, labels, samples) =>
      countAnswers(logitsOf(outputs, samples), labelsFor(labels, output)?.data ?? new Float32Array(), isRanked),
    compare: (expected, found, samples) => {
      const [before, after] = [logitsOf(expected, samples), logitsOf(found, samples)]
      let [agreeing, divergence] = [0, 0]
      before.forEach((logit, i) => {
        const other = after[i] as number
        if (logit > 0 === other > 0 && !Number.isNaN(other)) agreeing++
        divergence += Number.isNaN(other) ? Infinity : binaryDivergence(logit, other)
      })
      return { sums: { answers: [samples * count], agreeing: [agreeing], divergence: [divergence] } }
    },
  }
}

/** One score per sample with labels 0 and 1. */
export function binaryOf(candidate: Candidate): Task | NotScorable {
  return questionsOf(candidate, 'one label 0 or 1 per sample, and one score for it', (count) => count === 1)
}

/** As many labels 0 and 1 as scores. */
export function multilabelOf(candidate: Candidate): Task | NotScorable {
  return questionsOf(candidate, 'as many labels 0 and 1 as the output has scores', () => true)
}

function questionsOf(candidate: Candidate, expected: string, accepts: (count: number) => boolean): Task | NotScorable {
  const { graph, labels } = candidate
  const fits = possibleOutputs(candidate).filter((output) => {
    const given = labelsFor(labels, output.name)
    const count = valuesPerSample(output)
    if (!accepts(count)) return false
    if (given === undefined) return Object.keys(labels).length === 0 && candidate.named !== undefined
    return labelsPerSample(given) === count && given.data.every(isAnswer)
  })
  const [first, ...others] = fits
  if (first === undefined) return unsureAnswers(candidate) ?? misfit(candidate, 'no scores for yes and no', expected)
  const isProbabilities = holdsProbabilities(graph, first)
  return multilabel(
    { output: first.name, count: valuesPerSample(first), isProbabilities },
    others.map(({ name }) => name),
  )
}

/** What gives numbers of any size. */
const LINEAR = new Set(['Gemm', 'MatMul', 'Conv', 'ConvTranspose', 'Add', 'Sub', 'BatchNormalization'])

// A sigmoid makes probabilities; what no linear operator made, and lies between 0 and 1, is taken for some.
function holdsProbabilities(graph: Graph, { name, tensor }: CandidateOutput): boolean {
  if (ends(graph, name)) return true
  const end = endOf(graph, name)
  if (end === undefined || LINEAR.has(end.opType) || tensor === undefined) return false
  return numbersOf(tensor as Tensor<FloatType>).every((value) => value >= 0 && value <= 1)
}

function ends(graph: Graph, output: ValueName): boolean {
  return SIGMOID.some((operator) => operator === endOf(graph, output)?.opType)
}

/** Nearest probability to 0 and 1 that counts. */
const LEAST = 1e-7

function toLogits(values: Float32Array | Float64Array, isProbabilities: boolean): Float64Array {
  return Float64Array.from(values, (value) => {
    if (!isProbabilities) return value
    const p = Math.min(1 - LEAST, Math.max(LEAST, value))
    return Math.log(p / (1 - p))
  })
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

function binaryDivergence(expected: number, found: number): number {
  const p = 1 / (1 + Math.exp(-expected))
  return softplus(found) - p * found - (softplus(expected) - p * expected)
}

function countAnswers(logits: Float64Array, labels: Float32Array, isRanked: boolean): Tally {
  let [answers, trueYes, falseYes, falseNo, loss] = [0, 0, 0, 0, 0]
  logits.forEach((logit, i) => {
    const label = labels[i] as number
    if (IGNORED.includes(label)) return
    answers++
    const [yes, truly] = [logit > 0, label > 0.5]
    if (yes && truly) trueYes++
    else if (yes) falseYes++
    else if (truly || Number.isNaN(logit)) falseNo++
    loss += softplus(logit) - label * logit
  })
  return {
    sums: { answers: [answers], trueYes: [trueYes], falseYes: [falseYes], falseNo: [falseNo], loss: [loss] },
    ...(isRanked && { lists: { scores: Float32Array.from(logits), labels } }),
  }
}

// The probability that a yes stands above a no, one half where they are equal (Mann and Whitney 1947); NaN where there
// is only one of them.
function areaOf(scores: Float32Array, labels: Float32Array, count: number, question: number): number {
  const places: number[] = []
  for (let at = question; at < scores.length; at += count) if (!IGNORED.includes(labels[at] as number)) places.push(at)
  places.sort((a, b) => (scores[a] as number) - (scores[b] as number))
  let [yes, ranks] = [0, 0]
  for (let first = 0, end = 0; first < places.length; first = end) {
    const score = scores[places[first] as number]
    while (end < places.length && scores[places[end] as number] === score) end++
    // Equal scores share the mean of their ranks. NaN is equal to nothing.
    if (end === first) end++
    for (let i = first; i < end; i++) {
      if (!((labels[places[i] as number] as number) > 0.5)) continue
      yes++
      ranks += (first + 1 + end) / 2
    }
  }
  const no = places.length - yes
  return yes === 0 || no === 0 ? NaN : (ranks - (yes * (yes + 1)) / 2) / (yes * no)
}

function addLoss(b: GraphBuilder, { student, teachers, targets }: LossInputs, options: LossOptions): ValueName {
  return sigmoidLoss(
    b,
    {
      student: student[0] as LossInput,
      teachers: teachers && mapWeighted(teachers, ([values]) => values as LossInput),
      answers: targets?.[0],
      counted: targets?.[1],
    },
    options,
  )
}
