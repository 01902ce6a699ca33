// A look at the data before any long work starts: what the labels and the first batch are like, as plain data.
import { TtqError } from '../errors/ttq-error.js'
import type { Dataset, Split } from './dataset.js'

export interface InputSummary {
  dims: readonly number[]
  mean: number
  std: number
  min: number
  max: number
}

export interface SplitSummary {
  size: number
  labels: {
    /** What was counted: every sample where the labels are known beforehand, else the first batch. */
    counted: 'all' | 'first batch'
    /** Samples per class; all zero where there are no labels. */
    perClass: number[]
    /** Smallest and largest label seen; undefined without labels. */
    range: readonly [number, number] | undefined
  }
  /** Over the first batch, not augmented; inputs of whole numbers of 64 bits are left out. */
  inputs: Record<string, InputSummary>
}

export interface DatasetSummary {
  name: string
  classes: number
  preprocessing: string
  train: SplitSummary
  test: SplitSummary
}

/** Reads the first `samples` of both parts and sums them up. @throws TtqError `data` from a dataset that is damaged */
export async function describeDataset(dataset: Dataset, samples = 256): Promise<DatasetSummary> {
  const { name, classes, preprocessing } = dataset
  return {
    name, classes, preprocessing,
    train: await describeSplit(dataset.train, classes, samples),
    test: await describeSplit(dataset.test, classes, samples),
  }
}

/**
 * Checks that a network's output has one value per class of the dataset.
 * @throws TtqError `data`
 */
export function checkClassCount(dataset: { name: string; classes: number }, output: { name: string; classes: number }): void {
  if (dataset.classes === output.classes) return
  throw new TtqError('data', `output "${output.name}": ${output.classes} classes, expected ${dataset.classes} as ${dataset.name} has`, {
    facts: { dataset: dataset.name, found: output.classes, expected: dataset.classes },
    hint: 'choose the dataset the network was trained for, or give a loader module: --data ./loader.mjs',
  })
}

async function describeSplit(split: Split, classes: number, samples: number): Promise<SplitSummary> {
  const batch = await split.batch(Array.from({ length: Math.min(samples, split.size) }, (_, i) => i))
  const inputs: Record<string, InputSummary> = {}
  for (const [name, { dims, data }] of Object.entries(batch.inputs)) {
    if (ArrayBuffer.isView(data) && !(data instanceof BigInt64Array) && !(data instanceof BigUint64Array)) inputs[name] = { dims, ...summarize(data) }
  }
  const counted = split.labels === undefined ? 'first batch' : 'all'
  return { size: split.size, labels: { counted, ...countLabels(split.labels ?? batch.labels, classes) }, inputs }
}

function countLabels(labels: ArrayLike<number>, classes: number): { perClass: number[]; range: readonly [number, number] | undefined } {
  const perClass = new Array<number>(classes).fill(0)
  let range: readonly [number, number] | undefined
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number
    perClass[label] = (perClass[label] ?? 0) + 1
    range = range === undefined ? [label, label] : [Math.min(range[0], label), Math.max(range[1], label)]
  }
  return { perClass, range }
}

function summarize(data: ArrayLike<number>): Omit<InputSummary, 'dims'> {
  let sum = 0
  let squares = 0
  let min = Infinity
  let max = -Infinity
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number
    sum += value
    squares += value * value
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  const mean = sum / data.length
  return { mean, std: Math.sqrt(Math.max(0, squares / data.length - mean * mean)), min, max }
}
