// The task of a classifier: one class per sample, of one output or of several (heads). The only place that knows top-1.
import { LabelMisfit, type NotScorable } from '../data/not-scorable.js'
import { ONLY, type Labels } from '../data/dataset.js'
import type { GraphBuilder } from '../onnx/graph-builder.js'
import type { ValueName } from '../onnx/model.js'
import { elementCount, float32, int64, type Tensor } from '../tensor/tensor.js'
import {
  type Candidate,
  type CandidateOutput,
  labelsFor,
  labelsPerSample,
  misfit,
  possibleOutputs,
  valuesPerSample,
} from './candidate.js'
import { ClassScores, compareScores } from './class-scores.js'
import { sumOf } from './evaluation.js'
import { isProbabilities, lossValueOf, SOFTMAX } from './output-end.js'
import { asScores, softmaxLoss } from './softmax-loss.js'
import type { LossInput, LossInputs, LossOptions, MetricRule, Task } from './task.js'
import { mapWeighted } from './weighted.js'

/** An output with one score per class. */
export interface Head {
  output: ValueName
  classes: number
  /** Whether the output is that of a softmax. */
  isProbabilities?: boolean
}

/** What top-5 is told from. */
const MANY = 10

/** The task of a network with these heads. */
export function classification(heads: readonly Head[], others: readonly ValueName[] = []): Task {
  const most = Math.max(...heads.map(({ classes }) => classes))
  const scoresOf = (outputs: readonly Tensor[], samples: number): ClassScores[] =>
    heads.map(
      ({ classes, isProbabilities: made = false }, i) =>
        new ClassScores(asRows(outputs[i] as Tensor, classes), samples, { axis: 1, classes, isProbabilities: made }),
    )
  return {
    name: 'classification',
    about: heads.length === 1 ? `${most} classes` : `${heads.map(({ classes }) => classes).join(', ')} classes`,
    outputs: heads.map(({ output }) => output),
    others,
    metrics: metricsOf(heads),
    likeness: [
      {
        key: 'agreement',
        name: 'agreement',
        unit: '%',
        better: 'higher',
        ofSamples: true,
        of: (tally) => (100 * sumOf(tally, 'agreeing')) / sumOf(tally, 'samples') / heads.length,
      },
      {
        key: 'divergence',
        name: 'divergence',
        unit: 'nats',
        better: 'lower',
        of: (tally) => sumOf(tally, 'divergence') / sumOf(tally, 'samples') / heads.length,
      },
    ],
    lossValues: (graph, shapes) => heads.map(({ output }) => lossValueOf(graph, shapes, output, SOFTMAX)),
    checkLabels: (labels, samples) => {
      for (const { output, classes } of heads) {
        const given = labelsFor(labels, output)
        if (given === undefined) return { sample: 0, problem: `no label for "${output}"` }
        if (given.data.length !== samples)
          return { sample: 0, problem: `${labelsPerSample(given)} labels, expected one class` }
        const sample = given.data.findIndex((label) => !isClass(label, classes))
        if (sample >= 0) return { sample, problem: `label ${given.data[sample]}, expected 0..${classes - 1}` }
      }
      return undefined
    },
    targetInputs: (samples) => heads.map(({ classes }) => ({ elementType: 'float32', dims: [samples, classes] })),
    targets: (labels, samples, { labelSmoothing }) =>
      heads.map(({ output, classes }) => rowsOf(labelsFor(labels, output), samples, classes, labelSmoothing)),
    addLoss: (builder, values, options) => addLoss(builder, values, options, heads),
    undecided: (outputs, samples) => {
      const scores = scoresOf(outputs, samples)
      return Array.from({ length: samples }, (_, sample) => sample).filter((sample) =>
        scores.some((head) => head.decision(sample) < 0),
      )
    },
    score: (outputs, labels, samples) => ({ sums: countRight(scoresOf(outputs, samples), labels, heads, samples) }),
    compare: (expected, found, samples) => {
      const [before, after] = [scoresOf(expected, samples), scoresOf(found, samples)]
      const parts = heads.map((_, i) => compareScores(before[i] as ClassScores, after[i] as ClassScores))
      return {
        sums: {
          samples: [samples],
          agreeing: [parts.reduce((sum, { agreeing }) => sum + agreeing, 0)],
          divergence: [parts.reduce((sum, { divergence }) => sum + divergence, 0)],
        },
      }
    },
    ...(heads.length === 1 && {
      scores: (outputs: readonly Tensor[], samples: number) => scoresOf(outputs, samples)[0] as ClassScores,
    }),
    // Within the noise of a few hundred test samples around guessing.
    chance: (heads.reduce((sum, { classes }) => sum + 100 / classes, 0) / heads.length) * 1.5,
  }
}

/** The same by a network's outputs: [N, classes], possibly with further dimensions of size 1. */
export function classificationOf(candidate: Candidate): Task | NotScorable {
  const { labels, classes, graph } = candidate
  const possible = possibleOutputs(candidate)
  const fits = possible.filter((output) => {
    const given = labelsFor(labels, output.name)
    const count =
      given === undefined ? classes : classesOf(output, given, labels[ONLY] === undefined ? undefined : classes)
    return count !== undefined && count > 1 && isRow(output, count)
  })
  const asHead = (output: CandidateOutput): Head => ({
    output: output.name,
    classes: valuesPerSample(output),
    isProbabilities: isProbabilities(graph, output.name, SOFTMAX),
  })
  if (labels[ONLY] === undefined && Object.keys(labels).length > 0)
    return fits.length === Object.keys(labels).length
      ? classification(fits.map(asHead))
      : misfit(candidate, 'labels by outputs do not fit', 'one class per sample for outputs of shape [N,classes]')
  const severalNamed = candidate.named !== undefined && candidate.named.length > 1
  if (severalNamed && labels[ONLY] !== undefined)
    return misfit(candidate, 'labels without names', 'labels by the names of the outputs, where several are trained')
  if (severalNamed && fits.length === candidate.named?.length) return classification(fits.map(asHead))
  const [first, ...others] = fits
  if (first !== undefined)
    return classification(
      [asHead(first)],
      others.map(({ name }) => name),
    )
  if (classes !== undefined) return noScores(candidate, classes)
  return labelsBeyond(candidate) ?? misfit(candidate, 'no class scores', ONE_CLASS)
}

/**
 * What is wrong where samples have one label each and an output has class scores, but these are none of its classes.
 */
export function labelsBeyond(candidate: Candidate): NotScorable | undefined {
  const given = candidate.labels[ONLY]
  const output = possibleOutputs(candidate).find(
    (each) => valuesPerSample(each) > 1 && isRow(each, valuesPerSample(each)),
  )
  if (given === undefined || output === undefined || labelsPerSample(given) !== 1) return undefined
  const classes = valuesPerSample(output)
  const sample = given.data.findIndex((label) => !isClass(label, classes))
  const label = given.data[sample]
  if (label === undefined) return undefined
  const [least, most] = [Math.min(...given.data), Math.max(...given.data)]
  const isWhole = given.data.every((each) => Number.isInteger(each))
  const expected = `expected 0..${classes - 1}, the classes of output "${output.name}"`
  return new LabelMisfit(
    'labels beyond the classes',
    isWhole
      ? `dataset: labels are ${least}..${most} (${label} of sample ${sample}), ${expected}`
      : `dataset: labels are no whole numbers (${label} of sample ${sample}), ${expected}`,
    {
      hint:
        isWhole && least === 1 && most <= classes
          ? 'labels count from 1, it seems: subtract 1'
          : 'the labels are wrong, or the network was trained for other data',
      facts: { least, most, classes, sample },
    },
  )
}

const ONE_CLASS = 'one class per sample, and an output of shape [N,classes]'

// How many classes an output is to have for these labels.
function classesOf(output: CandidateOutput, labels: Tensor<'float32'>, known: number | undefined): number | undefined {
  if (labelsPerSample(labels) !== 1) return undefined
  const classes = known ?? valuesPerSample(output)
  return labels.data.every((label) => isClass(label, classes)) ? classes : undefined
}

function isClass(label: number, classes: number): boolean {
  return Number.isInteger(label) && label >= 0 && label < classes
}

// One score per class, the other dimensions being 1.
function isRow({ dims }: CandidateOutput, classes: number): boolean {
  return dims.slice(1).includes(classes) && elementCount(dims.slice(1)) === classes
}

function asRows(output: Tensor, classes: number): Tensor {
  return { ...output, dims: [output.data.length / classes, classes] }
}

function noScores(candidate: Candidate, classes: number): NotScorable {
  const { outputs, samples, areNamed = false, nameOptions } = candidate
  const shown = outputs.map(({ name, type, dims }) => `"${name}" [${dims.join(',')}] of ${type}`).join(', ')
  const hasMore = outputs.some((each) => valuesPerSample(each) > classes && isRow(each, valuesPerSample(each)))
  const decides = outputs.some(({ type, dims }) => /^u?int/.test(type) && elementCount(dims) === samples)
  return new LabelMisfit(
    `no output has ${classes} class scores`,
    `dataset: it has ${classes} ${classes === 1 ? 'class' : 'classes'}, the network's outputs for ${samples} ` +
      `samples are ${shown}, expected one of shape [${samples},${classes}] in float32, float16 or float64`,
    {
      hint: decides
        ? 'the network gives its decision instead of its scores: export it without the final ArgMax or TopK'
        : hasMore && areNamed
          ? `where these are some of the network's classes, ${nameOptions('classNames')} says which: a file with the ` +
            'names of all, in the order of its outputs'
          : 'use the dataset the network was trained for, or give one with as many classes as the network has',
      facts: { classes },
    },
  )
}

function metricsOf(heads: readonly Head[]): MetricRule[] {
  const share = (key: string, name: string, at: number | undefined): Omit<MetricRule, 'unit' | 'better'> => ({
    key: at === undefined ? key : `${key}:${heads[at]?.output}`,
    name: at === undefined ? name : `${name} of ${heads[at]?.output}`,
    ofSamples: true,
    of: (tally) => {
      const counted = at === undefined ? heads.map((_, i) => i) : [at]
      return (
        (100 * counted.reduce((sum, i) => sum + sumOf(tally, key, i), 0)) / sumOf(tally, 'samples') / counted.length
      )
    },
  })
  const percent = { unit: '%', better: 'higher' } as const
  return [
    { ...share('top1', 'top-1', undefined), ...percent },
    ...(heads.some(({ classes }) => classes >= MANY) ? [{ ...share('top5', 'top-5', undefined), ...percent }] : []),
    ...(heads.length > 1 ? heads.map((_, i) => ({ ...share('top1', 'top-1', i), ...percent })) : []),
    {
      key: 'crossEntropy',
      name: 'cross-entropy',
      unit: 'nats',
      better: 'lower',
      of: (tally) =>
        heads.reduce((sum, _, i) => sum + sumOf(tally, 'loss', i), 0) / sumOf(tally, 'samples') / heads.length,
    },
  ]
}

function countRight(
  scores: readonly ClassScores[],
  labels: Labels,
  heads: readonly Head[],
  samples: number,
): Record<string, number[]> {
  const top1 = heads.map(() => 0)
  const [top5, loss] = [[...top1], [...top1]]
  heads.forEach(({ output }, i) => {
    const [head, given] = [scores[i] as ClassScores, labelsFor(labels, output)]
    for (let sample = 0; sample < samples; sample++) {
      const label = given?.data[sample] as number
      if (head.decision(sample) === label) top1[i] = (top1[i] as number) + 1
      if (head.decision(sample) >= 0 && head.rank(sample, label) < 5) top5[i] = (top5[i] as number) + 1
      loss[i] = (loss[i] as number) - (head.logProbabilities(sample)[label] as number)
    }
  })
  return { samples: [samples], top1, top5, loss }
}

// One row per sample: its class, smoothed (Szegedy et al. 2016, arXiv 1512.00567, section 7).
function rowsOf(labels: Tensor<'float32'> | undefined, samples: number, classes: number, smoothing: number): Tensor {
  const rows = new Float32Array(samples * classes).fill(smoothing / classes)
  labels?.data.forEach((label, i) => {
    rows[i * classes + label] = 1 - smoothing + smoothing / classes
  })
  return float32([samples, classes], rows)
}

function addLoss(
  b: GraphBuilder,
  { student, teachers, targets }: LossInputs,
  options: LossOptions,
  heads: readonly Head[],
): ValueName {
  const losses = heads.map(({ classes }, i) => {
    const scores = (input: LossInput): ValueName =>
      b.emit('Reshape', [asScores(b, input), b.constant(int64([options.batch, classes]))], {}, 'ttq:scores')
    return softmaxLoss(
      b,
      {
        student: scores(student[i] as LossInput),
        teachers: teachers && mapWeighted(teachers, (values) => scores(values[i] as LossInput)),
        targets: targets?.[i],
        axis: -1,
        rows: options.batch,
      },
      options,
    )
  })
  return losses.length === 1
    ? (losses[0] as ValueName)
    : b.emit('Mul', [b.emit('Sum', losses), b.constant(float32([], [1 / losses.length]))])
}
