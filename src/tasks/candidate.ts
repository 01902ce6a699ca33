// What a task is chosen by: a network's outputs and the labels of some samples; and what is said where it does not fit.
import type { Labels } from '../data/dataset.js'
import { ONLY } from '../data/dataset.js'
import { LabelMisfit, type NotScorable } from '../data/not-scorable.js'
import type { Graph, ValueName } from '../onnx/model.js'
import type { NameOptions } from '../options/option-table.js'
import { type DataType, isFloatType } from '../tensor/data-type.js'
import { elementCount, type Tensor } from '../tensor/tensor.js'

export interface Candidate {
  graph: Graph
  /** All outputs of some samples. */
  outputs: readonly CandidateOutput[]
  samples: number
  /** Of some samples, as many as there are in front. */
  labels: Labels
  /** How many the dataset says there are. */
  classes: number | undefined
  /** Whether these have names, so that others can be given. */
  areNamed?: boolean
  /** The outputs that the user names, in that order. */
  named: readonly ValueName[] | undefined
  nameOptions: NameOptions
}

export interface CandidateOutput {
  name: ValueName
  type: DataType
  dims: readonly number[]
  /** Values of the samples; undefined where they are not known. */
  tensor: Tensor | undefined
}

/** The labels that are for `output`, by its name or without one. */
export function labelsFor(labels: Labels, output: ValueName): Tensor<'float32'> | undefined {
  return Object.hasOwn(labels, output) ? labels[output] : labels[ONLY]
}

/** How many labels a sample has. */
export function labelsPerSample(tensor: Tensor | undefined): number {
  return tensor === undefined ? 0 : elementCount(tensor.dims.slice(1))
}

/** How many values of an output are one sample's. */
export function valuesPerSample({ dims }: Pick<Tensor, 'dims'>): number {
  return elementCount(dims.slice(1))
}

/**
 * The outputs of floating-point numbers with the samples in front that a task may be about: those that the user names,
 * else those that labels name, else all.
 */
export function possibleOutputs({ outputs, samples, labels, named }: Candidate): CandidateOutput[] {
  const byLabels = Object.keys(labels).filter((name) => name !== ONLY)
  const wanted = named ?? (byLabels.length > 0 ? byLabels : undefined)
  return outputs.filter(
    ({ name, type, dims }) => isFloatType(type) && dims[0] === samples && (wanted?.includes(name) ?? true),
  )
}

/** All outputs, for messages. */
export function shownOutputs({ outputs }: Candidate): string {
  return outputs.map(({ name, type, dims }) => `"${name}" [${dims.join(',')}] of ${type}`).join(', ')
}

/** `[N,16,16]`, of labels by outputs where they have names. */
export function shownLabels({ labels }: Candidate): string {
  const shown = Object.entries(labels).map(
    ([name, { dims }]) => `${name === ONLY ? '' : `"${name}" `}[${['N', ...dims.slice(1)].join(',')}]`,
  )
  return shown.join(', ') || 'none'
}

/** A task that a network and labels are not for. @param expected of outputs and labels */
export function misfit(candidate: Candidate, reason: string, expected: string): NotScorable {
  const { samples, nameOptions } = candidate
  return new LabelMisfit(
    reason,
    `dataset: the network's outputs for ${samples} samples are ${shownOutputs(candidate)}, the labels ` +
      `${shownLabels(candidate)}, expected ${expected}`,
    {
      hint:
        `${nameOptions('task')} distill learns all outputs from the original network, without labels ` +
        '(docs/tasks.md)',
      facts: { labels: shownLabels(candidate) },
    },
  )
}
