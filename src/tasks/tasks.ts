// The tasks by name, and which one a network and its samples are for.
import { ONLY } from '../data/dataset.js'
import { NotScorable } from '../data/not-scorable.js'
import type { TaskName } from '../options/choices.js'
import { unsureAnswers } from './answers.js'
import { type Candidate, labelsPerSample, misfit } from './candidate.js'
import { classificationOf, labelsBeyond } from './classification.js'
import { languageOf, segmentationOf } from './dense-classification.js'
import { distillOf } from './distill.js'
import { binaryOf, multilabelOf } from './multilabel.js'
import { isProbabilities, SIGMOID } from './output-end.js'
import { regressionOf } from './regression.js'
import type { Task } from './task.js'

type TaskRow = (candidate: Candidate) => Task | NotScorable

/** In the order in which they are tried where there are labels. */
const TASKS: Readonly<Record<TaskName, TaskRow>> = {
  classification: classificationOf,
  language: languageOf,
  segmentation: segmentationOf,
  binary: binaryOf,
  multilabel: multilabelOf,
  regression: regressionOf,
  distill: distillOf,
}

/**
 * The task that a network is for.
 * @param name of the task; `auto`: the first that its outputs and labels fit, or without labels and classes distill
 * @throws NotScorable when they fit none
 */
export function chooseTask(candidate: Candidate, name: TaskName | 'auto'): Task {
  const found = name === 'auto' ? automatic(candidate) : TASKS[name](candidate)
  if (found instanceof NotScorable) throw found
  return found
}

/**
 * The task of a classifier whose labels are rows with a single 1 each.
 * @param candidate with the places of these ones as labels
 * @returns undefined where no output has as many scores; and, unless the task is named, where a sigmoid makes each of
 * them a yes or no of its own
 */
export function taskOfRows(candidate: Candidate, name: TaskName | 'auto'): Task | undefined {
  if (name !== 'auto' && name !== 'classification') return undefined
  const found = TASKS.classification(candidate)
  if (found instanceof NotScorable) return undefined
  const [output = ''] = found.outputs
  return name === 'auto' && isProbabilities(candidate.graph, output, SIGMOID) ? undefined : found
}

function automatic(candidate: Candidate): Task | NotScorable {
  const { labels, classes } = candidate
  const isLabelled = Object.keys(labels).length > 0
  if (!isLabelled && classes === undefined) return TASKS.distill(candidate)
  const isClass = labels[ONLY] === undefined ? !isLabelled : labelsPerSample(labels[ONLY]) === 1
  const names = (Object.keys(TASKS) as TaskName[]).filter(
    (name) => name !== 'distill' && !(name === 'regression' && isClass && (classes ?? 0) > 2),
  )
  for (const name of names) {
    // Where there are classes, shares of them are no numbers to be predicted.
    const unsure = name === 'regression' && classes !== undefined ? unsureAnswers(candidate) : undefined
    if (unsure !== undefined) return unsure
    const found = TASKS[name](candidate)
    if (!(found instanceof NotScorable)) return found
  }
  if (isClass && classes !== undefined) return TASKS.classification(candidate)
  const beyond = isClass ? labelsBeyond(candidate) : undefined
  if (beyond !== undefined) return beyond
  return misfit(
    candidate,
    'labels fit no output',
    'one class per sample for [N,classes], a class per place for [N,classes,H,W] or [N,T,classes], or as many labels ' +
      'as an output has numbers',
  )
}
