// The tasks of networks that give one class for each place of a sample: segmentation (of images, of sequences) and
// language models (the next token at each place). They differ in what they are measured by.
import type { NotScorable } from '../data/not-scorable.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { attribute } from '../onnx/attributes.js'
import { elementCount, float32, int64, type Tensor } from '../tensor/tensor.js'
import {
  type Candidate,
  type CandidateOutput,
  labelsFor,
  labelsPerSample,
  misfit,
  possibleOutputs,
} from './candidate.js'
import { type ClassForm, ClassScores, compareScores } from './class-scores.js'
import { sumOf } from './evaluation.js'
import { endOf, isProbabilities, lossValueOf, SOFTMAX } from './output-end.js'
import { asScores, softmaxLoss } from './softmax-loss.js'
import type { LossInput, LossInputs, LossOptions, MetricRule, Task } from './task.js'
import { mapWeighted } from './weighted.js'

/** An output with one row of scores per place. */
export interface DenseForm extends ClassForm {
  output: ValueName
  /** Places of a sample. */
  places: number
}

/** Labels of places that do not count: PASCAL VOC's border, and what PyTorch's cross-entropy leaves out. */
const IGNORED: readonly number[] = [255, -100]

const crossEntropy: MetricRule = {
  key: 'crossEntropy',
  name: 'cross-entropy',
  unit: 'nats',
  better: 'lower',
  of: (tally) => sumOf(tally, 'loss') / sumOf(tally, 'places'),
}

const accuracy = (key: string, name: string): MetricRule => ({
  key,
  name,
  unit: '%',
  better: 'higher',
  of: (tally) => (100 * sumOf(tally, 'right')) / sumOf(tally, 'places'),
})

/** Over the classes that labels or decisions have: of the places of both, the share of those of each. */
const meanIoU: MetricRule = {
  key: 'mIoU',
  name: 'mIoU',
  unit: '%',
  better: 'higher',
  of: ({ sums: { both = [], labelled = [], decided = [] } }) => {
    const shares = Array.from(both, (common, c) => common / ((labelled[c] ?? 0) + (decided[c] ?? 0) - common)).filter(
      (share) => !Number.isNaN(share),
    )
    return (100 * shares.reduce((sum, share) => sum + share, 0)) / shares.length
  },
}

const perplexity: MetricRule = {
  key: 'perplexity',
  name: 'perplexity',
  unit: '',
  better: 'lower',
  of: (tally) => Math.exp(crossEntropy.of(tally)),
}

/** Of images by classes, or of sequences. */
export function segmentation(form: DenseForm, others: readonly ValueName[] = []): Task {
  return dense('segmentation', [meanIoU, accuracy('pixelAccuracy', 'pixel accuracy'), crossEntropy], form, others)
}

/** Labels are the tokens that the network should give, place by place. */
export function language(form: DenseForm, others: readonly ValueName[] = []): Task {
  return dense('language', [perplexity, accuracy('tokenAccuracy', 'token accuracy'), crossEntropy], form, others)
}

/** [N,C,H,W], [N,H,W,C], [N,C,T] and so on, with a class for each place. */
export function segmentationOf(candidate: Candidate): Task | NotScorable {
  return denseOf(candidate, segmentation, 'front')
}

/** [N,T,C] with a token for each place. */
export function languageOf(candidate: Candidate): Task | NotScorable {
  const task = denseOf(candidate, language, 'behind')
  if (!('outputs' in task)) return task
  const output = candidate.outputs.find(({ name }) => name === task.outputs[0])
  return output?.dims.length === 3
    ? task
    : misfit(candidate, 'no scores of tokens', 'one token per place, and an output of shape [N,T,tokens]')
}

function dense(
  name: 'segmentation' | 'language',
  metrics: readonly MetricRule[],
  form: DenseForm,
  others: readonly ValueName[],
): Task {
  const { output, classes, places } = form
  const isIgnored = (label: number): boolean => IGNORED.includes(label) && !(label >= 0 && label < classes)
  const scoresOf = ([scores]: readonly Tensor[], samples: number): ClassScores =>
    new ClassScores(scores as Tensor, samples, form)
  return {
    name,
    about: `${classes} classes at ${places} places`,
    outputs: [output],
    others,
    metrics,
    likeness: [
      {
        key: 'agreement',
        name: 'agreement',
        unit: '%',
        better: 'higher',
        of: (tally) => (100 * sumOf(tally, 'agreeing')) / sumOf(tally, 'places'),
      },
      {
        key: 'divergence',
        name: 'divergence',
        unit: 'nats',
        better: 'lower',
        of: (tally) => sumOf(tally, 'divergence') / sumOf(tally, 'places'),
      },
    ],
    lossValues: (graph, shapes) => [lossValueOf(graph, shapes, output, SOFTMAX, form.axis)],
    checkLabels: (labels, samples) => {
      const given = labelsFor(labels, output)
      if (given === undefined) return { sample: 0, problem: `no labels for "${output}"` }
      if (given.data.length !== samples * places)
        return { sample: 0, problem: `${labelsPerSample(given)} labels, expected ${places}, one class per place` }
      const bad = given.data.findIndex(
        (label) => !(Number.isInteger(label) && label >= 0 && label < classes) && !isIgnored(label),
      )
      if (bad < 0) return undefined
      const ignored = IGNORED.filter(isIgnored).join(' or ')
      return {
        sample: Math.floor(bad / places),
        problem:
          `label ${given.data[bad]} at place ${bad % places}, expected 0..${classes - 1}` +
          `${ignored === '' ? '' : `, or ${ignored} where none counts`}`,
      }
    },
    targetInputs: (samples) => [{ elementType: 'int64', dims: [samples, places] }],
    // Behind the last class: a row of zeros in the place of one that says a class.
    targets: (labels, samples) => [
      int64(
        Array.from(labelsFor(labels, output)?.data ?? [], (label) => (isIgnored(label) ? classes : label)),
        [samples, places],
      ),
    ],
    addLoss: (builder, values, options) => addLoss(builder, values, options, form),
    undecided: (outputs, samples) => {
      const scores = scoresOf(outputs, samples)
      return Array.from({ length: samples }, (_, sample) => sample).filter((sample) => {
        for (let place = 0; place < places; place++) if (scores.decision(sample * places + place) < 0) return true
        return false
      })
    },
    score: (outputs, labels, samples) => ({
      sums: count(scoresOf(outputs, samples), labelsFor(labels, output), name === 'segmentation', isIgnored),
    }),
    compare: (expected, found, samples) => {
      const { agreeing, divergence } = compareScores(scoresOf(expected, samples), scoresOf(found, samples))
      return { sums: { places: [samples * places], agreeing: [agreeing], divergence: [divergence] } }
    },
  }
}

function count(
  scores: ClassScores,
  labels: Tensor<'float32'> | undefined,
  byClass: boolean,
  isIgnored: (label: number) => boolean,
): Record<string, ArrayLike<number>> {
  const table = (): Float64Array => new Float64Array(byClass ? scores.classes : 0)
  const [both, labelled, decided] = [table(), table(), table()]
  let [places, right, loss] = [0, 0, 0]
  const add = (to: Float64Array, at: number): void => {
    if (at in to) to[at] = (to[at] as number) + 1
  }
  for (let row = 0; row < scores.rows; row++) {
    const label = labels?.data[row] as number
    if (isIgnored(label)) continue
    places++
    const decision = scores.decision(row)
    add(labelled, label)
    add(decided, decision)
    if (decision === label) {
      right++
      add(both, label)
    }
    loss -= scores.logProbabilities(row)[label] as number
  }
  return { places: [places], right: [right], loss: [loss], both, labelled, decided }
}

function addLoss(
  b: GraphBuilder,
  { student, teachers, targets }: LossInputs,
  options: LossOptions,
  { axis, classes, places }: DenseForm,
): ValueName {
  const [own] = student as readonly [LossInput]
  const one = b.constant(float32([], [1]))
  const targetDims = own.dims.filter((_, at) => at !== axis)
  const rows = (labels: ValueName): ValueName =>
    b.emit(
      'OneHot',
      [
        b.emit('Reshape', [labels, b.constant(int64(targetDims))]),
        b.constant(int64([classes], [])),
        b.constant(float32([2], [0, 1])),
      ],
      { axis },
      'ttq:classes',
    )
  const known = targets && rows(targets[0] as ValueName)
  return softmaxLoss(
    b,
    {
      student: asScores(b, own),
      teachers: teachers && mapWeighted(teachers, ([values]) => asScores(b, values as LossInput)),
      targets: known,
      axis,
      rows: options.batch * places,
      // At least one: a batch may have no label that counts.
      targetRows: known && b.emit('Max', [b.emit('ReduceSum', [known], { keepdims: 0 }), one]),
    },
    options,
  )
}

// The first output whose places are as many as the labels, with the classes along one axis.
function denseOf(
  candidate: Candidate,
  task: (form: DenseForm, others: readonly ValueName[]) => Task,
  preferred: 'front' | 'behind',
): Task | NotScorable {
  const forms = possibleOutputs(candidate).flatMap((output) => formOf(candidate, output, preferred) ?? [])
  const [first, ...others] = forms
  if (first !== undefined)
    return task(
      first,
      others.map(({ output }) => output),
    )
  return misfit(
    candidate,
    'no class scores for places',
    'a class for each place of an output such as [N,classes,H,W] or [N,T,classes]',
  )
}

// The axis of the classes: behind the samples or the last one. Where both would do, the softmax tells.
function formOf(candidate: Candidate, output: CandidateOutput, preferred: 'front' | 'behind'): DenseForm | undefined {
  const { graph, labels, classes: known } = candidate
  const { dims, name } = output
  if (dims.length < 3) return undefined
  const given = labelsFor(labels, name)
  const last = dims.length - 1
  const fits = (preferred === 'front' ? [1, last] : [last, 1]).filter((axis) => {
    const classes = dims[axis] as number
    const own = dims.filter((_, at) => at > 0 && at !== axis)
    if (classes < 2) return false
    if (given === undefined) return classes === known
    if (labelsPerSample(given) !== elementCount(own) || elementCount(own) < 2) return false
    const shape = given.dims.slice(1).filter((dim) => dim !== 1)
    return (
      (shape.length < 2 || shape.join() === own.filter((dim) => dim !== 1).join()) &&
      given.data.every((label) => Number.isInteger(label) && label < Math.max(classes, 256))
    )
  })
  const end = endOf(graph, name)
  const along = end === undefined || !/Softmax$/.test(end.opType) ? undefined : attribute(end, 'axis', 'int', -1)
  const told = along === undefined ? undefined : along < 0 ? along + dims.length : along
  const axis = told !== undefined && fits.includes(told) ? told : fits[0]
  if (axis === undefined) return undefined
  const classes = dims[axis] as number
  return {
    output: name,
    axis,
    classes,
    places: elementCount(dims.slice(1)) / classes,
    isProbabilities: isProbabilities(graph, name, SOFTMAX),
  }
}
